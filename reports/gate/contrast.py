"""What a rule must know of one metric over its pairs, be it a ratio or a difference."""

from typing import Protocol


class Contrast(Protocol):
    """Candidate against baseline in one metric, oriented so that more is worse.

    Implemented by ``effect.Effect`` (ratios; no change is 1) and ``difference.Difference``
    (differences of shares; no change is 0).
    """

    @property
    def n(self) -> int:
        """Pairs it rests on; at least 2."""
        ...

    @property
    def none(self) -> float:
        """No change: 1 of a ratio, 0 of a difference."""
        ...

    @property
    def estimate(self) -> float:
        """The point."""
        ...

    @property
    def spread(self) -> float:
        """Standard deviation between pairs: of log ratios, or of differences."""
        ...

    @property
    def p(self) -> float:
        """One-sided, that the candidate is not worse; 0 to 1."""
        ...

    def low(self, level: float) -> float:
        """The bound that the true value lies below with probability ``level`` at most."""
        ...

    def high(self, level: float) -> float:
        """The bound that the true value lies above with probability ``level`` at most."""
        ...
