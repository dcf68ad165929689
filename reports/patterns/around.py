"""What requests saw while something was done to a SUT, beside what they saw otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.record import PlayedEvent
from reports.estimate import Missing, Value, percentile
from reports.frames import TrialFrames
from reports.requests import STEADY
from reports.subject import Mask

WINDOW_S = 1.0
"""After an event's answer, still counted as its time: replicas follow within it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Requests of a stretch, by intended start.

    Attributes:
        p50_ms / p99_ms / worst_ms: response times of OK answers.
        errors: requests without an OK answer.
    """

    requests: int
    errors: int
    p50_ms: Value
    p99_ms: Value
    worst_ms: Value


@dataclass(frozen=True, slots=True)
class Around:
    """One event and the requests about it.

    Attributes:
        at_s: when it was sent, from the start of the steady state; None if it never was.
        took_s: until it was answered; None if it never was.
        during: requests planned between its send and :data:`WINDOW_S` after its answer.
    """

    event: PlayedEvent
    at_s: float | None
    took_s: float | None
    during: Seen


def around(trial: TrialFrames, events: Sequence[PlayedEvent]) -> tuple[list[Around], Seen]:
    """Each event's requests, and those of the steady state that no event touches."""
    samples = trial.samples
    intended = samples["intended_ns"].to_numpy()
    steady = np.asarray(samples["phase"] == STEADY)
    touched = np.zeros(len(samples), dtype=np.bool_)
    found = []
    for event in events:
        if event.sent_ns is None:
            found.append(Around(event, None, None, seen(trial, touched & False)))
            continue
        end_ns = (event.received_ns or event.sent_ns) + round(WINDOW_S * 1e9)
        mask = (intended >= event.sent_ns) & (intended < end_ns)
        touched |= mask
        took = (event.received_ns - event.sent_ns) / 1e9 if event.received_ns else None
        at_s = (event.sent_ns - trial.phases.steady_ns) / 1e9
        found.append(Around(event, at_s, took, seen(trial, mask)))
    return found, seen(trial, steady & ~touched)


def seen(trial: TrialFrames, mask: Mask) -> Seen:
    """What some of a trial's requests saw."""
    rows = trial.samples[mask]
    ok = rows[rows["ok"]]
    times = (ok["received_ns"] - ok["intended_ns"]).to_numpy() / 1e6
    return Seen(
        len(rows),
        int(len(rows) - len(ok)),
        percentile(times, 0.5),
        percentile(times, 0.99),
        float(times.max()) if len(times) else Missing("no OK answer"),
    )
