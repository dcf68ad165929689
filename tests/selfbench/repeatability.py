"""The same capacity scenario several times: how far the figures and the ranks move."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.record import CapacityRecord, RunRecord
from tests.selfbench.rows import Row

SCENARIO = Path("scenarios/capacity.toml")


def measure(times: int, suts: tuple[str, ...], out: Path | None = None) -> list[Row]:
    """Run the scenario ``times`` times; one row a SUT: each capacity, their spread, the ranks.

    Args:
        times: runs, one after the other.
        suts: only these of the scenario's; all where empty.
        out: keep the runs here; None throws them away.
    """
    with TemporaryDirectory() as scratch:
        runs = [run_capacity(out or Path(scratch), suts) for _ in range(times)]
    ceilings = [ceiling for ceiling, _ in runs]
    rows: list[Row] = []
    for sut in sorted(runs[0][1]):
        found = [capacities.get(sut) for _, capacities in runs]
        row: Row = {"sut": sut}
        for number, ((ceiling, capacities), rps) in enumerate(zip(runs, found, strict=True), 1):
            row[f"run_{number}_rps"] = rps
            row[f"run_{number}_of_ceiling"] = rps / ceiling if rps else None
            row[f"run_{number}_rank"] = _rank(capacities, sut)
        row["spread"] = _spread(found)
        shares = [row[f"run_{number}_of_ceiling"] for number in range(1, times + 1)]
        row["spread_of_ceiling"] = _spread(shares)
        rows.append(row)
    return [*rows, {"sut": "ceiling", "spread": _spread(ceilings)}]


def run_capacity(out: Path, suts: tuple[str, ...]) -> tuple[float, dict[str, float | None]]:
    """One run: the ceiling's rate, and each SUT's confirmed capacity."""
    chosen = [word for sut in suts for word in ("--sut", sut)]
    words = (sys.executable, "-m", "harness", "run", str(SCENARIO), "--out", str(out), *chosen)
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    directory = Path(done.stdout.splitlines()[-1])
    record = RunRecord.read(directory)
    best = [p for p in record.ceiling if p.block >= 0 and p.batch_size == record.best_batch]
    ceiling_rps = sum(p.images for p in best) / sum(p.wall_s for p in best)
    found: dict[str, list[float]] = {sut.key: [] for sut in record.suts}
    for path in sorted(directory.glob("capacity/*.json")):
        capacity = CapacityRecord.model_validate_json(path.read_text())
        if capacity.capacity_rps is not None:
            found[capacity.sut].append(capacity.capacity_rps)
    means = {sut: sum(rps) / len(rps) if rps else None for sut, rps in found.items()}
    return ceiling_rps, means


def _rank(capacities: dict[str, float | None], sut: str) -> int | None:
    mine = capacities.get(sut)
    if mine is None:
        return None
    return 1 + sum(1 for other in capacities.values() if other is not None and other > mine)


def _spread(values: list[float | None]) -> float | None:
    """Largest over smallest, less 1."""
    known = [value for value in values if value]
    return max(known) / min(known) - 1 if len(known) == len(values) else None
