"""Who is awaited where, what is refused before anything starts, and how the end is told."""

import socket
import threading
import time

import pytest

from harness.ports import PORTS
from harness.remote_workers import (
    RemoteWorkers,
    awaited,
    farewell,
    is_loopback,
    remote_workers,
    who_came,
)
from harness.scenario_file import ScenarioError, parse_scenario
from harness.worker import Lookout, Master, WorkerError, work

EVERYWHERE = "0.0.0.0"  # noqa: S104 - named, not bound
NOT_OURS = "203.0.113.1"  # kept for documents (RFC 5737): no machine has it
SCENARIO = """
name = "spread"
suts = [SUT]
[load]
rates = [10]
[generator]
remote_workers = COUNT
bind = "BIND"
port = 5601
[remote.there]
url = "URL"
"""


def scenario(
    sut: str = '"null_service"', count: int = 2, bind: str = "127.0.0.1", url: str = "http://x:1"
) -> str:
    filled = SCENARIO.replace("SUT", sut).replace("COUNT", str(count))
    return filled.replace("BIND", bind).replace("URL", url)


def test_absent_unless_asked_for() -> None:
    assert remote_workers(parse_scenario(scenario(count=0), "f.toml")) is None
    asked = remote_workers(parse_scenario(scenario(), "f.toml"))
    assert asked == RemoteWorkers(2, "127.0.0.1", 5601)
    assert asked.command == "python -m harness worker --master 127.0.0.1:5601"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"bind": EVERYWHERE}, "null_service is deployed on this machine's loopback"),
        ({"bind": "10.0.0.5"}, "name only remote:NAME in suts"),
        (
            {"bind": "10.0.0.5", "sut": '"remote:there"', "url": "http://127.0.0.1:80"},
            "remote.there.url = 'http://127.0.0.1:80' is loopback",
        ),
    ],
)
def test_what_other_machines_cannot_reach_is_refused(changed: dict[str, str], words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        parse_scenario(scenario(**changed), "f.toml")


@pytest.mark.parametrize(
    "changed",
    [{}, {"count": 0, "bind": EVERYWHERE}, {"bind": "10.0.0.5", "sut": '"remote:there"'}],
)
def test_what_they_reach_is_not(changed: dict[str, str]) -> None:
    assert parse_scenario(scenario(**changed), "f.toml").generator.port == 5601


def test_loopback_by_address_and_by_name() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "127.9.9.9")] == [
        True
    ] * 4
    assert [is_loopback(host) for host in (EVERYWHERE, "10.0.0.5", "vm", "*")] == [False] * 4


def test_our_own_workers_find_the_master_wherever_it_listens() -> None:
    assert RemoteWorkers(1, EVERYWHERE, 1).near == "127.0.0.1"
    assert RemoteWorkers(1, "10.0.0.5", 1).near == "10.0.0.5"
    assert RemoteWorkers(1, EVERYWHERE, 9).command.endswith(f"--master {socket.gethostname()}:9")


def test_an_error_names_who_came_and_how_to_start_the_others() -> None:
    asked = RemoteWorkers(2, "10.0.0.5", 5601)
    words = who_came(asked, {"here": "1 1 0 2", "turned_away": "vm: other code"})
    assert "0 of 2 remote load workers came, and 1 of 1 of our own" in words
    assert "start each missing one with: python -m harness worker --master 10.0.0.5:5601" in words
    assert words.endswith("turned away: vm: other code")
    assert who_came(None, {}) == ""
    assert "0 of 2" in who_came(asked, {})


def test_the_end_of_a_run_is_told_even_if_it_ends_badly() -> None:
    asked = RemoteWorkers(2, "127.0.0.1", PORTS.free())
    said: list[str] = []
    ended: list[str] = []
    master = Master("127.0.0.1", asked.port)
    workers = [
        threading.Thread(target=work, args=(master, 30.0, None, ended.append)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    with pytest.raises(KeyboardInterrupt), awaited(asked, said.append):
        raise KeyboardInterrupt
    for worker in workers:
        worker.join(10)
    assert ended.count("the run is over; 0 trials played") == 2
    assert len(said) == 1  # loopback needs no warning
    assert asked.command in said[0]


def test_beyond_loopback_is_warned_of_in_one_line() -> None:
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt), awaited(RemoteWorkers(1, NOT_OURS, 1), said.append):
        raise KeyboardInterrupt
    assert len(said) == 2
    assert "no authentication" in said[1]
    assert "\n" not in said[1]


def test_a_locust_that_connects_again_does_not_use_up_the_farewell() -> None:
    asked = RemoteWorkers(1, "127.0.0.1", PORTS.free())
    lookout = Lookout(Master("127.0.0.1", asked.port))
    told: list[int] = []
    end = threading.Thread(target=lambda: told.append(farewell(asked)))
    end.start()
    greeted = False
    until_ns = time.perf_counter_ns() + 10**10
    while not greeted and time.perf_counter_ns() < until_ns:
        try:
            with socket.create_connection(("127.0.0.1", asked.port)) as locust:
                locust.sendall(b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f")
                greeted = bool(locust.recv(64))
        except OSError:
            time.sleep(0.05)
    assert not lookout.finds_a_trial(10)
    end.join()
    assert (greeted, lookout.over, told) == (True, True, [1])


def test_a_port_of_somebody_else_is_no_master_and_no_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        serving = threading.Thread(target=lambda: other.accept()[0].sendall(b"SSH-2.0-OpenSSH\r\n"))
        serving.start()
        lookout = Lookout(Master("127.0.0.1", port))
        assert not lookout.sees_a_master()
        serving.join()
    assert not lookout.over
    assert farewell(RemoteWorkers(1, "127.0.0.1", port), limit_s=0.01) == 0


@pytest.mark.parametrize("text", ["", ":5557", "host:", "host:port", "host:0", "host:70000"])
def test_what_is_no_address_is_said(text: str) -> None:
    with pytest.raises(WorkerError, match="is no address; give HOST or HOST:PORT"):
        Master.parse(text)


def test_an_address_has_a_usual_port() -> None:
    assert str(Master.parse("box")) == "box:5557"
    assert Master.parse("10.0.0.5:99") == Master("10.0.0.5", 99)


def test_no_run_within_the_patience_is_an_error() -> None:
    with pytest.raises(WorkerError, match=r"within 0\.2 s; start a run whose scenario has"):
        work(Master("127.0.0.1", PORTS.free()), 0.2, None, lambda _: None)
