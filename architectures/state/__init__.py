"""State that a deployment's processes share: versions, counters, queues; SQLite or Redis."""
