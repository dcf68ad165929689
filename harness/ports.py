"""Free loopback ports, each handed out once."""

import random
import socket
from pathlib import Path

from architectures.server_config import HOST

_FIRST = 20_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


class NoFreePortError(Exception):
    """Every port below the ephemeral range is taken."""


class Ports:
    """Hands out ports outside the ephemeral range.

    A port inside it could be taken by anybody's outgoing connection, the load generator's
    included, between being found free and being bound.
    """

    def __init__(self) -> None:
        ephemeral = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768
        below = range(_FIRST, max(ephemeral, _FIRST + 1000))
        # In random order: two harnesses on one machine would otherwise race for the same ports.
        self._candidates = iter(random.sample(below, len(below)))

    def free(self) -> int:
        """The next free port.

        Raises:
            NoFreePortError: none is left.
        """
        for port in self._candidates:
            with socket.socket() as probe:
                try:
                    probe.bind((HOST, port))
                except OSError:
                    continue
                return port
        raise NoFreePortError("no loopback port is free below the ephemeral range; end some server")


PORTS = Ports()
"""One per process, so that two deployments of one harness never meet."""
