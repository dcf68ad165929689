"""What a reader would type is parsed by the very commands it names; nothing of it is run."""

import re
from pathlib import Path

import pytest

from tests.documents import ROOT, commands, documents, name
from tests.typed import NOX, SESSIONS, asked_in, asked_in_code, refused


def read_from() -> list[Path]:
    return [*documents(), *sorted((ROOT / "scenarios").rglob("*.toml"))]


@pytest.mark.parametrize("path", read_from(), ids=name)
def test_every_command_is_one(path: Path) -> None:
    found = asked_in(path.read_text(encoding="utf-8"))
    wrong = [(" ".join((asked[0], *asked[1])), why) for asked in found if (why := refused(asked))]
    assert not wrong


@pytest.mark.parametrize("path", [*read_from(), ROOT / "noxfile.py"], ids=name)
def test_every_session_is_one(path: Path) -> None:
    lines = [line for line, _ in commands(path.read_text(encoding="utf-8"))]
    named = {one for line in lines for names, _ in NOX.findall(line) for one in names.split()}
    assert named <= set(SESSIONS)


def test_every_command_that_code_names_is_one() -> None:
    found = asked_in_code()
    assert len(found) > 20
    wrong = [(path, asked, why) for path, asked, _ in found if asked and (why := refused(asked))]
    assert not wrong
    unknown = [(path, names) for path, _, names in found if set(names.split()) - set(SESSIONS)]
    assert not unknown


@pytest.mark.parametrize("path", documents(), ids=name)
def test_every_scenario_that_is_named_is_there(path: Path) -> None:
    named = re.findall(r"\bscenarios/[a-z0-9_/]+\.toml", path.read_text(encoding="utf-8"))
    assert not [one for one in named if not (ROOT / one).is_file()]


def test_commands_are_found_at_all() -> None:
    found = [one for path in documents() for one in asked_in(path.read_text(encoding="utf-8"))]
    assert len(found) > 60
    assert {"harness", "reports"} == {program for program, _, _ in found}


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("harness", "run scenarios/quick.toml --no-such-option"),
        ("harness", "rum scenarios/quick.toml"),
        ("reports", "gate scenarios/gate.toml --inconclusive maybe"),
        ("reports", "baselines add"),
        ("harness", "check one.toml two.toml"),
    ],
)
def test_what_is_no_command_is_found_out(program: str, line: str) -> None:
    assert refused((program, line.split(), False))


def test_the_first_commands_of_the_readme_are_those_of_a_fresh_clone() -> None:
    block = (ROOT / "README.md").read_text(encoding="utf-8").split("\n\n")[2]
    lines = [line.partition("#")[0].strip() for line in block.splitlines()]
    assert lines == [
        "python3 -m venv .env && . .env/bin/activate",
        "pip install nox && nox -s bench",
        "nox -s tests",
    ]
