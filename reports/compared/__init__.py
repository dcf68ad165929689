"""Two runs of different times beside each other: what differs, what moved, and what cannot be told.

For reading. A decision is a gate's (``reports.gate``), whose blocks are pairs.
"""
