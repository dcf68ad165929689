"""The fault proxy and the held lock do what they are told, and end."""

import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest

from harness.faults.between import Between, FaultError, between
from harness.faults.lock import held


class Echo(BaseRequestHandler):
    def handle(self) -> None:
        while chunk := self.request.recv(65536):
            self.request.sendall(chunk)


@pytest.fixture(scope="module")
def started() -> Iterator[Between]:
    with ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with between(f"echo://me:hunter2@127.0.0.1:{server.server_address[1]}/0") as proxy:
                yield proxy
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def proxy(started: Between) -> Between:
    started.tell(delay_s=0, freeze=False, refuse=False, reset=True)
    return started


def _connected(proxy: Between) -> socket.socket:
    address = proxy.url.rpartition("@")[2].removesuffix("/0")
    host, _, port = address.partition(":")
    return socket.create_connection((host, int(port)), timeout=30)


def _echoed(client: socket.socket, message: bytes) -> bytes:
    client.sendall(message)
    received = b""
    while len(received) < len(message):
        chunk = client.recv(65536)
        if not chunk:
            raise EOFError
        received += chunk
    return received


def test_bytes_pass_both_ways_whole(proxy: Between) -> None:
    message = bytes(range(256)) * 2000
    with closing(_connected(proxy)) as client:
        assert _echoed(client, message) == message


def test_the_url_keeps_its_credentials_and_no_repr_has_them(proxy: Between) -> None:
    assert proxy.url.startswith("echo://me:hunter2@127.0.0.1:")
    assert "hunter2" not in repr(proxy)


def test_frozen_keeps_what_is_sent_until_it_thaws(proxy: Between) -> None:
    with closing(_connected(proxy)) as client:
        assert _echoed(client, b"before") == b"before"
        proxy.tell(freeze=True)
        client.sendall(b"kept")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(4)
        proxy.tell(freeze=False)
        client.settimeout(30)
        assert client.recv(4) == b"kept"


def test_a_delay_is_kept_in_both_directions(proxy: Between) -> None:
    proxy.tell(delay_s=0.1)
    with closing(_connected(proxy)) as client:
        client.settimeout(0.19)  # both ways take 0.2 s at least
        client.sendall(b"slow")
        with pytest.raises(TimeoutError):
            client.recv(4)
        client.settimeout(30)
        assert client.recv(4) == b"slow"


def test_reset_ends_what_is_open_and_refuse_what_comes(proxy: Between) -> None:
    with closing(_connected(proxy)) as client:
        assert _echoed(client, b"before") == b"before"
        assert proxy.tell(refuse=True, reset=True)["connections"] == 0
        with pytest.raises(OSError, match="reset"):
            _echoed(client, b"after")
        with pytest.raises(OSError, match="reset"), closing(_connected(proxy)) as other:
            _echoed(other, b"after")
        proxy.tell(refuse=False)
        with closing(_connected(proxy)) as back:
            assert _echoed(back, b"back") == b"back"


@pytest.mark.parametrize("wrong", [{"delay_s": -1}, {"freeze": 1}, {"slow": True}, {"reset": 2}])
def test_a_fault_that_cannot_be_meant_is_refused(proxy: Between, wrong: dict[str, object]) -> None:
    with pytest.raises(FaultError):
        proxy.tell(**wrong)


def test_a_held_lock_lets_nobody_write(tmp_path: Path) -> None:
    path = tmp_path / "file.sqlite"
    with closing(sqlite3.connect(path, timeout=0)) as other:
        other.execute("CREATE TABLE t (x)")
        other.commit()
        with held(path), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO t VALUES (1)")
        other.execute("INSERT INTO t VALUES (1)")


def test_the_lock_of_the_command_line_ends_when_told(tmp_path: Path) -> None:
    path = tmp_path / "file.sqlite"
    with closing(sqlite3.connect(path, timeout=0)) as other:
        other.execute("CREATE TABLE t (x)")
        other.commit()
        holder = subprocess.Popen(
            [sys.executable, "-m", "harness.faults", "lock", str(path), "1000"],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "ready\n"
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("INSERT INTO t VALUES (1)")
        finally:
            holder.terminate()
            assert holder.wait(30) == 0
        other.execute("INSERT INTO t VALUES (1)")


def test_a_file_that_is_not_there_is_no_lock(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError), held(tmp_path / "none.sqlite"):
        pass
    assert not list(tmp_path.iterdir())
