"""What can be exported of what: a row a kind, its sheets by name and its whole documents."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from harness.effort.record import EFFORT_FILE
from harness.pairs.record import is_gate
from reports.effort.found import is_effort, read_effort
from reports.export import others, run_sheets
from reports.export.markdown import run_markdown
from reports.export.samples import samples
from reports.export.sheet import Sheet
from reports.export.source import read_source
from reports.gate.markdown import markdown as gate_markdown

Sheets: TypeAlias = Mapping[str, Callable[[], Sheet]]


@dataclass(frozen=True, slots=True)
class Exportable:
    """What one folder has to give.

    Attributes:
        noun: what it is, in words.
        sheets: by name, the first being meant where none is named.
        whole: all of it as one JSON document.
        markdown: None where there is none.
        streamed: sheets that may not fit into memory.
    """

    noun: str
    sheets: Sheets
    whole: Callable[[], Any]
    markdown: Callable[[], str] | None = None
    streamed: frozenset[str] = frozenset()


def exportable(folder: Path) -> Exportable:
    """What a folder has to give.

    Raises:
        NotARun, ExportError: it cannot be read.
    """
    if is_effort(folder):
        return _effort(folder)
    if is_gate(folder):
        return _gate(folder)
    source = read_source(folder)
    return Exportable(
        "a run",
        {
            "estimates": partial(run_sheets.estimates, source),
            "trials": partial(run_sheets.trials, source),
            "comparisons": partial(run_sheets.comparisons, source),
            "samples": partial(samples, source),
        },
        lambda: source.summary,
        lambda: run_markdown(source),
        frozenset({"samples"}),
    )


def _effort(folder: Path) -> Exportable:
    found = read_effort(folder)
    return Exportable(
        "an effort record",
        {
            "estimates": partial(others.effort_estimates, found),
            "deployments": partial(others.deployments, found),
        },
        lambda: json.loads((folder / EFFORT_FILE).read_bytes()),
    )


def _gate(folder: Path) -> Exportable:
    verdict = others.read_verdict(folder)
    return Exportable(
        "a gate",
        {
            "rulings": partial(others.rulings, verdict),
            "pairs": partial(others.pairs, verdict),
        },
        lambda: verdict.model_dump(mode="json"),
        lambda: gate_markdown(verdict),
    )


WHATS = ("estimates", "trials", "comparisons", "samples", "deployments", "rulings", "pairs")
"""Every sheet's name, of whatever kind."""
