"""A machine's A/A gates are kept, whatever befalls the file, and cited as they were."""

import fcntl
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import beta

from harness.pairs.record import PairRecord, SideRecord
from reports.gate import machine_record
from reports.gate.machine import (
    LEAST_GATES,
    MOST_SPREAD,
    MachineRecordError,
    cite,
    record,
    summary,
    unusual,
)
from reports.gate.machine_record import MachineHistory, file_of, read_history
from reports.gate.metrics import BY_KEY
from reports.gate.power import detectable
from reports.gate.verdict import Look, MachineCitation, Row, Verdict

HERE = {
    "machine": "x86_64",
    "cpu_model": "A Processor",
    "machine_cores": "4",
    "cgroup_limits": "none",
    "sut_cores": "1",
    "torch": "2.13.0",
}
LEVEL = 0.017
SPREAD = {"cpu_ms": 0.02, "response_p95_ms": 0.08, "error_share": 0.001}


def row(key: str, spread: float | None, word: Any = "pass", **changes: Any) -> Row:
    metric = BY_KEY[key]
    fields: dict[str, Any] = {
        "key": key,
        "name": metric.name,
        "unit": metric.unit,
        "better": metric.better,
        "kind": metric.kind,
        "gating": metric.gating,
        "margin": metric.margin,
        "pairs": (),
        "n": 8,
        "spread": spread,
        "word": word,
        "says": "",
    }
    return Row(**fields | changes)


def verdict(number: int, spreads: Mapping[str, float] = SPREAD, **changes: Any) -> Verdict:
    sut = changes.pop("sut", "monolith:default")
    words = changes.pop("words_of", {})
    sides = tuple(
        SideRecord(name=name, kind="working tree", label="it", sut=sut, scenario="x.toml")
        for name in ("baseline", "candidate")
    )
    regressed = "regression" in words.values()
    fields: dict[str, Any] = {
        "gate_id": f"gate-{number}",
        "created_utc": "2026-11-22T22:00:00+00:00",
        "version": "0.1.0",
        "name": "one",
        "kind": "aa",
        "outcome": "regression" if regressed else "pass",
        "exit_code": 0,
        "inconclusive": "fail",
        "words": "",
        "sides": sides,
        "rate_rps": 50.0,
        "error": 0.05,
        "family": 1,
        "planned_looks": (6, 8),
        "nominal": LEVEL,
        "looks": (Look(pairs=8, outcome="pass", words={}),),
        "rows": tuple(row(key, spread, words.get(key, "pass")) for key, spread in spreads.items()),
        "pairs": tuple(
            PairRecord(block=i, first="baseline", wall_s=1.0, contaminated=("x",) if i > 7 else ())
            for i in range(9)
        ),
        "fingerprint": HERE,
    }
    return Verdict(**fields | changes)


def test_a_gate_on_record_reads_as_it_was(tmp_path: Path) -> None:
    path = record(verdict(1, words_of={"cpu_ms": "regression"}), tmp_path / "new" / "folder")
    assert path == file_of(tmp_path / "new" / "folder", HERE)
    (gate,) = read_history(path.parent, HERE).gates
    assert (gate.sut, gate.name, gate.version) == ("monolith:default", "one", "0.1.0")
    assert (gate.rate_rps, gate.pairs, gate.outcome, gate.false_alarm) == (
        50.0,
        8,
        "regression",
        True,
    )
    assert {key: metric.spread for key, metric in gate.metrics.items()} == SPREAD
    assert gate.metrics["error_share"].kind == "difference"
    assert "torch" not in gate.machine


