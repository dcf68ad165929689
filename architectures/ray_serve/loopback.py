"""What Ray Serve binds to every interface without a setting for it, brought to loopback.

An open port that unpickles what it is sent has no place on a laptop in a train.
"""

from importlib import import_module
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
