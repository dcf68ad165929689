"""``python -m harness web`` as a person runs it: a process, its terminal, and its page by HTTP."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import psutil

from tests.waiting import until

ROOT = Path(__file__).parents[1]
SECOND = ROOT / "tests" / "second_ensemble"
WITHOUT_TORCH = ("--ensemble", "language_guess", "--tier", "plain", "--search-path", str(SECOND))
_OPENER = build_opener(ProxyHandler({}))
_WHO = {"Content-Type": "application/x-www-form-urlencoded"}


def page(url: str, form: bytes | None = None) -> str:
    """GET, or POST a form; where it is sent on to another page, that one."""
    request = Request(url, data=form, headers=_WHO if form else {})  # noqa: S310 - our own
    with _OPENER.open(request, timeout=60) as answer:
        return str(answer.read().decode())


class LiveSession:
    """A session that was started, what it has printed so far, and its page."""

    def __init__(self, arguments: tuple[str, ...], **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "harness", "web", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env={**os.environ, **environment},
        )
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def printed(self) -> str:
        return "\n".join(self.lines)

    def says(self, pattern: str) -> str:
        """The first group of what it prints, once it has."""

        def found() -> re.Match[str] | None:
            match = re.search(pattern, self.printed)
            assert match or self.process.poll() is None, self.printed
            return match

        return str(until(found).group(1))

    @property
    def url(self) -> str:
        return self.says(r"(?m)^open (http://\S+)")

    def ask(self, path: str, form: dict[str, Any] | None = None) -> str:
        body = None if form is None else urlencode(form).encode()
        return page(self.url + path, body)

    def start(self, **form: Any) -> None:
        """Press Start as the page does."""
        asked = {"rate": 60, "arrivals": "poisson", "graph": "guess", **form}
        answer = json.loads(self.ask("/swarm", asked))
        assert answer["success"], answer

    def stop(self) -> None:
        """Press Stop as the page does."""
        self.ask("/stop", {"": ""})

    def tab(self, key: str) -> list[dict[str, Any]]:
        """The rows of one of our tabs, as the page gets them."""
        figures = json.loads(self.ask("/stats/requests"))
        return next(t["data"] for t in figures["extended_stats"] if t["key"] == key)

    def below(self) -> list[psutil.Process]:
        """Every process that it has started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """End it so; its exit status."""
        self.process.send_signal(number)
        status = self.process.wait(60)
        self._reading.join()
        return status


@contextmanager
def live_session(*arguments: str, **environment: str) -> Iterator[LiveSession]:
    """A session, ended at the end of the block if it has not been."""
    session = LiveSession(arguments, **environment)
    try:
        yield session
    finally:
        if session.process.poll() is None:
            session.end()
        session._reading.join()
        assert session.process.stdout is not None
        session.process.stdout.close()
