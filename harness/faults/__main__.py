"""``python -m harness.faults``: make one fault until told to stop."""

import argparse
import asyncio
import signal
import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from architectures.server_config import HOST
from harness.faults import __doc__ as about
from harness.faults.control import controlled
from harness.faults.lock import held
from harness.faults.proxy import Proxy

_ANSWER_S = 10.0
_ENDS = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    """Make the fault; the exit code."""
    asked = _arguments()
    if asked.fault == "lock":
        return _lock(asked.file, asked.seconds)
    host, _, port = asked.to.rpartition(":")
    asyncio.run(_proxy(host, int(port), asked.port))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m harness.faults",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    faults = parser.add_subparsers(dest="fault", required=True)
    proxy = faults.add_parser("proxy", help="stand between a SUT and a backend")
    proxy.add_argument("--to", required=True, metavar="HOST:PORT", help="the backend")
    proxy.add_argument("--port", type=int, default=0, help="of loopback; 0 takes a free one")
    lock = faults.add_parser("lock", help="hold an SQLite file's write lock")
    lock.add_argument("file", type=Path)
    lock.add_argument("seconds", type=float)
    return parser.parse_args()


async def _proxy(host: str, port: int, own_port: int) -> None:
    loop = asyncio.get_running_loop()
    proxy = Proxy(host, port)
    server = await proxy.listen(own_port)

    def follow(changes: Mapping[str, Any]) -> Mapping[str, Any]:
        return asyncio.run_coroutine_threadsafe(proxy.follow(changes), loop).result(_ANSWER_S)

    try:
        with controlled(follow) as url:
            bound = server.sockets[0].getsockname()[1]
            print(f"ready {HOST}:{bound} control {url}", flush=True)
            await _told_to_stop()
    finally:
        server.close()
        await proxy.reset()


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    for number in _ENDS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def _lock(file: Path, seconds: float) -> int:
    try:
        with held(file):
            # Blocked, or either would end this process before it is waited for.
            signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
            print("ready", flush=True)
            signal.sigtimedwait(_ENDS, seconds)
    except sqlite3.OperationalError as error:
        print(f"faults: {file}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
