"""Which recorded run answers a claim: the newest of that very scenario, and why not another."""

import json
import tomllib
from pathlib import Path

import pytest
import tomli_w

from harness.effort.record import EFFORT_FILE
from harness.record import RunRecord, write_record
from reports.claims.checks import Hypothesis, check
from reports.claims.environments import apart, in_common
from reports.claims.evidence import Evidence, read_evidence
from reports.claims.missing import missing
from reports.claims.shelf import Shelf
from reports.claims.written import read_claim
from tests.planted_claims import Planted, hypothesis

SMALL = {"rates": (30.0,), "blocks": 1, "steady_s": 0.5, "warm_up_s": 0.5}
"""Which run is used depends on what its record says, not on how much it measured."""

ALONE = {"blocks": 1, "steady_s": 0.5, "warm_up_s": 0.5}


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    return Planted(tmp_path)


def of(planted: Planted, name: str = "planted") -> Evidence:
    return read_evidence(f"scenarios/{name}.toml", planted.scenarios / f"{name}.toml")


def edit(folder: Path, **update: object) -> None:
    write_record(folder / "run.json", RunRecord.read(folder).model_copy(update=update))


def small(planted: Planted, hour: int = 0) -> Path:
    return planted.run(planted.plan(**SMALL), hour=hour)


def test_the_newest_that_can_be_used_is_used(planted: Planted) -> None:
    old, good, broken = (small(planted, hour) for hour in range(3))
    edit(broken, status="interrupted")
    (planted.runs / "latest").symlink_to(broken.name)
    choice = Shelf(planted.runs, anywhere=True).newest(of(planted))
    assert choice.run is not None
    assert choice.run.folder == good
    assert [(one.run_id, one.why) for one in choice.passed] == [
        (broken.name, "it was not played to its end")
    ]
    edit(good, status="running")
    again = Shelf(planted.runs, anywhere=True).newest(of(planted)).run
    assert again is not None
    assert again.folder == old


@pytest.mark.parametrize(
    ("section", "key", "value", "said"),
    [
        ("load", "steady_s", 5, "load.steady_s was 3.0, is 5"),
        ("load", "rates", ["0.3 ceiling", "1.2 ceiling"], "load.rates was"),
        ("policy", "max_batch", 1, "policy.max_batch was 16, is 1"),
        ("budget", "memory_gib", 8, "budget.memory_gib was 4.0, is 8"),
        ("ensemble", "graph", "other", 'ensemble.graph was "tag", is "other"'),
        ("slo", "response_time_s", 0.5, "slo.response_time_s was 0.25, is 0.5"),
        ("load", "blocks", 5, "load.blocks was 4, is 5"),
        ("events", "", [{"at": 0.5, "to": "sut", "action": "promote"}], "events was [], is"),
        ("suts", "", ["monolith", "monolith:naive"], "it was run without monolith:naive"),
    ],
)
def test_a_run_of_another_wording_is_passed_over_and_said_why(
    planted: Planted, section: str, key: str, value: object, said: str
) -> None:
    folder = small(planted)
    path = planted.scenarios / "planted.toml"
    document = tomllib.loads(path.read_text())
    if key:
        document.setdefault(section, {})[key] = value
    else:
        document[section] = value
    path.write_text(tomli_w.dumps(document))
    choice = Shelf(planted.runs, anywhere=True).newest(of(planted))
    assert choice.run is None
    assert [one.run_id for one in choice.passed] == [folder.name]
    assert said in choice.passed[0].why


def test_what_merely_describes_may_be_edited(planted: Planted) -> None:
    small(planted)
    path = planted.scenarios / "planted.toml"
    text = (
        path.read_text().replace("Three queues", "Some queues").replace("blocks = 4", "blocks = 2")
    )
    path.write_text(text + "[generator]\nworkers = 2\n")
    assert Shelf(planted.runs, anywhere=True).newest(of(planted)).run is not None


def test_another_machines_run_is_used_only_if_asked(planted: Planted) -> None:
    small(planted)
    choice = Shelf(planted.runs).newest(of(planted))
    assert choice.run is None
    assert "it was made on another machine (machine null, here" in choice.passed[0].why
    assert Shelf(planted.runs, anywhere=True).newest(of(planted)).run is not None