@pytest.mark.parametrize("key", [key for key in HERE if key != "torch"])
def test_each_machine_has_a_file_of_its_own_and_software_makes_no_other(
    key: str, tmp_path: Path
) -> None:
    other = HERE | {key: "another"}
    record(verdict(1), tmp_path)
    record(verdict(2, fingerprint=other), tmp_path)
    record(verdict(3, fingerprint=HERE | {"torch": "3.0"}), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert [gate.gate_id for gate in read_history(tmp_path, HERE).gates] == ["gate-1", "gate-3"]
    assert [gate.gate_id for gate in read_history(tmp_path, other).gates] == ["gate-2"]


def test_a_gate_is_on_record_once(tmp_path: Path) -> None:
    path = record(verdict(1), tmp_path)
    assert path is not None
    before = path.read_bytes()
    assert record(verdict(1), tmp_path) == path
    assert path.read_bytes() == before


def test_a_record_that_was_joined_with_its_copy_counts_no_gate_twice(
    tmp_path: Path,
) -> None:
    path = record(verdict(1), tmp_path)
    assert path is not None
    path.write_bytes(path.read_bytes() * 2)
    assert len(read_history(tmp_path, HERE).gates) == 1


def test_nobody_writes_between_another_gates_look_and_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = record(verdict(1), tmp_path)
    assert path is not None
    tried = []

    def read(directory: Path, fingerprint: Mapping[str, str]) -> MachineHistory:
        with path.open("rb") as file, pytest.raises(BlockingIOError):
            tried.append(fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB))
        tried.append(None)
        return read_history(directory, fingerprint)

    monkeypatch.setattr(machine_record, "read_history", read)
    record(verdict(2), tmp_path)
    assert tried == [None]
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_gates_that_end_at_once_lose_no_line(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: record(verdict(i % 12), tmp_path), range(24)))
    history = read_history(tmp_path, HERE)
    assert sorted(gate.gate_id for gate in history.gates) == sorted(f"gate-{i}" for i in range(12))
    assert history.skipped == ()


@pytest.mark.parametrize("kept", [1, 40, 300])
def test_a_torn_last_line_is_skipped_in_words_and_the_next_gate_is_kept(
    tmp_path: Path, kept: int
) -> None:
    record(verdict(1), tmp_path)
    path = record(verdict(2), tmp_path)
    assert path is not None
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:kept])
    torn = read_history(tmp_path, HERE)
    assert [gate.gate_id for gate in torn.gates] == ["gate-1"]
    (said,) = torn.skipped
    assert f"{path} line 2: it was torn" in said
    assert summary(tmp_path, HERE).skipped == torn.skipped
    record(verdict(3), tmp_path)
    assert [gate.gate_id for gate in read_history(tmp_path, HERE).gates] == ["gate-1", "gate-3"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"machine_format": 2, "gate_id": "x"}\n', "machine_format is 2"),
        (b'{"gate_id": "x", "surprise": 1}\n', "no A/A gate"),
        (b"\xff\xfe{\n", "damaged"),
        (b"[1]\n", "damaged"),
    ],
)
def test_a_line_that_is_no_gate_is_skipped_in_words(tmp_path: Path, line: bytes, says: str) -> None:
    path = record(verdict(1), tmp_path)
    assert path is not None
    path.write_bytes(line + path.read_bytes())
    history = read_history(tmp_path, HERE)
    assert len(history.gates) == 1
    assert says in history.skipped[0]


def test_only_what_an_aa_gate_showed_is_kept(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="its regressions may be real"):
        record(verdict(1, kind="gate"), tmp_path)
    assert record(verdict(2, looks=()), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_an_unfit_gate_is_counted_apart(tmp_path: Path) -> None:
    record(verdict(1, outcome="unfit", looks=(), unfit=("too many pairs",)), tmp_path)
    assert summary(tmp_path, HERE).words == "no A/A gate on record came to a verdict (1 unfit)"
    assert cite(tmp_path, HERE, "monolith:default", ["cpu_ms"], 8, LEVEL) == ()
    record(verdict(2), tmp_path)
    found = summary(tmp_path, HERE)
    assert (found.gates, found.unfit, found.passed) == (1, 1, 1)


def test_a_folder_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineRecordError, match="name another folder with --machine"):
        record(verdict(1), tmp_path / "file")


