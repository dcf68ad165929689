# ruff: noqa: INP001, T201 - a script beside the page it supports
"""Which stage should a free executor run next? The simulation behind 0003-late-batches.md.

``python docs/decisions/0003_batch_order.py``, half a minute, no dependency but NumPy.
"""

import heapq
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate, count, takewhile

import numpy as np

# CPU milliseconds of a batch of n: fixed + each * n. Tiny tier, one core, measured 2026-11-22.
COST_MS: Mapping[str, tuple[float, float]] = {
    "decode": (0.27, 1.64),
    "detect": (1.80, 0.59),
    "crop": (0.14, 0.44),
    "classify_residual": (1.81, 0.79),
    "classify_depthwise": (2.05, 0.56),
    "classify_hybrid": (2.21, 0.72),
    "keypoints": (2.61, 1.24),
    "caption": (1.49, 0.12),
    "postprocess": (0.09, 0.03),
}
CROPPED = ("classify_residual", "classify_depthwise", "classify_hybrid", "keypoints")
NEEDS: Mapping[str, tuple[str, ...]] = {
    "decode": (),
    "detect": ("decode",),
    "crop": ("detect",),
    **dict.fromkeys(CROPPED, ("crop",)),
    "caption": CROPPED,
    "postprocess": ("caption",),
}
ORDER = {stage: place for place, stage in enumerate(COST_MS)}
HANDOFF_MS, MAX_BATCH, QUEUE_BOUND, SPAN_MS = 0.15, 16, 64, 60_000.0
CEILING_RPS = 1000 / sum(fixed / MAX_BATCH + each for fixed, each in COST_MS.values())

Waiting = dict[str, list[tuple[float, int]]]


def oldest(waiting: Waiting) -> str:
    """The stage whose head was admitted first."""
    return min((s for s in waiting if waiting[s]), key=lambda s: (waiting[s][0], ORDER[s]))


def merging(waiting: Waiting) -> str:
    """As ``oldest``, but a larger group further up may catch up with it first."""
    first = oldest(waiting)
    size = len(waiting[first])
    above = [s for s in waiting if ORDER[s] < ORDER[first] and len(waiting[s]) > size]
    return max(above, key=ORDER.__getitem__) if above and size < MAX_BATCH else first


def upstream(waiting: Waiting) -> str:
    """A full batch if there is one, else the stage furthest up: all catch up with all."""
    full = [s for s in waiting if len(waiting[s]) >= MAX_BATCH]
    if full:
        return max(full, key=ORDER.__getitem__)
    return min((s for s in waiting if waiting[s]), key=ORDER.__getitem__)


@dataclass
class Executor:
    """One thread behind the queues of all stages, on a clock of its own."""

    choose: Callable[[Waiting], str]
    now_ms: float = 0.0
    waiting: Waiting = field(default_factory=lambda: {stage: [] for stage in COST_MS})
    done: dict[int, set[str]] = field(default_factory=dict)

    def admit(self, request: int, at_ms: float) -> None:
        """Let a request in at its first stage."""
        self.done[request] = set()
        self.waiting["decode"].append((at_ms, request))

    def run_one(self) -> Iterator[tuple[int, float]]:
        """Run one batch; each request it finished, and when that one was admitted."""
        stage = self.choose(self.waiting)
        members = self.waiting[stage][:MAX_BATCH]
        del self.waiting[stage][:MAX_BATCH]
        fixed, each = COST_MS[stage]
        self.now_ms += fixed + each * len(members) + HANDOFF_MS
        for at_ms, request in members:
            self.done[request].add(stage)
            if stage == "postprocess":
                del self.done[request]
                yield request, at_ms
                continue
            for reader, needs in NEEDS.items():
                if stage in needs and self.done[request].issuperset(needs):
                    self.waiting[reader].append((at_ms, request))
                    self.waiting[reader].sort()


def _poisson(load: float, draw: random.Random) -> list[float]:
    gaps = (draw.expovariate(load * CEILING_RPS / 1000) for _ in count())
    return list(takewhile(lambda at_ms: at_ms < SPAN_MS, accumulate(gaps)))


def simulate(choose: Callable[[Waiting], str], load: float, *, closed: bool) -> str:
    """Play a minute of load: a fraction of the ceiling (open), or a concurrency (closed)."""
    draw = random.Random(1)
    executor = Executor(choose)
    arrivals = [draw.random() for _ in range(round(load))] if closed else _poisson(load, draw)
    heapq.heapify(arrivals)
    responses: list[float] = []
    request = 0
    while executor.now_ms < SPAN_MS and (arrivals or executor.done):
        if not executor.done:
            executor.now_ms = max(executor.now_ms, arrivals[0])
        while arrivals and arrivals[0] <= executor.now_ms:
            at_ms = heapq.heappop(arrivals)
            if len(executor.done) < QUEUE_BOUND:
                executor.admit(request, at_ms)
                request += 1
        for _, at_ms in executor.run_one() if executor.done else ():
            responses.append(executor.now_ms - at_ms)
            if closed:
                heapq.heappush(arrivals, executor.now_ms + draw.uniform(0.1, 0.4))
    achieved = len(responses) / SPAN_MS * 1000 / CEILING_RPS
    p50, p95 = np.percentile(responses, [50, 95])
    return f"{achieved:4.2f} of the ceiling, p50 {p50:3.0f} ms, p95 {p95:3.0f} ms"


def main() -> None:
    """Print one line a load and an order."""
    loads = [(0.2, False), (0.5, False), (0.8, False), (0.95, False), (1.1, False)]
    loads += [(4, True), (16, True), (32, True)]
    for load, closed in loads:
        for choose in (oldest, merging, upstream):
            law = f"closed, {load:.0f} at once" if closed else f"open at {load:.2f}"
            print(f"{law:20} {choose.__name__:9} {simulate(choose, load, closed=closed)}")


if __name__ == "__main__":
    main()
