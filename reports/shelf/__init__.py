"""The shelf: everything that lies under ``runs/``, found by tag, scenario and architecture.

It reads records, never samples: a shelf of 500 runs and 28,000 trials is listed in seconds.
"""
