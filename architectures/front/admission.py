"""How many requests may be inside at once."""

from architectures.contract import Problem
from architectures.front.metrics import FrontMetrics


class Admission:
    """The bounded queue at the door: how many requests are inside, and the most there may be."""

    __slots__ = ("_metrics", "bound", "inside")

    def __init__(self, bound: int, metrics: FrontMetrics) -> None:
        self.bound = bound
        self.inside = 0
        self._metrics = metrics

    def __enter__(self) -> None:
        """Take a place; raises a 503 Problem where there is none."""
        if self.inside >= self.bound:
            raise Problem(
                "overloaded",
                503,
                f"{self.bound} requests are already waiting or running; retry after a second.",
            )
        self.inside += 1
        self._metrics.in_flight(self.inside)

    def __exit__(self, *_: object) -> None:
        """Give the place back."""
        self.inside -= 1
        self._metrics.in_flight(self.inside)
