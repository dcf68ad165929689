"""The table a run ends with, against the recorded run added up another way."""

from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from harness.outcome import outcome_table, see
from harness.record import RunRecord, TrialRecord
from harness.run_directory import RunDirectory

DIRECTORY = RunDirectory(Path(__file__).parents[1] / "golden" / "record" / "version-1")
RUN = RunRecord.read(DIRECTORY.path)


def trials(*, trusted: bool) -> list[TrialRecord]:
    found = [
        TrialRecord.model_validate_json((DIRECTORY.trial(place) / "trial.json").read_text())
        for place in RUN.schedule
    ]
    return [trial.model_copy(update={"reasons": ()}) for trial in found] if trusted else found


@pytest.mark.parametrize("trial", trials(trusted=True), ids=lambda trial: trial.place.sut)
def test_what_is_seen_of_a_trial_is_what_was_recorded(trial: TrialRecord) -> None:
    seen = see(DIRECTORY, trial, response_limit_s=0.05)
    phases = trial.phases
    assert phases
    rows = pd.read_parquet(DIRECTORY.trial(trial.place) / "samples-0.parquet").query("outcome == 0")
    steady = rows[rows.intended_ns.between(phases.steady_ns, phases.end_ns, inclusive="left")]
    response_s = (steady.received_ns - steady.intended_ns) / 1e9
    assert seen.steady_s == 2.0
    completed = rows[rows.received_ns.between(phases.steady_ns, phases.end_ns, inclusive="left")]
    assert seen.completed == len(completed)
    assert seen.in_time == (completed.received_ns - completed.intended_ns <= 0.05e9).sum()
    assert sorted(seen.response_s) == pytest.approx(sorted(response_s))
    usage = pd.read_parquet(DIRECTORY.trial(trial.place) / "usage.parquet")
    server = usage[usage.component == "server"].set_index("t_ns").cpu_s
    inside = server[(server.index >= phases.steady_ns) & (server.index <= phases.end_ns)]
    assert seen.cpu_s == pytest.approx(inside.iloc[-1] - inside.iloc[0], abs=0.05)


def _shown(records: list[TrialRecord]) -> str:
    console = Console(width=110)
    with console.capture() as captured:
        console.print(outcome_table(DIRECTORY, RUN, records, 0.05))
    return captured.get()


def test_valid_trials_have_numbers_and_the_percentile_they_can_carry() -> None:
    shown = _shown(trials(trusted=True))
    for line in (line for line in shown.splitlines() if "null_service:floor" in line):
        cells = line.split()
        assert (cells[1], cells[-1]) == ("40", "1/1")
        assert float(cells[4]) > 0  # p50 is carried by some 80 answers
        assert cells[5] == "-"  # p95 is not


def test_trials_that_cannot_be_trusted_have_none() -> None:
    lines = [line for line in _shown(trials(trusted=False)).splitlines() if ":" in line]
    rows = [line.split() for line in lines if line.split()[0] in {sut.key for sut in RUN.suts}]
    assert len(rows) == 2
    assert all(row[2:] == ["-"] * 6 + ["0/1"] for row in rows)
