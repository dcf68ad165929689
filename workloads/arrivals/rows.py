"""Every arrival process there is, with its parameters: a new one is a row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from workloads.arrivals.parameter import Parameter, Value
from workloads.arrivals.profile import burst, diurnal, ramp, step
from workloads.arrivals.renewal import constant, gamma, poisson
from workloads.arrivals.replay import replay

Draw: TypeAlias = Callable[..., npt.NDArray[np.int64]]
"""``(rate_rps, duration_s, seed, **parameters) -> int64[n]``: start offsets in ns, ascending, in
``[0, duration)``."""

_MOST_MULTIPLE = 1000.0


def _fine(_: Mapping[str, Value]) -> str | None:
    return None


def _fits(shape: Mapping[str, Any]) -> str | None:
    if shape["length_s"] < shape["every_s"]:
        return None
    return (
        f"load.shape.length_s = {shape['length_s']:g} is not below load.shape.every_s = "
        f"{shape['every_s']:g}: the burst would never end"
    )


def _rises(shape: Mapping[str, Any]) -> str | None:
    if shape["from"] or shape["to"]:
        return None
    return "load.shape.from and load.shape.to are both 0: nothing would ever arrive"


def _arrives(shape: Mapping[str, Any]) -> str | None:
    if any(multiple for _, multiple in shape["levels"]):
        return None
    return "load.shape.levels has no multiple above 0: nothing would ever arrive"


def _whole(shape: Mapping[str, Any]) -> str | None:
    if shape["repeat"] in {0, 1}:
        return None
    return f"load.shape.repeat = {shape['repeat']:g}: a trace begins again (1) or it does not (0)"


@dataclass(frozen=True, slots=True)
class ArrivalProcess:
    """A law of intended starts.

    Attributes:
        law: its formula in words, t being seconds since the trial's start and r ``rate_rps``.
        purpose: what it is for.
        rate: what ``rate_rps`` is: the mean, or the unit that a profile's multiples count in.
        stationary: whether the law is the same at all times, so that a steady state is due.
        replays: whether it needs a recording beside its parameters.
        contradiction: what of whole parameters cannot be meant together, in words.
    """

    draw: Draw
    law: str
    purpose: str
    rate: str
    stationary: bool
    parameters: tuple[Parameter, ...] = ()
    replays: bool = False
    contradiction: Callable[[Mapping[str, Value]], str | None] = _fine


ARRIVALS: dict[str, ArrivalProcess] = {
    "constant": ArrivalProcess(
        constant,
        law="(i + u) / r, one uniform u",
        purpose="a clock: the least queueing a rate can cause",
        rate="mean",
        stationary=True,
    ),
    "poisson": ArrivalProcess(
        poisson,
        law="independent gaps, exponential of mean 1 / r",
        purpose="many independent clients; the default",
        rate="mean",
        stationary=True,
    ),
    "gamma": ArrivalProcess(
        gamma,
        law="independent gaps, gamma of mean 1 / r and coefficient of variation cv",
        purpose="burstier (cv above 1) or smoother (below 1) than independent clients",
        rate="mean",
        stationary=True,
        parameters=(
            Parameter("cv", 2.0, "standard deviation of the gaps over their mean", 0.1, 10.0),
        ),
    ),
    "burst": ArrivalProcess(
        burst,
        law="Poisson of rate r, and factor * r in the last length_s of every every_s",
        purpose="flash crowds and cron jobs: how deep a queue gets and how fast it empties",
        rate="between bursts",
        stationary=False,
        parameters=(
            Parameter("factor", 5.0, "multiple of the rate in a burst", 0.0, _MOST_MULTIPLE),
            Parameter("every_s", 10.0, "seconds from one burst to the next", 0.01, 100_000.0),
            Parameter("length_s", 1.0, "seconds of a burst", 0.001, 100_000.0),
        ),
        contradiction=_fits,
    ),
    "ramp": ArrivalProcess(
        ramp,
        law="Poisson of rate r * (from + (to - from) * t / T), T being warm-up + steady state",
        purpose="where a SUT gives out, in one trial; looking, not measuring",
        rate="multiple 1",
        stationary=False,
        parameters=(
            Parameter("from", 0.0, "multiple of the rate at the start", 0.0, _MOST_MULTIPLE),
            Parameter("to", 1.0, "multiple of the rate at the end", 0.0, _MOST_MULTIPLE),
        ),
        contradiction=_rises,
    ),
    "step": ArrivalProcess(
        step,
        law="Poisson of rate m * r for each [seconds, m] of levels in turn; the last level stays",
        purpose="a sudden change and what follows: autoscaling, recovery after overload",
        rate="multiple 1",
        stationary=False,
        parameters=(
            Parameter(
                "levels",
                [[5.0, 0.5], [5.0, 1.0]],
                "[seconds, multiple of the rate], one after the other",
                0.0,
                _MOST_MULTIPLE,
            ),
        ),
        contradiction=_arrives,
    ),
    "diurnal": ArrivalProcess(
        diurnal,
        law="Poisson of rate r * (1 + swing * sin(2 pi t / period_s)), in 48 straight pieces",
        purpose="day and night, in little",
        rate="mean over whole periods",
        stationary=False,
        parameters=(
            Parameter("swing", 0.5, "the peak's distance from the mean, as its share", 0.0, 1.0),
            Parameter("period_s", 60.0, "seconds of a day", 0.1, 100_000.0),
        ),
    ),
    "trace": ArrivalProcess(
        replay,
        law="recorded offsets * recorded rate / r; no seed",
        purpose="what really happened, at any speed",
        rate="mean of the whole trace",
        stationary=False,
        parameters=(
            Parameter("repeat", 0.0, "1 begins the trace again at its end, 0 does not", 0.0, 1.0),
        ),
        replays=True,
        contradiction=_whole,
    ),
}
"""Every arrival process by the name a scenario gives it."""
