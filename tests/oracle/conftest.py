"""A server of known behaviour, and a short way to play a plan at it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from architectures.plugin import Example
from harness.drive import Counts, DriveResult, boot
from tests.oracle.priority import ahead_of_others
from workloads.payloads import write_payloads
from workloads.plan import PlanHeader, build_plan, write_plan
from workloads.sample import read_samples

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, GENERATOR_CORE = CORES[-1], CORES[0]
BODY_BYTES = 25_000


class Known:
    """A running known server. ``truth`` ends it and gives its own log."""

    def __init__(self, settings: dict[str, Any]) -> None:
        script = Path(__file__).with_name("known_server.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script), json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        os.sched_setaffinity(self._process.pid, [SERVER_CORE])
        ahead_of_others(self._process.pid)
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{self._process.stdout.readline().strip()}"
        self.pid = self._process.pid

    def truth(self) -> dict[str, Any]:
        out, _ = self._process.communicate(timeout=30)
        return json.loads(out)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def known_server() -> Iterator[Callable[..., Known]]:
    """Start servers of known behaviour: ``known_server(service_s=[0.02])``."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Known:
            server = Known(settings)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., tuple[DriveResult, pa.Table]]:
    """Play a plan at a URL: ``play(url, rate_rps=100, steady_s=4)``."""

    def run(
        url: str,
        *,
        arrivals: str = "poisson",
        rate_rps: float = 100.0,
        warm_up_s: float = 0.5,
        steady_s: float = 4.0,
        plan: Mapping[str, Any] | None = None,
        end_early: Callable[[Counts], str | None] = lambda _: None,
        **limits: Any,
    ) -> tuple[DriveResult, pa.Table]:
        header = PlanHeader(arrivals, ("tag",), rate_rps, warm_up_s, steady_s, seed=7)
        header = replace(header, **(plan or {}))
        examples = [Example(i, bytes([i]) * BODY_BYTES, "image/jpeg", {}) for i in range(20)]
        write_payloads(tmp_path / "payloads.parquet", examples)
        write_plan(tmp_path / "plan.parquet", build_plan(header, len(examples)))
        with boot(
            plan=tmp_path / "plan.parquet",
            payloads=tmp_path / "payloads.parquet",
            url=url,
            directory=tmp_path,
            cores=[GENERATOR_CORE],
            **limits,
        ) as generator:
            ahead_of_others(generator.pid)
            result = generator.play(None, end_early)
        return result, read_samples(result.samples)

    return run
