"""Waiting for what happens when it happens: on a condition, never for a time."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

PATIENCE_S = 90.0
"""Long, for a machine that does much else; a test that fails is the only one that waits so long."""


def until(condition: Callable[[], Any]) -> Any:
    """What the condition says, once it is true."""
    end = monotonic() + PATIENCE_S
    while not (found := condition()):
        assert monotonic() < end, "it never came true"
        sleep(0.01)
    return found
