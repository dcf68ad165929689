"""What a reader of a verdict must know beside its figures, a line each."""

from collections.abc import Iterator, Sequence

from harness.pairs.record import GateRecord
from harness.record import RunRecord
from reports.gate import comparable, machine
from reports.gate.verdict import MachineCitation, Row

NOT_FRESH = (
    "a running service that nobody restarts carries the luck of its start into every block: "
    "without a fresh start a gate of 5 % cries wolf 7 to 21 % of the time, so a regression is "
    "called inconclusive; give --restart-baseline and --restart-candidate"
)


def notes(
    record: GateRecord,
    runs: tuple[RunRecord, RunRecord] | None,
    rows: Sequence[Row],
    cited: Sequence[MachineCitation],
) -> Iterator[str]:
    """Every note there is reason for."""
    yield from _of_the_design(record)
    if runs is not None:
        yield from comparable.notes(*runs)
    yield from _of_the_pairs(rows)
    yield from _of_the_machine(rows, cited)


def _of_the_design(record: GateRecord) -> Iterator[str]:
    if not all(side.fresh for side in record.sides):
        yield NOT_FRESH
    if record.capacity is None and record.rate_rps is not None:
        yield "nobody knows how near its limit the baseline was: its capacity was not read"
    if record.status in {"interrupted", "failed"}:
        yield f"the gate ended early, after {len(record.counted)} pairs: {record.why_failed}"


def _of_the_pairs(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        if row.gating and row.robust is not None and row.robust.agrees is False:
            yield (
                f"{row.name}: without assuming normal pairs it would be judged otherwise; look at "
                "its pairs, one of them may decide alone"
            )


def _of_the_machine(rows: Sequence[Row], cited: Sequence[MachineCitation]) -> Iterator[str]:
    if not any(citation.gates for citation in cited):
        yield "no A/A gate of this machine is on record: `nox -s aa` makes one"
    by_key = {citation.key: citation for citation in cited}
    for row in rows:
        if row.word == "pass" or row.key not in by_key:
            continue  # a row that passed has shown that its pairs scatter little enough
        if said := machine.unusual(row, by_key[row.key]):
            yield said
