"""The broker itself: ``redis-server`` on a loopback port, for one deployment and its lifetime.

``python -m architectures.microservices.over_broker.redis_server``, started by a deployment. This
process becomes ``redis-server``. A witness that it leaves behind tells, over HTTP, who asks first
that Redis is ready, since Redis speaks no HTTP, and ends.
"""

import os
import shutil
import socket
import sys
from time import sleep
from typing import Final
from urllib.parse import urlsplit

from architectures.backends import BackendError
from architectures.microservices.over_broker import BROKER
from architectures.server_config import HOST, ServerConfig, from_environment

PROGRAM: Final = "redis-server"
_POLL_S: Final = 0.02
_PATIENCE_S: Final = 60.0
_CONFIG: Final = """\
bind {host}
port {port}
requirepass {password}
protected-mode yes
daemonize no
dir {directory}
save ""
appendonly no
maxmemory {memory_bytes}
maxmemory-policy noeviction
loglevel warning
"""


def program() -> str:
    """Where ``redis-server`` is.

    Raises:
        BackendError: it is not installed.
    """
    found = shutil.which(PROGRAM)
    if found is None:
        raise BackendError(
            f"variant 'broker' of microservices needs {PROGRAM}, which is not on PATH: install "
            "Debian's package `redis-server` (7 or later), or choose another variant"
        )
    return found


def configuration(config: ServerConfig) -> bytes:
    """What Redis is told: nothing is written to disk, and nothing is thrown away unasked."""
    url = urlsplit(config.peers[BROKER])
    text = _CONFIG.format(
        host=HOST,
        port=url.port,
        password=url.password,
        directory=config.directory,
        memory_bytes=config.options["broker_memory_bytes"],
    )
    return text.encode()


def main() -> None:
    """Become the broker."""
    config = from_environment()
    path = program()
    _leave_witness(urlsplit(config.peers[BROKER]).port or 0, config.port)
    readable, writable = os.pipe()
    os.write(writable, configuration(config))  # the password's way: `ps` shows arguments to all
    os.close(writable)
    os.dup2(readable, sys.stdin.fileno())
    os.execv(path, [PROGRAM, "-"])  # noqa: S606 - an argument vector, no shell


def _leave_witness(broker: int, port: int) -> None:
    """Fork twice: the witness must not be Redis's child, which would not collect it."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        if not os.fork():
            _witness(broker, port)
    finally:
        os._exit(0)


def _witness(broker: int, port: int) -> None:
    """Wait for the broker, then tell one who asks."""
    for _ in range(round(_PATIENCE_S / _POLL_S)):
        try:
            socket.create_connection((HOST, broker), timeout=1).close()
        except OSError:
            sleep(_POLL_S)
        else:
            _tell(port)
            return


def _tell(port: int) -> None:
    with socket.create_server((HOST, port)) as listening:
        listening.settimeout(_PATIENCE_S)
        asking, _ = listening.accept()
        with asking:
            asking.settimeout(_PATIENCE_S)
            asking.recv(4096)
            asking.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")


if __name__ == "__main__":
    main()