def test_damage_is_passed_over_in_words(planted: Planted) -> None:
    good, cut, torn = (small(planted, hour) for hour in range(3))
    (cut / "run.json").write_text("{")
    next(torn.glob("trials/*/samples-0.parquet")).write_bytes(b"torn")
    choice = Shelf(planted.runs, anywhere=True).newest(of(planted))
    assert choice.run is not None
    assert choice.run.folder == good
    assert [one.run_id for one in choice.passed] == [torn.name, cut.name]
    assert choice.passed[0].why.startswith("trials/")
    assert "one of its tables cannot be read" in choice.passed[0].why
    assert "its record cannot be read" in choice.passed[1].why


def test_effort_must_be_of_the_same_deployments(planted: Planted) -> None:
    record = RunRecord.read(small(planted))
    folder = planted.effort(record)
    shelf = Shelf(planted.runs, anywhere=True)
    assert shelf.newest(of(planted, "growth")).run is not None
    text = (folder / "scenario.toml").read_text()
    (folder / "scenario.toml").write_text(text.replace("models_12", "models_9"))
    choice = Shelf(planted.runs, anywhere=True).newest(of(planted, "growth"))
    assert "deployments was" in choice.passed[0].why
    (folder / "scenario.toml").unlink()
    choice = Shelf(planted.runs, anywhere=True).newest(of(planted, "growth"))
    assert "cannot be read by this version" in choice.passed[0].why
    document = json.loads((folder / EFFORT_FILE).read_text())
    (folder / EFFORT_FILE).write_text(json.dumps(document | {"complete": False}))
    choice = Shelf(planted.runs, anywhere=True).newest(of(planted, "growth"))
    assert choice.passed[0].why == "it was not played to its end"


def test_two_runs_are_compared_only_within_one_environment(planted: Planted) -> None:
    old, new = planted.alone("one", 6, **ALONE), planted.alone("one", 6, hour=5, **ALONE)
    planted.alone("two", 9, hour=1, **ALONE)
    fingerprint = RunRecord.read(new).environment.fingerprint
    other = {**fingerprint, "cores": "64"}
    environment = RunRecord.read(new).environment.model_copy(update={"fingerprint": other})
    edit(new, environment=environment)
    choices = Shelf(planted.runs, anywhere=True).alike(of(planted, "one"), of(planted, "two"))
    assert choices[0].run is not None
    assert choices[0].run.folder == old
    edit(old, environment=environment)
    choices = Shelf(planted.runs, anywhere=True).alike(of(planted, "one"), of(planted, "two"))
    assert [choice.run for choice in choices] == [None, None]
    assert "was made in its environment" in choices[0].passed[0].why
    environments = {name: RunRecord.read(folder).environment for name, folder in
                    (("a", new), ("b", planted.alone("two", 9, hour=9, **ALONE)))}  # fmt: skip
    assert in_common(environments) == {"cpu": "simulated"}
    assert apart(environments) == {"cores": {"64": ("a",), "2": ("b",)}}


def hypotheses(planted: Planted, *sections: str) -> tuple[Hypothesis, ...]:
    return check(read_claim(planted.claim("said", *sections)))


def test_what_is_missing_is_named_once_and_what_cannot_be_run_here_apart(
    planted: Planted,
) -> None:
    asked = hypotheses(
        planted,
        hypothesis(),
        hypothesis(metric="pss_peak_mb"),
        hypothesis(scenario="scenarios/elsewhere.toml"),
        hypothesis(
            scenario="scenarios/one.toml", sut="monolith", versus=None, at="60",
            versus_scenario="scenarios/two.toml",
        ),
        hypothesis(
            scenario="scenarios/growth.toml", deployment="3", at=None, metric="processes"
        ),
    )  # fmt: skip
    planted.alone("one", 6, **ALONE)
    found = missing(asked, Shelf(planted.runs, anywhere=True))
    kinds = [(one.kind, one.path.name) for one in found.here]
    assert kinds == [("run", "planted.toml"), ("run", "two.toml"), ("effort", "growth.toml")]
    assert [one.path.name for one in found.elsewhere] == ["elsewhere.toml"]
    assert "needs 513 cores" in found.elsewhere[0].lacking
    planted.alone("two", 9, **ALONE)
    small(planted)
    left = missing(asked, Shelf(planted.runs, anywhere=True)).here
    assert [one.path.name for one in left] == ["growth.toml"]
