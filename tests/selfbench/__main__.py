"""Our instrument, measured: ``python -m tests.selfbench [PART]...`` (``nox -s selfbench``).

Nothing here asserts a time: machines differ. Each part prints a table and writes it, as JSON and
as Markdown, under runs/selfbench/. Run it on an otherwise idle machine.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console

from harness.environment import assign_cores
from tests.selfbench import (
    generator,
    page,
    reading,
    recording,
    referee,
    referee_capacity,
    repeatability,
    self_cost,
)
from tests.selfbench.native import ToolMissingError
from tests.selfbench.rows import Row, save, show

OUT = Path("runs/selfbench")
ROUNDS = 5
SECONDS = 8.0

PARTS: dict[str, tuple[str, Callable[[int, float], list[Row]]]] = {
    "generator": (
        "The generator: CPU a request and schedule lag, 50 KB bodies",
        lambda rounds, seconds: generator.measure(
            assign_cores(1).harness[0], assign_cores(1).sut[0], rounds, seconds
        ),
    ),
    "referee": (
        "MLPerf LoadGen at the same rate",
        lambda rounds, seconds: referee.equal_rate(assign_cores(1), rounds, 2 * seconds),
    ),
    "referee-capacity": (
        "MLPerf LoadGen's capacity and ours",
        lambda rounds, _: referee_capacity.capacity(assign_cores(1), min(rounds, 3)),
    ),
    "self-cost": (
        "What reading usage costs the SUT",
        lambda rounds, seconds: self_cost.measure(assign_cores(1), rounds, seconds),
    ),
    "recording": ("Writing ten million samples", lambda *_: recording.measure()),
    "reading": ("Reading and summarising ten million samples", lambda *_: reading.measure()),
    "page": (
        "A report of a million samples in a browser, until it can be used",
        lambda rounds, _: page.measure(rounds),
    ),
    "repeatability": (
        "The same capacity scenario three times",
        lambda *_: repeatability.measure(3, (), Path("runs")),
    ),
}


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--rounds", default=ROUNDS, show_default=True)
@click.option("--seconds", default=SECONDS, show_default=True, help="of load in each turn")
def main(parts: tuple[str, ...], rounds: int, seconds: float) -> None:
    """Measure PARTS, or all of them (about an hour)."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    for part in parts or tuple(PARTS):
        title, measure = PARTS[part]
        try:
            rows = measure(rounds, seconds)
        except ToolMissingError as missing:
            console.print(f"{part}: not measured: {missing}")
            continue
        show(title, rows, console)
        save(OUT / f"{part}.json", title, rows)


if __name__ == "__main__":
    main()
