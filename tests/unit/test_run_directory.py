"""Records are whole or absent, and ``latest`` is always there."""

import threading
from pathlib import Path

import pytest

from harness.durable import point, settle, write_durably
from harness.record import RunRecord
from harness.run_directory import LATEST, RunDirectory

GOLDEN = Path(__file__).parents[1] / "golden" / "record" / "version-1"


def test_latest_is_there_at_every_moment_while_it_is_swapped(tmp_path: Path) -> None:
    record = RunRecord.read(GOLDEN)
    runs = [RunDirectory(tmp_path / name) for name in ("one", "two")]
    for run in runs:
        run.path.mkdir()
    runs[0].save_run(record)
    missing: list[int] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            missing.append(0 if (tmp_path / LATEST / "run.json").exists() else 1)

    watcher = threading.Thread(target=look)
    watcher.start()
    for turn in range(100):
        runs[turn % 2].save_run(record)
    stop.set()
    watcher.join()
    assert len(missing) > 10
    assert sum(missing) == 0
    assert (tmp_path / LATEST).resolve() == runs[1].path
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two", LATEST}


def test_a_link_left_half_made_by_a_kill_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / f".{LATEST}.partial").symlink_to("nowhere")
    point(tmp_path / LATEST, "here")
    assert (tmp_path / LATEST).readlink() == Path("here")


def test_a_folder_of_ones_own_named_latest_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / LATEST).mkdir()
    (tmp_path / "run").mkdir()
    RunDirectory(tmp_path / "run").save_run(RunRecord.read(GOLDEN))
    assert not (tmp_path / LATEST).is_symlink()


def test_what_cannot_be_written_leaves_the_old_file_and_no_half(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_durably(path, "old")
    (tmp_path / "a.partial").mkdir()  # in the way
    with pytest.raises(OSError, match=r"a\.partial"):
        write_durably(path, "new")
    assert path.read_text() == "old"


def test_settling_passes_over_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    settle(tmp_path)
    assert (tmp_path / "file").read_text() == "x"
