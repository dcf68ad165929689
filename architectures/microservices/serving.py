"""One uvicorn server in this process, set up alike for the gateway and for every service."""

from typing import Any

import uvicorn

from architectures.server_config import HOST
from architectures.spec import ServingPolicy

_GRACE_S = 5


def serve(app: Any, port: int, policy: ServingPolicy, *, lifespan: bool) -> None:
    """Answer on a loopback port until SIGTERM or SIGINT, then let what runs end.

    Args:
        app: an ASGI application.
        port: to bind.
        policy: its keep-alive time.
        lifespan: whether ``app`` opens and closes something with the server.
    """
    uvicorn.run(
        app,
        host=HOST,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on" if lifespan else "off",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_keep_alive=round(policy.keep_alive_s),
        timeout_graceful_shutdown=_GRACE_S,
    )
