"""The stub of the moderation API beside the SUTs, and what is recorded of stateful parts."""

import os
from pathlib import Path

import psutil
import pytest

from harness.backends import NO_BACKENDS, Backends, kinds, standing
from harness.http import ask
from harness.kept import DeployError
from harness.moderation import ModerationError
from harness.scenario import Scenario
from harness.scenario_file import ScenarioError, parse_scenario
from tests.leftovers import each

SCENARIO = """
name = "beside"
suts = ["monolith"]
[load]
rates = [1]
[backends]
"""
SECRET = "hunter2"  # noqa: S105 - of nobody


def scenario(backends: str) -> Scenario:
    return parse_scenario(SCENARIO + backends, "beside.toml")


def stubs() -> list[psutil.Process]:
    words = each(
        psutil.Process().children(recursive=True), lambda process: (process, process.cmdline())
    )
    return [process for process, said in words if "architectures.moderation_service" in said]


def test_the_stub_behaves_as_told_goes_back_and_ends(tmp_path: Path) -> None:
    own = os.sched_getaffinity(0)
    asked = scenario("moderation = { rejects = 1.0, latency = { mean_s = 0.001 } }")
    with standing(asked, sorted(own)[:1], tmp_path) as backends:
        (url,) = backends.variables.values()
        (stub,) = stubs()
        assert stub.cpu_affinity() == sorted(own)[:1]
        assert ask(f"{url}/v1/moderate", b"an image").json() == {"verdict": "rejected"}
        assert backends.behave({"error_ratio": 1.0})["error_ratio"] == 1.0
        assert ask(f"{url}/v1/moderate", b"an image").status == 500
        script = backends.behave(None)
        assert (script["error_ratio"], script["rejects"]) == (0.0, 1.0)
        assert script["latency"] == {"mean_s": 0.001}
        assert ask(f"{url}/v1/moderate", b"an image").json() == {"verdict": "rejected"}
        with pytest.raises(ModerationError, match="refuses"):
            backends.behave({"colour": "blue"})
        assert url not in repr(Backends(backends.variables))
    assert not stubs()


def test_the_stub_that_cannot_begin_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    asked = scenario('moderation = { rejects = "all" }')
    with pytest.raises(DeployError, match="rejects = 'all'"), standing(asked, [0], tmp_path):
        pytest.fail("it came up")
    assert not stubs()


def test_nothing_is_started_that_was_not_asked_for(tmp_path: Path) -> None:
    with standing(scenario(""), [0], tmp_path) as backends:
        assert backends is NO_BACKENDS
        assert backends.behave(None) == {}
    assert Backends().variables == {}


def test_the_record_has_kinds_and_never_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("STATE", "DATABASE", "FEATURES", "MODERATION"):
        monkeypatch.delenv(f"SERVEBENCH_{variable}_URL", raising=False)
    plain = {"state": "sqlite", "database": "sqlite", "features": "sqlite"}
    assert kinds(scenario("")) == {**plain, "moderation": "absent"}
    monkeypatch.setenv("SERVEBENCH_STATE_URL", f"redis://:{SECRET}@10.0.0.1:6379/0")
    monkeypatch.setenv("SERVEBENCH_DATABASE_URL", f"postgresql+asyncpg://me:{SECRET}@db/shop")
    monkeypatch.setenv("SERVEBENCH_MODERATION_URL", f"http://me:{SECRET}@10.0.0.1")
    found = kinds(scenario('state = "environment"\ndatabase = "environment"'))
    assert found == {
        "state": "redis",
        "database": "postgresql",
        "features": "sqlite",
        "moderation": "environment",
    }
    assert kinds(scenario("moderation = {}"))["moderation"] == "stub"


def test_a_demanded_address_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERVEBENCH_FEATURES_URL", raising=False)
    with pytest.raises(ScenarioError, match="SERVEBENCH_FEATURES_URL is not set"):
        kinds(scenario('features = "environment"'))
