"""A simulated run whose SUTs tell their graphs and answer with versions, events included."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.record import Measure, Phases, PlayedEvent, TrialRecord, write_record
from workloads.sample import SCHEMA

NODES = {
    "tag": {
        "decode": {"kind": "io", "after": [], "answers": False, "detached": False},
        "category": {"kind": "model", "after": ["decode"], "answers": False, "detached": False},
        "colour": {"kind": "model", "after": ["decode"], "answers": True, "detached": False},
    }
}
EVERY = 5


def add_patterns(directory: Path) -> None:
    """Let every trial that was played tell of patterns too."""
    for path in sorted(directory.glob("trials/*/trial.json")):
        record = TrialRecord.model_validate_json(path.read_text())
        if record.phases is None:
            continue
        middle_ns = (record.phases.steady_ns + record.phases.end_ns) // 2
        indices = [
            i for file in path.parent.glob("samples-*.parquet") for i in _keep(file, middle_ns)
        ]
        _scores(path.parent / "scores.parquet", indices)
        write_record(
            path,
            record.model_copy(
                update={
                    "info": {**(record.info or {}), "nodes": NODES},
                    "events": _events(record.phases, middle_ns),
                    "quality": {"tag": {"category": Measure(mean=0.75, n=len(indices))}},
                }
            ),
        )


def _keep(file: Path, middle_ns: int) -> list[int]:
    """Keep every few answers: version 1 by two models, then version 2."""
    table = pq.read_table(file)
    kept = []
    answers: list[bytes | None] = []
    for row in table.select(["index", "received_ns", "status"]).to_pylist():
        keep = row["index"] % EVERY == 0 and row["status"] == 200
        answers.append(_answer(row, middle_ns) if keep else None)
        kept += [row["index"]] if keep else []
    place = SCHEMA.get_field_index("answer")
    table = table.set_column(place, "answer", pa.array(answers, pa.binary()))
    pq.write_table(table.cast(SCHEMA), file)
    return kept


def _answer(row: dict[str, Any], middle_ns: int) -> bytes:
    version = 1 + (row["received_ns"] >= middle_ns)
    model = "small" if row["index"] % 3 else "large"
    return json.dumps({"version": version, "replica": "r1", "model": model}).encode()


def _scores(path: Path, indices: list[int]) -> None:
    scores = [float(index % 4 != 0) for index in indices]
    columns = {"index": indices, "measure": ["category"] * len(indices), "score": scores}
    pq.write_table(pa.table(columns), path)


def _events(phases: Phases, middle_ns: int) -> tuple[PlayedEvent, ...]:
    promoted = PlayedEvent(
        event=0,
        to="sut",
        action="promote",
        body={"model": "<b>large</b>"},
        intended_ns=middle_ns,
        sent_ns=middle_ns,
        received_ns=middle_ns + 3_000_000,
        status=200,
        answer={"version": 2},
    )
    unheard = PlayedEvent(
        event=1,
        to="moderation",
        action="/control",
        intended_ns=phases.end_ns - 1,
        error="nobody answered <there>",
    )
    return promoted, unheard
