"""Read what was recorded and say what it means; nothing here runs load."""
