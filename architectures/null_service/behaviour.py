"""What the null service does to each request, known in advance: an oracle can recompute it.

Request ``i`` to reach the service, ``t`` seconds after the first one, is kept for
``delays_ns()[i] + added_ns(t)`` and fails where ``lots()[i]`` lies below ``failing(t)``. A frozen
service does nothing at all; what it owes then is done when it wakes.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np

from architectures.null_service.options import checked

TABLE_SIZE = 65_536
"""Delays and lots are drawn once; request i has entry i modulo this."""

DelaysNs: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Seconds: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A null service's options. Times are counted from the first request to a graph.

    Attributes:
        law: of the delays: one of :data:`LAWS`.
        mean_s: their mean; not of ``modes``, which says its own.
        shape: of ``pareto`` the tail index, above 1; of ``lognormal`` the logarithm's deviation.
        modes: of the law ``modes``: pairs of a share and a delay in seconds; shares sum to 1.
        seed: of the tables they are drawn into.
        burn_s: CPU time each request spends on the event loop.
        freezes: pairs of when the whole process freezes and for how long.
        slow_start_s: added to the delay at first; it decays by ``exp(-t / slow_start_decay_s)``.
        drift: seconds added to the delay with each second.
        error_bursts: triples of when, for how long, and which share of the requests that come
            then fail with 500, after their delay.
    """

    law: str = "constant"
    mean_s: float = 0.0
    shape: float = 0.0
    modes: tuple[tuple[float, float], ...] = ()
    seed: int = 0
    burn_s: float = 0.0
    freezes: tuple[tuple[float, float], ...] = ()
    slow_start_s: float = 0.0
    slow_start_decay_s: float = 1.0
    drift: float = 0.0
    error_bursts: tuple[tuple[float, float, float], ...] = ()

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> "Behaviour":
        """Read a variant's options.

        Raises:
            ValueError: an option or a law that does not exist, or a value that cannot be meant.
        """
        known = [field.name for field in fields(cls)]
        return cls(**checked(options, known, tuple(LAWS)))

    def delays_ns(self) -> DelaysNs:
        """``int64[TABLE_SIZE]``: entry i is the delay of the i-th request to reach the service."""
        seconds = LAWS[self.law](self, np.random.default_rng(self.seed))
        return np.rint(seconds * 1e9).astype(np.int64)

    def lots(self) -> Seconds:
        """``float64[TABLE_SIZE]``: in [0, 1), one for each request; the low ones fail first."""
        return np.random.default_rng((self.seed, 1)).random(TABLE_SIZE)

    def added_ns(self, elapsed_s: float) -> int:
        """What slow start and drift add to the delay of a request that comes then."""
        slow_s = self.slow_start_s * math.exp(-elapsed_s / self.slow_start_decay_s)
        return round((slow_s + self.drift * elapsed_s) * 1e9)

    def failing(self, elapsed_s: float) -> float:
        """The share of the requests that come then which fail."""
        inside = (
            share for start_s, for_s, share in self.error_bursts if 0 <= elapsed_s - start_s < for_s
        )
        return max(inside, default=0.0)


def _constant(behaviour: Behaviour, _: np.random.Generator) -> Seconds:
    return np.full(TABLE_SIZE, behaviour.mean_s)


def _uniform(behaviour: Behaviour, draw: np.random.Generator) -> Seconds:
    """Over 0 to twice the mean."""
    return draw.uniform(0.0, 2 * behaviour.mean_s, TABLE_SIZE)


def _exponential(behaviour: Behaviour, draw: np.random.Generator) -> Seconds:
    return draw.exponential(behaviour.mean_s, TABLE_SIZE)


def _pareto(behaviour: Behaviour, draw: np.random.Generator) -> Seconds:
    """Type I: none below ``mean * (shape - 1) / shape``."""
    least_s = behaviour.mean_s * (behaviour.shape - 1) / behaviour.shape
    return least_s * (1 + draw.pareto(behaviour.shape, TABLE_SIZE))


def _lognormal(behaviour: Behaviour, draw: np.random.Generator) -> Seconds:
    unit = draw.lognormal(-(behaviour.shape**2) / 2, behaviour.shape, TABLE_SIZE)
    return behaviour.mean_s * unit


def _modes(behaviour: Behaviour, draw: np.random.Generator) -> Seconds:
    shares, delays_s = zip(*behaviour.modes, strict=True)
    return draw.choice(np.array(delays_s, dtype=np.float64), TABLE_SIZE, p=np.array(shares))


LAWS: dict[str, Callable[[Behaviour, np.random.Generator], Seconds]] = {
    "constant": _constant,
    "uniform": _uniform,
    "exponential": _exponential,
    "pareto": _pareto,
    "lognormal": _lognormal,
    "modes": _modes,
}
"""Every law of delays. A new one is a row."""
