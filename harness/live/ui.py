"""Locust's own web UI over a SUT: its process, and the words it says while people play with it."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.bench import Bench
from harness.drive import DriveError, Said
from harness.http import ask
from harness.live.listen import Listen, write_password
from harness.locust_process import LocustProcess
from harness.subject import Running
from harness.trial import TIMEOUT_MARGIN_S

PANELS = "panels.json"
FOLDER = "attempts"
"""Of the run: Locust makes a folder an attempt in it."""

WARM_UP_S = 2.0
"""What the form begins with."""

_BOOT_LIMIT_S = 60.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class WebUi:
    """A web UI that is up.

    Attributes:
        workers: processes that send.
    """

    process: LocustProcess
    said: Said
    workers: int

    def hear(self) -> tuple[str, str]:
        """The next word and the rest of its line; empty ones if none comes within a moment.

        Raises:
            DriveError: Locust has ended.
        """
        word, _, rest = self.said.line().partition(" ")
        return word, rest

    def stop(self) -> None:
        """Have the attempt that is played end now, as the page's own Stop does."""
        self.process.control.sendall(b"stop\n")


@contextmanager
def web_ui(
    bench: Bench, running: Running, graphs: Iterable[str], listen: Listen, private: Path
) -> Iterator[WebUi]:
    """The web UI over a SUT, until the block ends; load comes from processes of their own.

    Args:
        bench: what all attempts share.
        running: the SUT.
        graphs: those that may be asked for.
        listen: where the page listens.
        private: a folder that only we read: for the password, and what the page shows of us.

    Raises:
        DriveError: it did not come up.
    """
    scenario = bench.scenario
    load, workers = scenario.load, scenario.generator.workers or 1
    options: dict[str, object] = {
        "host": running.url,
        "payloads": bench.directory.payloads.resolve(),
        "graph": scenario.ensemble.graph,
        "graphs": ",".join(graphs),
        "warm-up": WARM_UP_S,
        "out": (bench.directory.path / FOLDER).resolve(),
        "panels": private / PANELS,
        "answer-every": load.answer_every,
        "max-in-flight": load.max_in_flight,
        "timeout-s": scenario.policy.deadline_s + TIMEOUT_MARGIN_S,
        "drain-s": load.drain_s,
        "slo-s": scenario.slo.response_time_s,
        "web-host": listen.host,
        "web-port": listen.port,
    }
    if listen.password:
        path = private / "web-password"
        write_password(path, listen.password)
        options["web-password-file"] = path
    process = LocustProcess(
        (),
        options,
        directory=bench.directory.logs,
        cores=bench.cores.harness,
        workers=workers,
        apart=True,
    )
    try:
        process.control.sendall(b"go\n")
        _await_page(process, listen.own_url)
        yield WebUi(process, Said(process), workers)
    finally:
        process.end()


def _await_page(process: LocustProcess, address: str) -> None:
    """Until it answers anything: a page that asks for a password answers by asking."""
    limit_ns = time.perf_counter_ns() + int(_BOOT_LIMIT_S * 1e9)
    while process.running() and time.perf_counter_ns() < limit_ns:
        try:
            ask(address, timeout_s=5.0)
        except OSError:
            time.sleep(_POLL_S)
        else:
            return
    raise DriveError(f"Locust's web UI did not come up.\n{process.last_lines()}")
