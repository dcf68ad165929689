"""Readings taken in a thread of their own while a trial runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic_ns

from harness.usage.accounts import Target
from harness.usage.readings import Usage

PERIOD_S = 0.2

CHEAP_SHARE = 0.005
"""Of a core. With very many processes even what is cheap is read more seldom."""


@contextmanager
def watch(targets: tuple[Target, ...]) -> Iterator[Usage]:
    """Read usage in a thread of its own until the block ends.

    Raises:
        Exception: whatever reading raised, at the end of the block.
    """
    usage = Usage(targets)
    stop = threading.Event()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            _read_until(usage, stop)
        except Exception as error:  # noqa: BLE001 - raised again where the block ends
            failed.append(error)

    thread = threading.Thread(target=run, name="usage", daemon=True)
    thread.start()
    try:
        yield usage
    finally:
        stop.set()
        thread.join()
        usage.close()
    if failed:
        raise failed[0]


def _read_until(usage: Usage, stop: threading.Event) -> None:
    usage.read()
    # The first reading meets every process of the machine, strangers too: its cost is no measure of
    # the next one's, which must come before the idle period is over.
    cheap_s = 0.0
    next_ns = monotonic_ns()
    while True:
        next_ns += int(max(PERIOD_S, cheap_s / CHEAP_SHARE) * 1e9)
        if stop.wait(max(0.0, (next_ns - monotonic_ns()) / 1e9)):
            break
        cheap_s = usage.read()
    usage.read(whole=True)
