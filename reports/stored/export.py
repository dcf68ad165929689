"""The history as CSV, with a configuration that Apache Otava takes as it is.

Change points in a long series are a solved problem, and not ours: Otava (E-divisive with a t test)
reads these files. It takes no gap, so a metric that not every run carries has a file of its own.
"""

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from harness.durable import write_durably
from reports.gate.metrics import GateMetric
from reports.stored.history import Course, Point, courses
from reports.stored.store import Store, StoreError

CONFIG = "otava.yaml"
COLUMNS = ("time", "revision", "run")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        files: CSV files.
        runs: stored runs in them, all comparable with the newest.
        left_out: stored runs that are not.
    """

    directory: Path
    files: tuple[Path, ...]
    runs: int
    left_out: int


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One file: metrics of one series that the same runs carry."""

    name: str
    metrics: tuple[GateMetric, ...]
    columns: tuple[tuple[Point, ...], ...]


def export(store: Store, out: Path) -> Exported:
    """Write a CSV for each SUT and load step, and ``otava.yaml`` beside them.

    Runs that are refused beside the newest one are left out: a change of machine or workload would
    be found as a change point. Runs on another kernel or host stay in.

    Raises:
        StoreError: the store is empty, or the folder cannot be written.
    """
    if not store.runs:
        raise StoreError(f"{store.directory} holds no run that can be read; add one first")
    runs = [r for r in store.runs if r.must_agree == store.runs[-1].must_agree]
    sheets = _sheets(courses(runs))
    try:
        out.mkdir(parents=True, exist_ok=True)
        for sheet in sheets:
            write_durably(out / f"{sheet.name}.csv", _text(sheet))
        write_durably(out / CONFIG, _config(sheets))
    except OSError as error:
        raise StoreError(f"{out} cannot be written: {error.strerror}") from error
    files = tuple(out / f"{sheet.name}.csv" for sheet in sheets)
    return Exported(out, files, len(runs), len(store.runs) - len(runs))


def _sheets(found: Sequence[Course]) -> list[_Sheet]:
    sheets = []
    for place in dict.fromkeys((course.sut, course.step) for course in found):
        mine = [course for course in found if (course.sut, course.step) == place]
        whole = [c for c in mine if len(_known(c)) == len(c.points)]
        name = re.sub(r"[^a-z0-9]+", "-", " ".join(place).lower()).strip("-")
        if whole:
            sheets.append(_sheet(name, whole))
        sheets += [_sheet(f"{name}-{c.metric.key}", [c]) for c in mine if c not in whole]
    return sheets


def _sheet(name: str, found: Sequence[Course]) -> _Sheet:
    return _Sheet(name, tuple(c.metric for c in found), tuple(_known(c) for c in found))


def _known(course: Course) -> tuple[Point, ...]:
    return tuple(point for point in course.points if point.figure.value is not None)


def _text(sheet: _Sheet) -> str:
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow([*COLUMNS, *(metric.key for metric in sheet.metrics)])
    for points in zip(*sheet.columns, strict=True):
        run = points[0].run
        writer.writerow(
            [run.created.isoformat(), run.revision, run.run_id]
            + [f"{point.figure.value:.6g}" for point in points]
        )
    return written.getvalue()


def _config(sheets: Sequence[_Sheet]) -> str:
    """YAML; every value is written as JSON, which YAML holds too."""
    lines = ["# Run Otava in this folder: otava analyze --config-file otava.yaml TEST", "tests:"]
    for sheet in sheets:
        lines += [
            f"  {json.dumps(sheet.name)}:",
            "    type: csv",
            f"    file: {json.dumps(sheet.name + '.csv')}",
            "    time_column: time",
            "    attributes: [revision, run]",
            "    metrics:",
        ]
        for metric in sheet.metrics:
            direction = 1 if metric.better == "higher" else -1
            lines.append(f"      {metric.key}: {{column: {metric.key}, direction: {direction}}}")
    return "\n".join([*lines, ""])
