"""Running the door under uvicorn, with the settings every architecture shares."""

import socket

import uvicorn
from fastapi import FastAPI

from architectures.server_config import HOST, ServerConfig

_BACKLOG = 2048
_SHUTDOWN_S = 5


def listening_socket(port: int, *, shared: bool = False) -> socket.socket:
    """Bind a loopback port and listen.

    Args:
        port: the port.
        shared: several sockets may hold the port, and the kernel spreads connections over them.

    Raises:
        OSError: the port is taken.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((HOST, port))
    bound.listen(_BACKLOG)
    bound.set_inheritable(True)
    return bound


def serve(app: FastAPI, config: ServerConfig, bound: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT, then let requests in flight end."""
    settings = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=round(config.policy.keep_alive_s),
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )
    uvicorn.Server(settings).run(sockets=[bound])
