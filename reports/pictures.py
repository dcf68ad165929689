"""What a trial leaves for the charts once its samples are put away: small, and true at the tail."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from reports.estimate import Floats, Missing, Value
from reports.frames import TrialFrames
from reports.gpu import memory_by_component
from reports.subject import Subject
from reports.usage import component_cpu_s, components, pss_by_component

BIN_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0)
MOST_BINS = 120
FEWEST_BINS = 20
PER_BIN = 20
SERIES = ("t_s", "median_ms", "worst_ms", "answered_rps", "failed_rps", "answers")


@dataclass(frozen=True, slots=True)
class StageMeans:
    """Means over one trial's OK answers in steady state, milliseconds.

    Attributes:
        wall_ms: from the call to the result, as the caller saw it: queue + compute + wait + hop.
        compute_ms: run time of the whole batch, for which each of its members waits.
        wait_ms: for others, of a stage that does not compute.
        batch_size: answers / batches they ran in.
    """

    wall_ms: float
    queue_ms: float
    compute_ms: float
    wait_ms: float
    hop_ms: float
    batch_size: float


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One trial, ready to draw.

    Attributes:
        responses_s: ascending response times of OK answers planned in steady state.
        planned: requests planned there; those without an OK answer are the rest.
        series: one row a bin: ``t_s`` from the start of steady state to the bin's middle,
            ``median_ms`` and ``worst_ms`` by intended start, ``answered_rps`` by completion,
            ``failed_rps`` by intended start, ``answers`` that the median and the worst are of.
        stages: in the order the answers named them.
        cpu_ms: component -> CPU-ms per OK answer completed in steady state.
        cores: component -> CPU-seconds per second of steady state.
        pss_mb: component -> PSS when the sum was highest.
        gpu_mb: component -> memory it held of the SUT's GPUs when the sum was highest; empty where
            no GPU was read.
        processes / threads: component -> the most at one reading in steady state.
    """

    responses_s: Floats
    planned: int
    bin_s: float
    series: pd.DataFrame
    stages: Mapping[str, StageMeans]
    cpu_ms: Mapping[str, Value]
    cores: Mapping[str, Value]
    pss_mb: Mapping[str, float]
    gpu_mb: Mapping[str, float]
    processes: Mapping[str, int]
    threads: Mapping[str, int]


def picture(subject: Subject) -> Picture:
    """Draw one trial together."""
    trial = subject.trial
    span_s = (trial.phases.end_ns - trial.phases.start_ns) / 1e9
    bin_s = _bin_s(span_s, len(trial.samples) / span_s)
    return Picture(
        subject.responses_s,
        trial.planned,
        bin_s,
        _series(subject, bin_s),
        {str(row.stage): _means(row) for row in trial.stages.itertuples()},
        {name: _per_answer(subject, name) for name in components(trial)},
        {name: _cores(trial, name) for name in components(trial)},
        _at_peak(pss_by_component(trial)),
        _at_peak(memory_by_component(trial)),
        _most(trial, "processes"),
        _most(trial, "threads"),
    )


def _bin_s(span_s: float, rate_rps: float) -> float:
    """The narrowest bin that keeps bins few and their medians steady."""
    few = (w for w in BIN_S if span_s / w <= MOST_BINS)
    return next((w for w in few if rate_rps * w >= PER_BIN or span_s / w <= FEWEST_BINS), BIN_S[-1])


def _series(subject: Subject, bin_s: float) -> pd.DataFrame:
    zero, width = subject.trial.phases.steady_ns, round(bin_s * 1e9)
    intended, ok = subject.column("intended_ns"), subject.ok
    asked = (intended - zero) // width
    answered = (subject.column("received_ns")[ok] - zero) // width
    ends = [*_ends(asked), *_ends(answered)]
    if not ends:
        return pd.DataFrame(columns=SERIES)
    first = min(ends)
    bins = np.arange(first, max(ends) + 1)
    medians, worsts = _responses(asked[ok] - first, _response_ns(subject), len(bins))
    answers = np.bincount(asked[ok] - first, minlength=len(bins))
    columns = (
        (bins + 0.5) * bin_s,
        medians / 1e6,
        worsts / 1e6,
        np.bincount(answered - first, minlength=len(bins)) / bin_s,
        np.bincount(asked[~ok] - first, minlength=len(bins)) / bin_s,
        answers,
    )
    return pd.DataFrame(dict(zip(SERIES, columns, strict=True)))


def _ends(bins: npt.NDArray[np.int64]) -> list[int]:
    return [int(bins.min()), int(bins.max())] if len(bins) else []


def _response_ns(subject: Subject) -> npt.NDArray[np.int64]:
    ok = subject.ok
    response_ns: npt.NDArray[np.int64] = subject.column("received_ns")[ok]
    response_ns -= subject.since[ok]
    return response_ns


def _responses(
    bins: npt.NDArray[np.int64], response_ns: npt.NDArray[np.int64], count: int
) -> tuple[Floats, Floats]:
    """The median and the worst of each bin; NaN in a bin without an answer."""
    if np.any(bins[1:] < bins[:-1]):  # a closed loop's clients overtake each other
        order = np.argsort(bins, kind="stable")
        bins, response_ns = bins[order], response_ns[order]
    medians, worsts = np.full(count, np.nan), np.full(count, np.nan)
    edges = np.searchsorted(bins, np.arange(count + 1))
    for i, (start, end) in enumerate(pairwise(edges)):
        if end > start:
            medians[i] = np.median(response_ns[start:end])
            worsts[i] = response_ns[start:end].max()
    return medians, worsts


def _means(row: Any) -> StageMeans:
    """Of a row of ``reports.requests.STAGE_SUMS``."""
    wall, queue, compute, wait, hop = (
        float(total) / row.answers * 1e3
        for total in (row.wall_s, row.queue_s, row.compute_s, row.wait_s, row.hop_s)
    )
    return StageMeans(wall, queue, compute, wait, hop, row.answers / float(row.batches))


def _per_answer(subject: Subject, component: str) -> Value:
    if subject.answered == 0:
        return Missing("no OK answer in steady state")
    cpu_s = component_cpu_s(subject.trial, component)
    return cpu_s if isinstance(cpu_s, Missing) else cpu_s / subject.answered * 1e3


def _cores(trial: TrialFrames, component: str) -> Value:
    cpu_s = component_cpu_s(trial, component)
    return cpu_s if isinstance(cpu_s, Missing) else cpu_s / trial.steady_s


def _at_peak(held: pd.DataFrame) -> dict[str, float]:
    """Each component's part of the highest sum, in MB."""
    if held.empty:
        return {}
    at_peak = held.fillna(0.0).iloc[int(held.sum(axis=1).to_numpy().argmax())]
    return {str(name): float(value) / 1e6 for name, value in at_peak.items()}


def _most(trial: TrialFrames, column: str) -> dict[str, int]:
    """The most of a column in steady state, by component; nothing where it was not recorded."""
    usage, phases = trial.usage, trial.phases
    if column not in usage:
        return {}
    steady = usage[(usage["t_ns"] >= phases.steady_ns) & (usage["t_ns"] < phases.end_ns)]
    most = steady.groupby("component", sort=False)[column].max().dropna()
    return {name: int(most[name]) for name in components(trial) if name in most}
