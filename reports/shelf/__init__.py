"""The shelf: everything that lies under ``runs/``, found by tag, scenario and architecture.

It reads records, never samples: a shelf of hundreds of runs is listed in about a second.
"""
