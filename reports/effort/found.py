"""Effort as measured, one estimate a SUT, a deployment and a figure."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.effort.record import EFFORT_FILE, EFFORT_FORMAT, EffortRecord, EffortRow
from reports.estimate import Estimate, over_blocks, within
from reports.frames import NotARun


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that effort is measured by.

    Attributes:
        key: of the row's field.
        scale: what the row's unit is multiplied by, to be shown in ``unit``.
        meaning: how it is measured, in a sentence.
    """

    key: str
    name: str
    unit: str
    scale: float
    meaning: str


FIGURES = (
    Figure("models", "Models", "", 1, "stages that run a model"),
    Figure("processes", "Processes", "", 1, "at rest, everything the deployment started"),
    Figure("ports", "TCP ports", "", 1, "listened on, loopback all of them"),
    Figure("hops", "Hops", "per request", 1, "calls of a stage across a process boundary"),
    Figure(
        "moved_bytes", "Moved", "kB per request", 1e-3,
        "TCP payload its processes sent, the answer included, less their idle chatter; what goes "
        "through shared memory or a Unix socket is not in it",
    ),
    Figure("settings", "Settings", "", 1, "variant options, commands and environment variables"),
    Figure("start_up_s", "Deploy", "s", 1, "first process to last readiness check"),
    Figure("stop_s", "End", "s", 1, "told to end, until nothing is left"),
    Figure(
        "change_s", "Change a model", "s", 1,
        "order to last answer of the model before it; a dash: by deploying anew",
    ),
    Figure("pss_bytes", "PSS", "MB", 1e-6, "of all processes, after the requests"),
    Figure("response_s", "Response", "ms", 1e3, "median, one request at a time, unloaded"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """What a plan's deployments took."""

    record: EffortRecord

    def rows(self, sut: str, deployment: str) -> list[EffortRow]:
        """The repeats of one deployment that could be measured."""
        wanted = (sut, deployment)
        return [
            row
            for row in self.record.rows
            if (row.sut, row.deployment) == wanted and row.error is None
        ]

    def errors(self) -> list[EffortRow]:
        """Deployments that could not be measured."""
        return [row for row in self.record.rows if row.error is not None]

    def figure(self, sut: str, deployment: str, figure: Figure) -> Estimate | None:
        """Mean over repeats with its interval; None where there is nothing to say."""
        values = [getattr(row, figure.key) for row in self.rows(sut, deployment)]
        known = [value * figure.scale for value in values if value is not None]
        return within(over_blocks(known, "linear"), 0, math.inf) if known else None


def is_effort(directory: Path) -> bool:
    """Whether a folder holds effort rather than a run."""
    return (directory / EFFORT_FILE).is_file()


def read_effort(directory: Path) -> Found:
    """Read what was measured.

    Raises:
        NotARun: it is damaged, or newer than this program.
    """
    path = directory / EFFORT_FILE
    try:
        document = json.loads(path.read_text())
        version = document.get("effort_format", EFFORT_FORMAT)
        if version > EFFORT_FORMAT:
            raise NotARun(
                f"{path}: effort_format is {version}, this program reads up to {EFFORT_FORMAT}; "
                "use the version of servebench that made it, or newer"
            )
        return Found(EffortRecord.model_validate(document))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise NotARun(
            f"{path} cannot be read as effort: {error}; it was damaged or edited: measure again"
        ) from error


def growth(found: Found, sut: str, figure: Figure) -> Sequence[Estimate | None]:
    """A figure over the deployments, in the plan's order."""
    return [found.figure(sut, name, figure) for name in found.record.deployments]
