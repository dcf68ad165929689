"""The steady state parted by what was done in it: each part's requests and what they cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from harness.record import PlayedEvent
from reports.estimate import Missing, Value
from reports.frames import TrialFrames
from reports.patterns.around import Seen, seen
from reports.usage import cpu_s_between
from workloads.plan import LoadPlan


@dataclass(frozen=True, slots=True)
class Segment:
    """From one event's answer to the next one's send.

    Attributes:
        after: the event that it follows, in words.
        from_s / to_s: from the start of the steady state.
        cpu_ms: of all components, per OK answer.
        scores: measure -> mean over its scored answers.
    """

    after: str
    from_s: float
    to_s: float
    seen: Seen
    cpu_ms: Value
    scores: Mapping[str, float]


def segments(
    trial: TrialFrames, events: Sequence[PlayedEvent], plan: LoadPlan, scores: Path
) -> list[Segment]:
    """Every part of the steady state in which nothing was being done; none without events."""
    played = sorted((e for e in events if e.sent_ns is not None), key=lambda e: e.sent_ns or 0)
    if not played:
        return []
    phases = trial.phases
    scored = _scored(scores, plan, phases.start_ns)
    edges = [("the start", phases.steady_ns)]
    edges += [(_name(event), event.received_ns or event.sent_ns or 0) for event in played]
    ends = [*(event.sent_ns or 0 for event in played), phases.end_ns]
    found = []
    for (after, start_ns), end_ns in zip(edges, ends, strict=True):
        begin_ns, stop_ns = max(start_ns, phases.steady_ns), min(end_ns, phases.end_ns)
        if begin_ns < stop_ns:
            found.append(_segment(trial, after, begin_ns, stop_ns, scored))
    return found


def _name(event: PlayedEvent) -> str:
    return f"{event.action} ends" if event.ends else event.action


def _scored(path: Path, plan: LoadPlan, start_ns: int) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame({"intended_ns": [], "measure": [], "score": []})
    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    return frame.assign(intended_ns=start_ns + plan.offsets_ns[frame["index"].to_numpy()])


def _segment(
    trial: TrialFrames, after: str, start_ns: int, end_ns: int, scored: pd.DataFrame
) -> Segment:
    intended = trial.samples["intended_ns"].to_numpy()
    requests = seen(trial, (intended >= start_ns) & (intended < end_ns))
    spent = cpu_s_between(trial, start_ns, end_ns)
    answers = requests.requests - requests.errors
    at = scored["intended_ns"].to_numpy()
    means = scored[np.asarray((at >= start_ns) & (at < end_ns))].groupby("measure")["score"].mean()
    zero_ns = trial.phases.steady_ns
    return Segment(
        after,
        (start_ns - zero_ns) / 1e9,
        (end_ns - zero_ns) / 1e9,
        requests,
        _per_answer_ms(spent, answers),
        {str(measure): float(mean) for measure, mean in means.items()},
    )


def _per_answer_ms(spent: Value, answers: int) -> Value:
    if isinstance(spent, Missing):
        return spent
    return spent / answers * 1e3 if answers else Missing("no OK answer")
