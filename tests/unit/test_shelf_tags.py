"""Tags: validated where they are given, recorded with a run, changed beside its record."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.__main__ import main as harness
from harness.record import RunRecord
from harness.tags import TagError, tags_of
from reports.__main__ import main
from reports.shelf.tags import TAGS_FILE, read_later, retag
from tests.shelf_runs import put


@pytest.mark.parametrize("word", ["nightly", "0.1", "a", "a-b_c.d", "x" * 40])
def test_words_that_are_tags(word: str) -> None:
    assert tags_of([word, word]) == (word,)


@pytest.mark.parametrize(
    "word", ["", "Nightly", "two words", "-x", ".x", "ä", "<b>", "x" * 41, "a\nb", "nightly\n"]
)
def test_words_that_are_not(word: str) -> None:
    with pytest.raises(TagError, match="cannot be a tag: a tag is 1 to 40 lower-case letters"):
        tags_of([word])


def test_a_near_tag_is_proposed() -> None:
    with pytest.raises(TagError, match=r"'release-0\.1' would do"):
        tags_of(["Release 0.1"])


def test_a_bad_tag_ends_before_anything_is_run(tmp_path: Path) -> None:
    asked = ["run", "scenarios/quick.toml", "--tag", "No Tag", "--out", str(tmp_path / "runs")]
    done = CliRunner().invoke(harness, asked)
    assert isinstance(done.exception, TagError)
    assert not list(tmp_path.glob("runs/*"))


def test_resuming_takes_no_tags(tmp_path: Path) -> None:
    done = CliRunner().invoke(harness, ["run", "--resume", str(tmp_path), "--tag", "nightly"])
    assert done.exit_code == 2
    assert "--resume goes on with its own scenario, SUTs and tags" in done.output


def tag(folder: Path, *orders: str) -> str:
    done = CliRunner().invoke(main, ["tag", str(folder), *orders])
    assert done.exit_code == 0, done.output
    return done.output.strip()


def test_tags_are_given_and_taken_and_the_record_stays(tmp_path: Path) -> None:
    folder = put(tmp_path, 0, tags=("nightly", "idea"))
    before = (folder / "run.json").read_bytes()
    assert tag(folder) == "nightly idea"
    assert not (folder / TAGS_FILE).exists()
    assert tag(folder, "+good", "-nightly") == "idea good"
    assert tag(folder, "-good", "+nightly") == "nightly idea"
    assert tag(folder, "-never-there") == "nightly idea"
    assert (folder / "run.json").read_bytes() == before
    assert RunRecord.read(folder).tags == ("nightly", "idea")
    assert not list(folder.glob("*.partial"))


def test_a_link_to_a_run_is_tagged_where_it_leads(tmp_path: Path) -> None:
    folder = put(tmp_path / "runs", 0)
    (tmp_path / "runs/latest").symlink_to(folder.name)
    assert tag(tmp_path / "runs/latest", "+good") == "good"
    assert (folder / TAGS_FILE).is_file()


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        (["good"], "'good': say +good to give the tag, -good to take it away"),
        (["+No"], "'No' cannot be a tag"),
        (["+a", "-a"], "'a' is both given and taken"),
    ],
)
def test_a_mistaken_order_changes_nothing(tmp_path: Path, orders: list[str], words: str) -> None:
    folder = put(tmp_path, 0)
    done = CliRunner().invoke(main, ["tag", str(folder), "+fine", *orders])
    assert done.exit_code == 2
    assert words in done.output
    assert not (folder / TAGS_FILE).exists()


def test_what_is_no_run_is_not_tagged(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["tag", str(tmp_path), "+good"])
    assert done.exit_code == 2
    assert "is no run; give a directory under runs/" in done.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("{", "cannot be read as tags"),
        ('{"added": 3}', "cannot be read as tags"),
        ('{"tags_format": 2, "new": 1}', "tags_format is 2, this program reads up to 1"),
    ],
)
def test_damaged_tags_are_named_and_not_written_over(
    tmp_path: Path, written: str, words: str
) -> None:
    folder = put(tmp_path, 0, tags=("nightly",))
    (folder / TAGS_FILE).write_text(written)
    with pytest.raises(TagError, match=words):
        read_later(folder)
    with pytest.raises(TagError, match=words):
        retag(folder, ["+good"])
    assert (folder / TAGS_FILE).read_text() == written
    done = CliRunner().invoke(main, ["tag", str(folder)])
    assert words in done.output
    assert "nightly" in done.output


def test_the_file_says_what_was_given_and_taken(tmp_path: Path) -> None:
    folder = put(tmp_path, 0, tags=("nightly",))
    tag(folder, "+good", "-nightly")
    found = json.loads((folder / TAGS_FILE).read_text())
    assert found == {"tags_format": 1, "added": ["good"], "removed": ["nightly"]}
