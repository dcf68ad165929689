"""The systems under test: one ensemble, wired several ways."""
