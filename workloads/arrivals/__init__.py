"""Arrival processes: when requests are meant to start, from a seed, computed before any load.

The same seed gives the same nanoseconds on every machine, processor and library version
(``workloads.arrivals.exact``). A process is a row of ``workloads.arrivals.rows``.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from workloads.arrivals.exact import words
from workloads.arrivals.parameter import Parameter, Value, WorkloadError
from workloads.arrivals.rows import ARRIVALS, ArrivalProcess
from workloads.meant import did_you_mean

__all__ = [
    "ARRIVALS",
    "CLOSED",
    "ArrivalProcess",
    "Parameter",
    "WorkloadError",
    "arrivals",
    "checked_shape",
    "find",
    "is_stationary",
    "words",
]

CLOSED = "closed"
"""What a plan of a closed loop bears in place of an arrival process."""


def find(name: str) -> ArrivalProcess:
    """The named process.

    Raises:
        WorkloadError: there is none.
    """
    if name not in ARRIVALS:
        raise WorkloadError(
            f"no arrival process is called {name!r}{did_you_mean(name, ARRIVALS)}; "
            f"choose from {', '.join(ARRIVALS)}"
        )
    return ARRIVALS[name]


def is_stationary(name: str) -> bool:
    """Whether a plan's ``workload`` has one law throughout; where not, no steady state is due.

    Raises:
        WorkloadError: no such process.
    """
    return name == CLOSED or find(name).stationary


def checked_shape(name: str, shape: Mapping[str, Any]) -> dict[str, Value]:
    """A process's parameters, whole: those given, and the defaults of the others.

    Raises:
        WorkloadError: no such process or parameter, or a value that cannot be meant.
    """
    process = find(name)
    known = {parameter.name: parameter for parameter in process.parameters}
    for key in shape:
        if key not in known:
            raise WorkloadError(
                f"there is no key 'load.shape.{key}' for {name!r}{did_you_mean(key, known)}; "
                f"it knows {', '.join(known) or 'none'}"
            )
    whole = {key: one.checked(shape.get(key, one.default)) for key, one in known.items()}
    contradiction = process.contradiction(whole)
    if contradiction:
        raise WorkloadError(contradiction)
    return whole


def arrivals(
    name: str,
    rate_rps: float,
    duration_s: float,
    seed: int,
    *,
    shape: Mapping[str, Any] | None = None,
    recorded_ns: npt.NDArray[np.int64] | None = None,
) -> npt.NDArray[np.int64]:
    """Draw start offsets of the named process.

    Args:
        name: of a row of :data:`ARRIVALS`.
        rate_rps: the offered rate; the row's ``rate`` says of what.
        duration_s: of warm-up and steady state together.
        seed: the same one gives the same offsets.
        shape: the process's own parameters; defaults stand for those left out.
        recorded_ns: ``int64[m]``, of a process that replays: ascending from 0, the last above 0.

    Returns:
        ``int64[n]``: nanoseconds after the common start, ascending, in ``[0, duration_s)``.

    Raises:
        WorkloadError: no such process or parameter, a rate or duration that is not a positive
            number, or a recording that is missing or too short.
    """
    process = find(name)
    parameters: dict[str, Any] = checked_shape(name, shape or {})
    for key, value in (("rate_rps", rate_rps), ("duration_s", duration_s)):
        if not 0 < value < float("inf"):
            raise WorkloadError(f"{key} = {value} is not a positive number; give one above 0")
    if process.replays:
        if recorded_ns is None:
            raise WorkloadError(f"workload {name!r} needs a recording; name one in load.trace")
        parameters["recorded_ns"] = recorded_ns
    return process.draw(rate_rps, duration_s, seed, **parameters)
