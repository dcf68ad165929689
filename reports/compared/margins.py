"""How much of a change is none, as it is asked for on the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reports.compared.sides import CompareError
from reports.metrics import BY_KEY
from workloads.meant import did_you_mean


@dataclass(frozen=True, slots=True)
class Margins:
    """How much of a change is none, as a share.

    Attributes:
        every: of each metric that ``by_metric`` does not name.
    """

    every: float = 0.0
    by_metric: Mapping[str, float] = field(default_factory=dict)

    def of(self, metric: str) -> float:
        """A metric's."""
        return self.by_metric.get(metric, self.every)


NO_MARGIN = Margins()


def margins_of(words: tuple[str, ...]) -> Margins:
    """Read ``SHARE`` and ``METRIC=SHARE``.

    Raises:
        CompareError: one is no share, or its metric is not there.
    """
    every, by_metric = 0.0, {}
    for word in words:
        key, _, share = word.rpartition("=")
        try:
            value = float(share)
        except ValueError:
            value = -1.0
        if not 0 <= value < float("inf"):
            raise CompareError(f"--margin {word}: is no SHARE such as 0.05, nor METRIC=SHARE")
        if key and key not in BY_KEY:
            near = did_you_mean(key, BY_KEY)
            raise CompareError(
                f"--margin {word}: no metric is called {key!r}{near}; metrics are those of "
                "summary.json, such as cpu_ms=0.05"
            )
        if key:
            by_metric[key] = value
        else:
            every = value
    return Margins(every, by_metric)
