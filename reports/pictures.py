"""What a trial leaves for the charts once its samples are put away: small, and true at the tail."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reports.estimate import Floats, Missing, Value
from reports.frames import STEADY, TrialFrames
from reports.usage import component_cpu_s, components, pss_by_component

BIN_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0)
MOST_BINS = 120
FEWEST_BINS = 20
PER_BIN = 20


@dataclass(frozen=True, slots=True)
class StageMeans:
    """Means over one trial's OK answers in steady state, milliseconds.

    Attributes:
        wall_ms: from the call to the result, as the caller saw it: queue + compute + hop.
        compute_ms: run time of the whole batch, for which each of its members waits.
        batch_size: answers / batches they ran in.
    """

    wall_ms: float
    queue_ms: float
    compute_ms: float
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
            ``failed_rps`` by intended start.
        stages: in the order the answers named them.
        cpu_ms: component -> CPU-ms per OK answer completed in steady state.
        pss_mb: component -> PSS when the sum was highest.
    """

    responses_s: Floats
    planned: int
    bin_s: float
    series: pd.DataFrame
    stages: Mapping[str, StageMeans]
    cpu_ms: Mapping[str, Value]
    pss_mb: Mapping[str, float]


def picture(trial: TrialFrames, answered: int) -> Picture:
    """Draw one trial together; ``answered`` is its OK answers completed in steady state."""
    samples = trial.samples
    counted = samples[(samples["phase"] == STEADY) & samples["ok"]]
    span_s = (trial.phases.end_ns - trial.phases.start_ns) / 1e9
    bin_s = _bin_s(span_s, len(samples) / span_s)
    return Picture(
        np.sort(counted["response_s"].to_numpy()),
        trial.planned,
        bin_s,
        _series(trial, bin_s),
        _stages(trial.stages),
        {name: _per_answer(trial, name, answered) for name in components(trial)},
        _pss_at_peak(trial),
    )


def _bin_s(span_s: float, rate_rps: float) -> float:
    """The narrowest bin that keeps bins few and their medians steady."""
    few = (w for w in BIN_S if span_s / w <= MOST_BINS)
    return next((w for w in few if rate_rps * w >= PER_BIN or span_s / w <= FEWEST_BINS), BIN_S[-1])


def _series(trial: TrialFrames, bin_s: float) -> pd.DataFrame:
    samples, zero = trial.samples, trial.phases.steady_ns
    ok = samples[samples["ok"]]
    width = round(bin_s * 1e9)
    asked = (samples["intended_ns"] - zero) // width
    answered = ((ok["received_ns"] - zero) // width).value_counts()
    responses = ok["response_s"].groupby(asked[ok.index])
    columns = {
        "median_ms": responses.median() * 1e3,
        "worst_ms": responses.max() * 1e3,
        "answered_rps": answered / bin_s,
        "failed_rps": asked[~samples["ok"]].value_counts() / bin_s,
    }
    series = pd.DataFrame(columns).sort_index()
    if not series.empty:
        series = series.reindex(np.arange(series.index[0], series.index[-1] + 1))
    series[["answered_rps", "failed_rps"]] = series[["answered_rps", "failed_rps"]].fillna(0.0)
    series.insert(0, "t_s", (series.index.to_numpy(dtype=np.float64) + 0.5) * bin_s)
    return series.reset_index(drop=True)


def _stages(stages: pd.DataFrame) -> dict[str, StageMeans]:
    found = {}
    for name, rows in stages.groupby("stage", sort=False, observed=True):
        wall, queue, compute, hop = (
            float(rows[column].mean()) * 1e3
            for column in ("wall_s", "queue_s", "compute_s", "hop_s")
        )
        batches = float((1 / rows["batch_size"]).sum())
        found[str(name)] = StageMeans(wall, queue, compute, hop, len(rows) / batches)
    return found


def _per_answer(trial: TrialFrames, component: str, answered: int) -> Value:
    if answered == 0:
        return Missing("no OK answer in steady state")
    cpu_s = component_cpu_s(trial, component)
    return cpu_s if isinstance(cpu_s, Missing) else cpu_s / answered * 1e3


def _pss_at_peak(trial: TrialFrames) -> dict[str, float]:
    pss = pss_by_component(trial)
    if pss.empty:
        return {}
    at_peak = pss.fillna(0.0).iloc[int(pss.sum(axis=1).to_numpy().argmax())]
    return {str(name): float(value) / 1e6 for name, value in at_peak.items()}
