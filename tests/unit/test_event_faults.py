"""Faults of the database and the feature store as events: who can have which, and when they end."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event
from time import perf_counter_ns

import psutil
import pytest

from architectures.patterns.items import database, feature_stores
from harness.backends import EMBEDDED_FILES, NO_BACKENDS, Backends, kinds, standing
from harness.events.moments import Moment, moments_of
from harness.events.playing import Answered, playing
from harness.faults.between import FaultError
from harness.kept import DeployError
from harness.scenario import Scenario
from harness.scenario_file import ScenarioError, parse_scenario
from tests.leftovers import each

SCENARIO = """
name = "faulty"
suts = ["monolith"]
[load]
rates = [1]
steady_s = 1000
"""
SECRET = "hunter2"  # noqa: S105 - of nobody
URL = f"redis://:{SECRET}@127.0.0.1:1/0"
"""Where nobody listens: a proxy connects when it is connected to."""

LIMIT_S = 60.0
"""Of a wait for something that must come."""


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("DATABASE", "FEATURES", "MODERATION"):
        monkeypatch.delenv(f"SERVEBENCH_{part}_URL", raising=False)


def scenario(*events: str) -> Scenario:
    return parse_scenario(SCENARIO + "".join(f"[[events]]\n{one}\n" for one in events), "f.toml")


def disturbing(part: str, body: str, rest: str = "") -> Scenario:
    return scenario(f'to = "{part}"\nat = 0\nbody = {{ {body} }}\n{rest}')


def proxies() -> list[psutil.Process]:
    words = each(
        psutil.Process().children(recursive=True), lambda process: (process, process.cmdline())
    )
    return [process for process, said in words if "harness.faults" in said]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A deployment's, with a database in it."""
    with closing(sqlite3.connect(tmp_path / EMBEDDED_FILES["database"])) as file:
        file.execute("CREATE TABLE t (x)")
        file.commit()
    return tmp_path


def is_locked(folder: Path) -> bool:
    with closing(sqlite3.connect(folder / EMBEDDED_FILES["database"], timeout=0)) as other:
        try:
            other.execute("INSERT INTO t VALUES (1)")
        except sqlite3.OperationalError as error:
            return error.sqlite_errorcode == sqlite3.SQLITE_BUSY
        return False


def test_the_files_are_those_of_the_patterns() -> None:
    assert EMBEDDED_FILES == {"database": database.FILE, "features": feature_stores.FILE}


@pytest.mark.parametrize("part", ["database", "features"])
@pytest.mark.parametrize("rest", ["", "until = 0.5", "until = 0.5\nthen = { lock = false }"])
def test_a_file_can_be_locked_and_no_more(part: str, rest: str) -> None:
    kinds(disturbing(part, "lock = true", rest))
    variable = f"SERVEBENCH_{part.upper()}_URL"
    network = disturbing(part, "freeze = true, delay_s = 1", rest.replace("lock", "freeze"))
    with pytest.raises(ScenarioError, match=rf"events\.0: .* delay_s, freeze, .*set {variable}, "):
        kinds(network)


@pytest.mark.parametrize("part", ["database", "features"])
def test_what_has_a_url_can_have_a_networks_faults_and_no_lock(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = f"SERVEBENCH_{part.upper()}_URL"
    monkeypatch.setenv(variable, URL)
    kinds(disturbing(part, "delay_s = 1"))
    with pytest.raises(ScenarioError, match=rf"events\.0: .* {variable} names another .* freeze"):
        kinds(disturbing(part, "lock = true"))
    for without_port in (f"redis://:{SECRET}@somewhere/0", f"redis://somewhere:{SECRET}/0"):
        monkeypatch.setenv(variable, without_port)
        with pytest.raises(ScenarioError, match=f"{variable}: .* host and port") as said:
            kinds(disturbing(part, "delay_s = 1"))
        assert SECRET not in str(said.value)


def test_a_lock_begins_and_ends_as_told_and_ends_with_what_stands(
    folder: Path, tmp_path: Path
) -> None:
    asked = disturbing("database", "lock = true")
    with standing(asked, [0], tmp_path) as backends:
        assert backends.variables == {}
        for end in (None, {"lock": False}):
            assert backends.disturb("database", {"lock": True}, folder) == {"lock": True}
            assert backends.disturb("database", {"lock": True}, folder) == {"lock": True}
            assert is_locked(folder)
            assert backends.disturb("database", end, folder) == {"lock": False}
            assert not is_locked(folder)
        backends.disturb("database", {"lock": True}, folder)
        backends.behave(None)
        assert not is_locked(folder)
        with pytest.raises(FaultError, match=r"items\.sqlite .* cannot be locked"):
            backends.disturb("database", {"lock": True}, folder / "elsewhere")
        backends.disturb("database", {"lock": True}, folder)
    assert not is_locked(folder)


def test_a_fault_without_an_end_ends_with_its_trial_whatever_ends_that(
    folder: Path, tmp_path: Path
) -> None:
    asked = disturbing("database", "lock = true", "until = 1.0")
    with standing(asked, [0], tmp_path) as backends:
        locked = Event()

        def do(moment: Moment) -> Answered:
            said = backends.disturb(moment.to, moment.body, folder)
            locked.set()
            return Answered(None, dict(said))

        def play() -> None:
            with playing(moments_of(asked), do) as player:
                player.begin(perf_counter_ns())
                assert locked.wait(LIMIT_S)
                assert is_locked(folder)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            play()
        assert not is_locked(folder)


def test_a_proxy_stands_before_what_is_to_be_disturbed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVEBENCH_FEATURES_URL", URL)
    monkeypatch.setenv("SERVEBENCH_DATABASE_URL", f"postgresql://me:{SECRET}@127.0.0.1:1/shop")
    with standing(scenario(), [0], tmp_path) as backends:
        assert backends is NO_BACKENDS
    own = sorted(os.sched_getaffinity(0))
    with standing(disturbing("features", "delay_s = 1"), own[:1], tmp_path) as backends:
        ((variable, url),) = backends.variables.items()
        assert variable == "SERVEBENCH_FEATURES_URL"
        assert url.startswith(f"redis://:{SECRET}@127.0.0.1:")
        assert url != URL
        assert SECRET not in repr(backends)
        (proxy,) = proxies()
        assert proxy.cpu_affinity() == own[:1]
        calm = {"delay_s": 0.0, "freeze": False, "refuse": False, "connections": 0}
        for end in (lambda: backends.behave(None), lambda: _undisturbed(backends, tmp_path)):
            now = backends.disturb("features", {"delay_s": 1, "refuse": True}, tmp_path)
            assert now == {**calm, "delay_s": 1.0, "refuse": True}
            end()
            assert backends.disturb("features", {"delay_s": 0}, tmp_path) == calm
        with pytest.raises(FaultError, match="lock"):
            backends.disturb("features", {"lock": True}, tmp_path)
        proxy.kill()
        proxy.wait(LIMIT_S)
        with pytest.raises(ConnectionError, match="proxy does not answer"):
            backends.behave(None)
    assert not proxies()


def _undisturbed(backends: Backends, folder: Path) -> None:
    backends.disturb("features", None, folder)


def test_a_proxy_that_cannot_begin_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVEBENCH_FEATURES_URL", f"redis://:{SECRET}@somewhere")
    asked = disturbing("features", "delay_s = 1")
    with pytest.raises(DeployError, match="host and port"), standing(asked, [0], tmp_path):
        pytest.fail("it came up")
    assert not proxies()
