"""A run's figures as they are stored: one file, readable on its own, small enough to commit."""

import datetime as dt
from functools import cached_property
from hashlib import sha256
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from harness.record import Record

STORED_FORMAT = 1
"""History of the format.

1  2026-11: first.
"""

NOT_RECORDED = "not recorded"
CAPPING = ("kernel", "host", "governor", "memory_gib")
"""Of the description: where they differ, the machine may have changed, or may not."""


def _instant(text: str) -> str:
    if dt.datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("has no time zone")
    return text


Instant = Annotated[str, AfterValidator(_instant)]
Share = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class StoredFigure(Record):
    """One metric of one SUT at one load step.

    Attributes:
        metric: key of a ``GateMetric``.
        value: over the trusted blocks, in the metric's unit: geometric mean, or the pooled share of
            requests; None where there is none, and ``why`` says why.
        n: trusted blocks.
        requests: of a share: planned requests of those blocks; 0 otherwise.
    """

    model_config = ConfigDict(strict=True)

    metric: str
    value: Share | None
    n: int
    why: str = ""
    requests: int = 0


class StoredSeries(Record):
    """One SUT at one load step.

    Attributes:
        step: in words, ``40 rps``; with the SUT it names a series.
        blocks: that were scheduled; ``trusted``: that could be trusted.
    """

    model_config = ConfigDict(strict=True)

    sut: str
    step: str
    blocks: int
    trusted: int
    figures: tuple[StoredFigure, ...]

    def figure(self, metric: str) -> StoredFigure | None:
        """A metric's figure; None where it was not stored."""
        return next((figure for figure in self.figures if figure.metric == metric), None)


class StoredRun(Record):
    """A run, as far as later ones are held against it.

    Attributes:
        name: of its scenario.
        version: of servebench.
        revision: of the source that was run, ``changed_files`` files of it changed since.
        fingerprint / description: as ``harness.environment`` read them.
        workload: what was asked, by key (``reports.stored.workload``).
        backends: part -> its kind.
        weights_digest: of the ensemble.
        device: that the ensemble ran on.
    """

    model_config = ConfigDict(strict=True)

    stored_format: int = STORED_FORMAT
    run_id: str
    created_utc: Instant
    name: str
    version: str
    revision: str
    changed_files: int = 0
    fingerprint: dict[str, str]
    description: dict[str, str]
    workload: dict[str, str]
    backends: dict[str, str]
    weights_digest: str
    device: str
    series: tuple[StoredSeries, ...]

    @property
    def created(self) -> dt.datetime:
        """When it began."""
        return dt.datetime.fromisoformat(self.created_utc)

    @cached_property
    def digest(self) -> str:
        """What tells it from every other run, however often and by whom it is stored."""
        parts = [self.run_id, self.created_utc, *map(str, sorted(self.fingerprint.items()))]
        return sha256("\n".join(parts).encode()).hexdigest()[:12]

    @cached_property
    def must_agree(self) -> dict[str, str]:
        """By key what two runs must have in common, or they are not comparable."""
        return {
            **self.fingerprint,
            **({"gpu": self.described("gpu")} if self.device != "cpu" else {}),
            "threads_a_core": self.described("threads_a_core"),
            "servebench": self.version,
            "weights_digest": self.weights_digest,
            **{f"backends.{part}": kind for part, kind in self.backends.items()},
            **self.workload,
        }

    @cached_property
    def should_agree(self) -> dict[str, str]:
        """By key what caps a verdict at inconclusive where it differs."""
        return {key: self.described(key) for key in CAPPING}

    def described(self, key: str) -> str:
        """A part of the description."""
        return self.description.get(key, NOT_RECORDED)

    def at(self, sut: str, step: str) -> StoredSeries | None:
        """One of its series; None where it has no such one."""
        return next((s for s in self.series if (s.sut, s.step) == (sut, step)), None)

    def figure(self, sut: str, step: str, metric: str) -> StoredFigure | None:
        """One of its figures; None where it has no such one."""
        series = self.at(sut, step)
        return series.figure(metric) if series else None
