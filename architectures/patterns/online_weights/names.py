"""Under which names the store keeps what this pattern shares."""

HEAD = "online_weights/head"
"""Published: the head's weights; see :mod:`architectures.patterns.online_weights.head`."""

DRIFT = "online_weights/drift"
"""Published: the planted drift."""

SEEN = "online_weights/seen/"
"""Before a slot's number: the features of an image that was asked about."""

QUEUE = "online_weights/feedback"
"""A queue: labelled features that nobody has learnt from yet."""

MOST_WAITING = 4096
"""Longest queue; the oldest feedback is dropped beyond it."""

LEASE = "online_weights/learner"
"""Who learns."""

COUNTED = "online_weights/"
"""Before the name of a counter: ``taken``, ``forgotten``, ``learned``, ``steps``."""
