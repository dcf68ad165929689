"""A deployment at rest, seen from outside: processes, ports, memory, traffic."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import psutil

from harness.network import Traffic

Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class AtRest:
    """What a deployment holds.

    Attributes:
        pss_bytes: proportional set size, summed.
    """

    processes: int
    ports: int
    pss_bytes: int


def pids_below(keeper: int) -> list[int]:
    """Every process of a deployment, parents before their children."""
    with suppress(psutil.NoSuchProcess):
        return [process.pid for process in psutil.Process(keeper).children(recursive=True)]
    return []


def at_rest(keeper: int) -> AtRest:
    """Count what is there now."""
    processes = [psutil.Process(pid) for pid in pids_below(keeper) if psutil.pid_exists(pid)]
    ports = {
        connection.laddr.port
        for connections in _each(processes, lambda one: one.net_connections("tcp"))
        for connection in connections
        if connection.status == psutil.CONN_LISTEN
    }
    memory = list(_each(processes, lambda one: int(one.memory_full_info().pss)))
    return AtRest(len(memory), len(ports), sum(memory))


def _each(processes: list[psutil.Process], ask: Callable[[psutil.Process], Told]) -> Iterator[Told]:
    """An answer a process; some end while they are asked."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            yield ask(process)


def sent_bytes(traffic: Traffic, keeper: int) -> int | None:
    """TCP payload that a deployment's processes have sent so far; None if nobody counts."""
    read = traffic.read(pids_below(keeper))
    return None if read is None else sum(sent for sent, _ in read.values())
