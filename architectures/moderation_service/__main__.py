"""``python -m architectures.moderation_service``: serve until SIGTERM or SIGINT."""

import argparse
import asyncio
import json
import signal
import sys

from aiohttp import web

from architectures.moderation_service import __doc__ as about
from architectures.moderation_service.script import Script
from architectures.moderation_service.service import ModerationService
from architectures.server_config import HOST

_SHUTDOWN_S = 0.5
"""For requests in flight when it is ended; a frozen one would last for ever."""


def main() -> int:
    """Serve; the exit code."""
    asked = _arguments()
    try:
        script = Script().with_changes(json.loads(asked.script))
    except ValueError as error:
        print(f"moderation_service: --script: {error}", file=sys.stderr)
        return 2
    asyncio.run(_serve(script, asked.port))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m architectures.moderation_service",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="of loopback; 0 takes a free one")
    parser.add_argument("--script", default="{}", help="JSON: what to do to each request")
    return parser.parse_args()


async def _serve(script: Script, port: int) -> None:
    runner = web.AppRunner(
        ModerationService(script).application(),
        access_log=None,
        shutdown_timeout=_SHUTDOWN_S,
        handler_cancellation=True,  # or a frozen one would keep every request for ever
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        host, bound = runner.addresses[0][:2]
        print(f"ready http://{host}:{bound}", flush=True)
        await _told_to_stop()
    finally:
        await runner.cleanup()


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


if __name__ == "__main__":
    raise SystemExit(main())