def test_a_citation_is_the_median_of_the_suts_own_gates(tmp_path: Path) -> None:
    for number, spread in enumerate((0.02, 0.05, 0.03)):
        record(verdict(number, {"cpu_ms": spread}), tmp_path)
    alarmed = {"cpu_ms": "regression"}
    record(verdict(3, {"cpu_ms": 0.5}, sut="null_service:floor", words_of=alarmed), tmp_path)
    (own,) = cite(tmp_path, HERE, "monolith:default", ["cpu_ms", "start_up_s"], 8, LEVEL)
    assert (own.gates, own.false_alarms, own.spread) == (3, 0, 0.03)
    assert own.detectable == detectable(8, 0.03, LEVEL, scale="ratio")
    (other,) = cite(tmp_path, HERE, "ray_serve:default", ["cpu_ms"], 8, LEVEL)
    assert (other.gates, other.false_alarms) == (4, 1)
    assert other.spread == pytest.approx(0.04)


def test_a_difference_is_cited_as_one(tmp_path: Path) -> None:
    record(verdict(1), tmp_path)
    (cited,) = cite(tmp_path, HERE, "monolith:default", ["error_share"], 8, LEVEL)
    assert cited.detectable == detectable(8, 0.001, LEVEL, scale="difference")
    assert cited.detectable is not None
    assert cited.detectable < 0.01


def test_no_record_is_no_citation(tmp_path: Path) -> None:
    assert cite(tmp_path / "none", HERE, "monolith:default", ["cpu_ms"], 8, LEVEL) == ()
    found = summary(tmp_path / "none", HERE)
    assert (found.gates, found.low, found.high) == (0, 0.0, 1.0)


def test_false_alarms_are_counted_with_an_exact_interval(tmp_path: Path) -> None:
    for number in range(20):
        words = {"cpu_ms": "regression"} if number == 7 else {}
        sut = "monolith:default" if number % 2 else "null_service:floor"
        outcome = "inconclusive" if number == 3 else "regression" if words else "pass"
        record(verdict(number, words_of=words, sut=sut, outcome=outcome), tmp_path)
    found = summary(tmp_path, HERE)
    assert (found.gates, found.false_alarms, found.passed, found.inconclusive) == (20, 1, 18, 1)
    assert found.low == pytest.approx(beta.ppf(0.025, 1, 20))
    assert found.high == pytest.approx(beta.ppf(0.975, 2, 19))
    assert found.by_sut == {"monolith:default": (10, 1), "null_service:floor": (10, 0)}
    assert found.words == (
        "1 of 20 A/A gates on this machine called a regression (5.0%, interval 0.1% to 24.9%); "
        "18 passed, 1 were inconclusive, 0 more unfit"
    )


def test_a_metric_that_cannot_fail_a_gate_raises_no_alarm(tmp_path: Path) -> None:
    rows = (row("cpu_ms", 0.02), row("generator_cpu_ms", 0.02, "regression", gating=False))
    record(verdict(1, rows=rows), tmp_path)
    assert summary(tmp_path, HERE).false_alarms == 0


CITED = MachineCitation(key="cpu_ms", gates=LEAST_GATES, false_alarms=0, spread=0.02)


def test_a_spread_far_above_the_machines_is_noted() -> None:
    said = unusual(row("cpu_ms", 0.05), CITED)
    assert said is not None
    assert "CPU per request: its pairs scatter by 0.05, 2.5 times" in said
    assert "(0.02)" in said


@pytest.mark.parametrize(
    ("judged", "cited"),
    [
        (row("cpu_ms", 0.02 * MOST_SPREAD), CITED),
        (row("cpu_ms", None), CITED),
        (row("cpu_ms", 0.9, n=3), CITED),
        (row("cpu_ms", 0.9), CITED.model_copy(update={"gates": LEAST_GATES - 1})),
        (row("cpu_ms", 0.9), CITED.model_copy(update={"spread": None})),
    ],
)
def test_and_nothing_is_said_of_what_chance_makes(judged: Row, cited: MachineCitation) -> None:
    assert unusual(judged, cited) is None


def spreads() -> Iterator[float]:
    draw = np.random.default_rng(20261122)
    for _ in range(4000):
        yield float(np.std(draw.normal(0, 0.02, 6), ddof=1))


def test_six_pairs_of_this_machine_are_hardly_ever_noted() -> None:
    noted = [unusual(row("cpu_ms", spread, n=6), CITED) is not None for spread in spreads()]
    assert 0 < np.mean(noted) < 0.004  # the chi-square law says .0012
