"""The highest offered rate whose objective holds: searched, confirmed, and its bracket."""
