"""Real PostgreSQL and Redis on free loopback ports, with passwords, until the block ends.

Each also ends with the thread that started it, so that a killed test run leaves none behind.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

READY_WITHIN_S = 60.0
ENDS_WITHIN_S = 15.0
ATTEMPTS = 5
"""Somebody else may take a port between its choice and its use."""

POSTGRES_BINARIES = "/usr/lib/postgresql/*/bin"
POSTGRES_USER = "postgres"
SETPRIV = "/usr/bin/setpriv"


class ServerError(Exception):
    """A server is not installed, or does not start."""


@contextmanager
def redis_server() -> Iterator[str]:
    """Its ``redis://`` URL; nothing is kept on disk."""
    program = shutil.which("redis-server")
    if program is None:
        raise ServerError("there is no redis-server: apt-get install redis-server")
    password = secrets.token_hex(8)
    with TemporaryDirectory(prefix="redis-") as place:

        def command(port: int) -> list[str]:
            options = f"--bind 127.0.0.1 --port {port} --dir {place} --save --appendonly no"
            return [program, *options.split(" "), "--requirepass", password]

        def answers(port: int) -> bool:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
                client.sendall(f"AUTH {password}\r\nPING\r\n".encode())
                return client.makefile("rb").read(12) == b"+OK\r\n+PONG\r\n"

        with _running(command, signal.SIGTERM, answers, Path(place, "log")) as port:
            yield f"redis://:{password}@127.0.0.1:{port}/0"


@contextmanager
def postgres_server() -> Iterator[str]:
    """The ``postgresql://`` URL of an empty database that belongs to its user."""
    binaries = sorted(Path("/").glob(POSTGRES_BINARIES.lstrip("/") + "/initdb"))
    if not binaries:
        raise ServerError(f"there is no initdb in {POSTGRES_BINARIES}: apt-get install postgresql")
    programs = binaries[-1].parent
    password = secrets.token_hex(8)
    with TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as place:
        data = Path(place, "data")
        _initialise(programs, Path(place), data, password)
        fast = "fsync=off synchronous_commit=off full_page_writes=off"
        # Segments in its own folder: those in /dev/shm would outlive a server that is killed.
        own = f"dynamic_shared_memory_type=mmap unix_socket_directories={place}"

        def command(port: int) -> list[str]:
            settings = f"{fast} {own} listen_addresses=127.0.0.1 port={port}".split(" ")
            options = [word for setting in settings for word in ("-c", setting)]
            return [str(programs / "postgres"), "-D", str(data), *options]

        def answers(port: int) -> bool:
            asked = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
            return subprocess.run(asked, check=False, timeout=READY_WITHIN_S).returncode == 0

        # SIGINT is its fast shutdown: it waits for no client.
        running = _running(command, signal.SIGINT, answers, Path(place, "log"), _unprivileged())
        with running as port:
            yield f"postgresql://{POSTGRES_USER}:{password}@127.0.0.1:{port}/postgres"


def _initialise(programs: Path, place: Path, data: Path, password: str) -> None:
    """Make a cluster; neither it nor its server may belong to root."""
    told = place / "password"
    told.write_text(password, "ascii")
    if os.getuid() == 0:
        for path in (place, told):
            shutil.chown(path, POSTGRES_USER)
    options = f"-D {data} -U {POSTGRES_USER} --pwfile {told} -A scram-sha-256 -E UTF8 --locale=C"
    made = subprocess.run(
        [SETPRIV, *_unprivileged(), str(programs / "initdb"), *options.split(" "), "--no-sync"],
        capture_output=True,
        text=True,
        check=False,
        timeout=READY_WITHIN_S,
        cwd=place,
    )
    told.unlink()
    if made.returncode != 0:
        raise ServerError(f"initdb failed: {made.stderr or made.stdout}")


def _unprivileged() -> tuple[str, ...]:
    """What setpriv is told so that a program does not run as root."""
    if os.getuid() != 0:
        return ()
    return ("--reuid", POSTGRES_USER, "--regid", POSTGRES_USER, "--clear-groups")


@contextmanager
def _running(
    command: Callable[[int], Sequence[str]],
    ending: signal.Signals,
    answers: Callable[[int], bool],
    log: Path,
    privileges: Sequence[str] = (),
) -> Iterator[int]:
    """Run a server until the block ends; gives its port."""
    # The kernel ends it where the thread that started it dies; becoming somebody else would undo
    # that, so one program sets both.
    bound = [SETPRIV, *privileges, "--pdeathsig", ending.name.removeprefix("SIG")]
    for _ in range(ATTEMPTS):
        port = _free_port()
        with log.open("ab") as out:
            process = subprocess.Popen(
                [*bound, *command(port)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=log.parent,
            )
        try:
            if _answers_in_time(process, answers, port):
                yield port
                return
        finally:
            _end(process, ending)
    raise ServerError(f"{command(0)[0]} did not start: {log.read_text('utf-8', 'replace')[-2000:]}")


def _answers_in_time(
    process: subprocess.Popen[bytes], answers: Callable[[int], bool], port: int
) -> bool:
    end = time.monotonic() + READY_WITHIN_S
    while process.poll() is None and time.monotonic() < end:
        try:
            if answers(port):
                return True
        except OSError:
            pass  # it does not listen yet
        time.sleep(0.02)
    return False


def _end(process: subprocess.Popen[bytes], ending: signal.Signals) -> None:
    process.send_signal(ending)
    try:
        process.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
