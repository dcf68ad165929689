"""How often is the gate wrong? ``python -m tests.gate_study PART`` (``nox -s gate_study``).

Nothing here asserts a time. Each part writes what it found under ``--out``, by default
runs/gate_study/, and prints it.
"""

import sys
from pathlib import Path

import click
from rich.console import Console

from tests.gate_study import live, recorded, simulate, table
from tests.gate_study.profiles import PROFILES
from tests.selfbench.rows import Row, save, show

OUT = Path("runs/gate_study")
SEED = 20261122
LIVE_SEED = 1122
"""Of the first gate; those of payloads are below 2 ** 24."""


_out = click.option(
    "--out", type=click.Path(path_type=Path), default=OUT, show_default=True, help="what was found"
)
_seed = click.option("--seed", default=SEED, show_default=True)


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """How often the gate is wrong, by simulation, on recorded gates and live."""
    if context.invoked_subcommand is None:
        context.invoke(simulated)


@main.command("simulate")
@click.option("--gates", default=1000, show_default=True, help="of each profile and truth")
@click.option("--profile", "profiles", multiple=True, type=click.Choice(list(PROFILES)))
@click.option("--processes", default=1, show_default=True)
@_seed
@_out
def simulated(
    gates: int = 1000,
    profiles: tuple[str, ...] = (),
    processes: int = 1,
    seed: int = SEED,
    out: Path = OUT,
) -> None:
    """Simulated machines: a quarter of an hour of one core for the whole table."""
    wanted = profiles or tuple(PROFILES)
    spreads = [simulate.run_spread(PROFILES[name]) for name in wanted]
    _tell(out / "profiles.json", "How far equal blocks lie apart", spreads)
    rows = []
    for row in simulate.simulate(wanted, simulate.TRUTHS, gates, seed, processes):
        rows.append(row)
        save(out / "simulated.json", _SIMULATED, rows)
    _tell(out / "simulated.json", _SIMULATED, rows)


@main.command("recorded")
@click.argument("gates", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--draws", default=1000, show_default=True, help="of labels, for each truth")
@_seed
@_out
def from_record(gates: tuple[Path, ...], draws: int, seed: int, out: Path) -> None:
    """Recorded GATES of equal sides: labels swapped at random, slowdowns injected."""
    rows = recorded.resample(gates, draws, seed)
    _tell(out / "recorded.json", "Recorded blocks, labels swapped", rows)


@main.command("live")
@click.option("--minutes", default=55.0, show_default=True, help="no gate begins after these")
@click.option("--only", multiple=True, help="only gates of these names")
@click.option("--seed", default=LIVE_SEED, show_default=True)
@_out
def run_live(minutes: float, only: tuple[str, ...], seed: int, out: Path) -> None:
    """Real gates, one after the other, on an otherwise idle machine; those kept are not redone."""
    for line in live.run(out, minutes, only, seed):
        print(line, flush=True)
    print(table.live(out / live.KEPT))


@main.command("table")
@_out
def tables(out: Path) -> None:
    """What stands in the documents, made from what was found."""
    print(table.document(out))


_SIMULATED = "Simulated gates"


def _tell(path: Path, title: str, rows: list[Row]) -> None:
    save(path, title, rows)
    show(title, rows, Console(width=None if sys.stdout.isatty() else 200))


if __name__ == "__main__":
    main()
