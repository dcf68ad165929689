"""TCP payload between real processes, against what they say they exchanged."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.network import Traffic
from harness.processes import read_file
from harness.sockets import SocketDiagnosis
from harness.usage import Target, watch

ASKED, ANSWERED, EXCHANGES = 50_001, 1_234_567, 7

SERVER = f"""
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    while connection.recv({ASKED}, socket.MSG_WAITALL):
        connection.sendall(bytes({ANSWERED}))
    connection.close()
"""

CLIENT = f"""
import socket, sys
sys.stdin.readline()
for fresh in (False, True):
    for number in range({EXCHANGES}):
        if fresh or not number:
            connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        connection.sendall(bytes({ASKED}))
        assert len(connection.recv({ANSWERED}, socket.MSG_WAITALL)) == {ANSWERED}
        if fresh:
            connection.close()
    print("done", flush=True)
    sys.stdin.readline()
"""


def diagnosed() -> bool:
    diagnosis = SocketDiagnosis.open()
    if diagnosis is not None:
        diagnosis.close()
    return diagnosis is not None


pytestmark = pytest.mark.skipif(
    not diagnosed(), reason="the kernel has no NETLINK_SOCK_DIAG for us"
)


@contextmanager
def running(program: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def told(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def tell(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()


@contextmanager
def pair() -> Iterator[tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]]:
    with running(SERVER) as server, running(CLIENT, told(server)) as client:
        yield server, client


def until(condition: Callable[[], bool]) -> bool:
    for _ in range(50):
        if condition():
            return True
        time.sleep(0.1)
    return False


def test_payload_of_a_lasting_connection_is_counted_to_the_byte_at_both_ends() -> None:
    with pair() as (server, client):
        pids = (server.pid, client.pid)
        traffic = Traffic()
        before = traffic.read(pids)
        tell(client)
        assert told(client) == "done"
        after = traffic.read(pids)
        traffic.close()
    assert before == {server.pid: (0, 0), client.pid: (0, 0)}
    asked, answered = ASKED * EXCHANGES, ANSWERED * EXCHANGES
    assert after == {server.pid: (answered, asked), client.pid: (asked, answered)}


def test_connections_that_came_and_went_between_readings_count_for_who_listened() -> None:
    asked, answered = ASKED * EXCHANGES, ANSWERED * EXCHANGES
    with pair() as (server, client):
        pids = (server.pid, client.pid)
        traffic = Traffic()
        traffic.read(pids)
        tell(client)
        told(client)
        lasting = traffic.read(pids)
        tell(client)
        assert told(client) == "done"
        ended = {}

        def heard() -> bool:
            ended.update(traffic.read(pids) or {})
            return ended[server.pid][0] == 2 * answered

        assert until(heard), ended
        traffic.close()
    assert lasting is not None
    sent, received = ended[server.pid]
    # How a connection ended is not told, and a FIN is counted as a byte: one less at most.
    assert sent == 2 * answered
    assert 2 * asked - EXCHANGES <= received <= 2 * asked
    # The last of them is still open where it was found; the first lasts.
    assert ended[client.pid][0] >= lasting[client.pid][0]


def test_the_table_has_payload_by_component_and_strangers_have_none() -> None:
    with pair() as (server, client), pair() as (_, stranger):
        with watch((Target({"gateway": server.pid, "model": client.pid}),)) as usage:
            for process in (client, stranger):
                tell(process)
                assert told(process) == "done"
        rows = usage.table().to_pylist()
    last = {row["component"]: row for row in rows}
    assert last["gateway"]["sent_bytes"] == last["model"]["received_bytes"] == ANSWERED * EXCHANGES
    assert last["gateway"]["received_bytes"] == last["model"]["sent_bytes"] == ASKED * EXCHANGES


def test_loopback_carried_at_least_what_was_counted() -> None:
    def carried() -> int:
        return int(read_file("/proc/net/dev").partition(b" lo:")[2].split()[0])

    with pair() as (server, client):
        traffic, before = Traffic(), carried()
        tell(client)
        told(client)
        counted = (traffic.read((server.pid,)) or {})[server.pid]
        traffic.close()
        assert carried() - before >= sum(counted) > 0


def test_a_process_that_is_not_there_is_no_error() -> None:
    traffic = Traffic()
    assert traffic.read((2**22 + 1,)) == {2**22 + 1: (0, 0)}
    traffic.close()


@pytest.mark.skipif(
    subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True).returncode != 0,  # noqa: S607
    reason="no network namespace may be made here",
)
def test_a_process_in_another_network_is_not_said_to_have_sent_nothing() -> None:
    with subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE) as apart:  # noqa: S607
        try:
            own = Path("/proc/self/ns/net").readlink()
            assert until(lambda: Path(f"/proc/{apart.pid}/ns/net").readlink() != own)
            with watch((Target({"apart": apart.pid}),)) as usage:
                pass
        finally:
            apart.kill()
    assert set(usage.table()["sent_bytes"].to_pylist()) == {None}
    assert usage.table()["threads"].to_pylist()[-1] == 1
