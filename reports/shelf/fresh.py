"""Pages and summaries that are missing, made: the one thing here that reads samples."""

from pathlib import Path

from harness.pairs.record import is_gate
from reports.effort.found import is_effort
from reports.effort.page import write_effort
from reports.frames import open_run
from reports.gate.conclude import Shelf
from reports.gate.machine_record import DEFAULT_DIRECTORY
from reports.gate.sequence import judge_again
from reports.gate.write import write_verdict
from reports.page import write_page
from reports.prices import price_sheet
from reports.results import measure_run
from reports.shelf.entry import Entry
from reports.summary import write_summary


def lacking(entry: Entry) -> bool:
    """Whether a page can be made that is missing, or was made before its run had ended."""
    own = entry.kind in {"run", "web session", "effort", "gate"}
    return own and (not entry.page or not entry.answer or bool(entry.doubt))


def make(folder: Path) -> None:
    """Make a folder's page as ``python -m reports`` does.

    Raises:
        NotARun, PriceError, UnmeasuredError, OSError: it cannot be made.
    """
    if is_effort(folder):
        write_effort(folder)
    elif is_gate(folder):
        write_verdict(folder, judge_again(folder, Shelf(DEFAULT_DIRECTORY)))
    else:
        _run(folder)


def _run(folder: Path) -> None:
    prices = price_sheet()
    results = measure_run(open_run(folder), prices)
    write_page(folder / "report.html", results)
    write_summary(folder / "summary.json", results)
