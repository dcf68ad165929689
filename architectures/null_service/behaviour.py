"""What the null service does to each request, known in advance: an oracle can recompute it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np

TABLE_SIZE = 65_536
"""Delays are drawn once; request i has delay i modulo this."""

DelaysNs: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

_LAWS = ("constant", "uniform", "exponential")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A null service's options.

    Attributes:
        law: of the delays: ``constant``, ``uniform`` over 0 to twice the mean, ``exponential``.
        mean_s: their mean.
        seed: of the table they are drawn into.
        burn_s: CPU time each request spends on the event loop.
        freeze_after_s: when the whole process freezes, counted from the first request to a graph.
        freeze_s: for how long; 0 is never.
    """

    law: str = "constant"
    mean_s: float = 0.0
    seed: int = 0
    burn_s: float = 0.0
    freeze_after_s: float = 0.0
    freeze_s: float = 0.0

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> "Behaviour":
        """Read a variant's options.

        Raises:
            ValueError: an option or a law that does not exist.
        """
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(options) - set(known))
        if unknown:
            raise ValueError(
                f"null_service has no option {', '.join(unknown)}; it has {', '.join(known)}"
            )
        behaviour = cls(**options)
        if behaviour.law not in _LAWS:
            raise ValueError(
                f"null_service option law = {behaviour.law!r}: use one of {', '.join(_LAWS)}"
            )
        return behaviour

    def delays_ns(self) -> DelaysNs:
        """The table: entry i is the delay of the i-th request to reach the service."""
        draw = np.random.default_rng(self.seed)
        if self.law == "uniform":
            seconds = draw.uniform(0.0, 2 * self.mean_s, TABLE_SIZE)
        elif self.law == "exponential":
            seconds = draw.exponential(self.mean_s, TABLE_SIZE)
        else:
            seconds = np.full(TABLE_SIZE, self.mean_s)
        return np.rint(seconds * 1e9).astype(np.int64)
