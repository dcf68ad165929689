"""What a web session is asked for on its command line, and where its page may listen."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from architectures.spec import EnsembleChoice
from harness.__main__ import main
from harness.live.asked import Asked, in_words, toml, with_attempts
from harness.live.listen import (
    PASSWORD_VARIABLE,
    ListenError,
    listen_on,
    write_password,
)
from harness.live.play import Asking
from harness.live.session import asked_for
from harness.scenario_file import ScenarioError, parse_scenario
from tests.live_sessions import SECOND
from workloads.plan import PlanHeader

CHOICE = EnsembleChoice("language_guess", "plain", search_path=(str(SECOND),), graphs=("guess",))


def asked(**changed: float) -> Asked:
    return Asked("monolith:default", CHOICE, "guess", **changed)  # type: ignore[arg-type]


def test_the_command_line_is_a_scenario_like_any_other() -> None:
    scenario = asked(slo_ms=200, percentile=99, cores=2, workers=3).scenario()
    assert scenario == parse_scenario(
        asked(slo_ms=200, percentile=99, cores=2, workers=3).toml(), ""
    )
    assert (scenario.name, scenario.suts) == ("web", ("monolith:default",))
    assert scenario.slo.response_time_s == 0.2
    assert scenario.slo.percentile == 99
    assert scenario.ensemble.serve == ("guess",)
    assert scenario.load.drain_s >= scenario.slo.response_time_s
    assert (scenario.budget.cores, scenario.generator.workers) == (2, 3)


@pytest.mark.parametrize(
    ("changed", "named"),
    [({"slo_ms": -5}, "slo.response_time_s"), ({"percentile": 100}, "slo.percentile")],
)
def test_what_cannot_be_meant_is_named(changed: dict[str, float], named: str) -> None:
    with pytest.raises(ScenarioError, match=named):
        asked(**changed).scenario()


def test_what_was_played_can_be_read_as_a_scenario_and_played_again() -> None:
    headers = [
        PlanHeader("poisson", ("guess",), 20.0, 1.0, 10.0, 1),
        PlanHeader("gamma", ("guess",), 12.5, 2.0, 30.0, 1, {"cv": 2.0}),
    ]
    scenario = with_attempts(asked().scenario(), headers)
    document = scenario.model_dump(mode="json", exclude_defaults=True)
    again = parse_scenario(toml(document), "again")
    assert again == scenario
    assert again.load.rates == (20, 12.5)
    assert (again.load.workload, again.load.shape) == ("gamma", {"cv": 2.0})
    assert (again.load.warm_up_s, again.load.steady_s) == (2, 30)


def test_toml_carries_what_text_and_tables_can_hold() -> None:
    written = toml(
        {"a": 'quote " back \\ line \n é', "b": {"c": {"k k": 1.5, "l": True}, "d": []}, "e": {}}
    )
    import tomllib  # noqa: PLC0415 - only here

    assert tomllib.loads(written) == {
        "a": 'quote " back \\ line \n é',
        "b": {"c": {"k k": 1.5, "l": True}, "d": []},
        "e": {},
    }


def test_a_step_says_what_was_asked() -> None:
    header = PlanHeader("poisson", ("guess",), 20, 1, 10, 1)
    assert in_words(header, "guess") == "poisson 20 rps"
    assert in_words(header, "tag") == "poisson 20 rps of guess"
    mixed = PlanHeader("constant", ("tag",), 2.5, 1, 10, 1, mix={"cat": 3, "dog": 1})
    assert in_words(mixed, "tag") == "constant 2.5 rps, cat 3, dog 1"


def test_on_loopback_no_password_is_asked_for() -> None:
    listen = listen_on("127.0.0.1", None, {PASSWORD_VARIABLE: "x" * 20})
    assert (listen.password, listen.made) == ("", False)
    assert listen.url == f"http://127.0.0.1:{listen.port}" == listen.own_url
    assert listen_on("localhost", None, {}).password == ""


def test_beyond_loopback_it_is_the_one_given_or_one_made() -> None:
    given = listen_on("0.0.0.0", None, {PASSWORD_VARIABLE: "a long password"})  # noqa: S104
    assert (given.password, given.made) == ("a long password", False)
    assert given.own_url == f"http://127.0.0.1:{given.port}"
    assert "0.0.0.0" not in given.url  # noqa: S104 - not bound
    made = {listen_on("0.0.0.0", None, {}).password for _ in range(2)}  # noqa: S104
    assert len(made) == 2
    assert min(map(len, made)) > 20
    assert "a long password" not in repr(given)


def test_a_password_too_short_is_refused() -> None:
    with pytest.raises(ListenError, match=f"{PASSWORD_VARIABLE} has 5 characters"):
        listen_on("0.0.0.0", None, {PASSWORD_VARIABLE: "short"})  # noqa: S104


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(ListenError, match=rf"--host {host} --port \d+: cannot be listened on"):
        listen_on(host, None)


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"--port {port}: cannot be listened on"):
            listen_on("127.0.0.1", port)


def test_a_password_file_is_its_owners_alone_and_never_somebody_elses(tmp_path: Path) -> None:
    path = tmp_path / "password"
    write_password(path, "secret")
    assert path.read_text() == "secret"
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_password(path, "another")


def test_the_first_signal_is_heard_and_the_second_one_ends_everything() -> None:
    heard = Asking()
    heard.hear(2, None)
    assert heard.ended
    with pytest.raises(KeyboardInterrupt):
        heard.hear(2, None)


def test_names_are_found_before_anything_is_started() -> None:
    found = asked_for("null_service", CHOICE, cores=1, workers=1, slo_ms=1, percentile=50)
    assert (found.sut, found.graph) == ("null_service:floor", "guess")


def test_a_running_service_is_not_explored(tmp_path: Path) -> None:
    ended = CliRunner().invoke(main, ["web", "remote:theirs", "--out", str(tmp_path)])
    assert "a remote service runs already" in str(ended.exception)
    assert list(tmp_path.iterdir()) == []
