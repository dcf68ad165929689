"""What cannot be taken up again says why; what two processes would play, one does."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.hold import HeldError, held
from harness.prepare import resolve
from harness.record import FORMAT_VERSION, RunRecord
from harness.resume import (
    ResumeError,
    check_unchanged,
    clear_half_made,
    digests,
    reopen,
    scenario_of,
)
from harness.run_directory import RunDirectory

GOLDEN = Path(__file__).parents[1] / "golden" / "record" / "version-1"
SECOND = Path(__file__).parents[1] / "second_ensemble"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return shutil.copytree(GOLDEN, tmp_path / "run")


def test_what_is_no_run_is_named_with_what_would_be_one(tmp_path: Path) -> None:
    with pytest.raises(ResumeError, match=r"is not a run: it has no run\.json; give a directory"):
        reopen(tmp_path)
    (tmp_path / "scenario.toml").touch()
    with pytest.raises(ResumeError, match="was ended before its first trial; run the scenario"):
        reopen(tmp_path)


def test_a_newer_format_names_both_versions(run: Path) -> None:
    file = run / "run.json"
    newer = FORMAT_VERSION + 1
    file.write_text(file.read_text().replace('"format_version": 1', f'"format_version": {newer}'))
    with pytest.raises(ResumeError, match=f"format_version is {newer}, this program writes"):
        reopen(run)


@pytest.mark.parametrize("written", ["", "[]", "{", '{"format_version": 1}'])
def test_a_damaged_record_says_so(run: Path, written: str) -> None:
    (run / "run.json").write_text(written)
    with pytest.raises(ResumeError, match=r"cannot be read \(.*\); it was damaged"):
        reopen(run)


def test_a_run_from_before_there_were_digests_is_refused(run: Path) -> None:
    directory, record = reopen(run)
    found = {**record.scenario["ensemble"], "search_path": [str(SECOND)]}
    record = record.model_copy(update={"scenario": {**record.scenario, "ensemble": found}})
    with pytest.raises(ResumeError, match="its files have no digests"):
        check_unchanged(record, resolve(scenario_of(record)), directory)


def test_digests_are_of_the_files_that_all_trials_share_and_see_any_change(run: Path) -> None:
    directory = RunDirectory(run)
    before = digests(directory)
    plans = {f"plans/{path.name}" for path in (run / "plans").iterdir()}
    assert set(before) == {"payloads.parquet", "references.jsonl", *plans}
    assert digests(directory) == before
    with (run / "references.jsonl").open("a") as file:
        file.write(" ")
    after = digests(directory)
    assert {name for name in before if before[name] != after[name]} == {"references.jsonl"}


def test_half_made_trials_go_and_others_stay(run: Path) -> None:
    directory = RunDirectory(run)
    whole = {path.name for path in (run / "trials").iterdir()}
    half = run / "trials" / "b00-s09-null_service-floor"
    half.mkdir()
    (half / "samples-0.parquet").touch()
    clear_half_made(directory)
    assert {path.name for path in (run / "trials").iterdir()} == whole


def test_a_run_is_held_by_one_process_until_it_ends_however_it_ends(tmp_path: Path) -> None:
    hold = tmp_path / ".hold"
    words = (
        "import sys, time; from pathlib import Path; from harness.hold import held\n"
        "with held(Path(sys.argv[1])): print(flush=True); time.sleep(600)"
    )
    other = subprocess.Popen([sys.executable, "-c", words, str(hold)], stdout=subprocess.PIPE)
    try:
        assert other.stdout
        other.stdout.readline()
        assert hold.stat().st_blocks * 512 >= 1 << 20
        with pytest.raises(HeldError, match="is being played by another process"), held(hold):
            pass
    finally:
        other.kill()
        other.wait()
        assert other.stdout
        other.stdout.close()
    with held(hold):
        assert hold.exists()
    assert not hold.exists()


def test_old_records_read_as_never_resumed() -> None:
    record = RunRecord.read(GOLDEN)
    assert (record.resumed, record.digests) == ((), {})
