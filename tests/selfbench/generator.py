"""What our generator costs and how late it sends, beside the machine's own noise and other tools.

Every tool sends 50 KB bodies from the same core to the same server on another: a C program that
answers at once. The control sleeps through the same plan with ``clock_nanosleep`` right before
each of our turns; tools take turns, round after round, and medians over rounds are shown.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from architectures.plugin import Example
from harness.drive import boot
from tests.selfbench.native import HERE, build, control_lags_ns, pinned, sink, tool
from tests.selfbench.rows import Row, medians
from workloads.payloads import write_payloads
from workloads.plan import PlanHeader, build_plan, write_plan
from workloads.sample import Outcome, read_samples

BODY_BYTES = 50_000
RATES = ((100, 1), (500, 1), (1000, 1), (2000, 1), (2000, 2))
"""Offered rates, and with how many load workers."""

_WARM_UP_S = 1.0
_CLIENTS = 10
_BOOT_S = 1.0


@dataclass(frozen=True, slots=True)
class Rig:
    """What every tool is measured on.

    Attributes:
        core: of the tool; the server has another.
        seconds: of load in each turn.
        control: the program that only sleeps.
    """

    core: int
    url: str
    folder: Path
    seconds: float
    control: Path


def measure(core: int, server_core: int, rounds: int, seconds: float) -> list[Row]:
    """Every tool's medians over some rounds."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        control, server = build("control", folder), build("sink", folder)
        body = np.random.default_rng(1).bytes(BODY_BYTES)
        payload = Example(0, body, "application/octet-stream", {})
        write_payloads(folder / "payloads.parquet", [payload])
        with sink(server, server_core) as (url, _):
            rig = Rig(core, url, folder, seconds, control)
            rows = [row for round_ in range(rounds) for row in _round(rig, round_)]
    return medians(rows, ("tool", "offered_rps", "workers"))


def _round(rig: Rig, round_: int) -> Iterator[Row]:
    for tool_of in (_wrk, _bare):
        yield tool_of(rig)
    for rate_rps, workers in RATES:
        yield from _ours(rig, rate_rps, workers, seed=round_ + 1)


def _ours(rig: Rig, rate_rps: int, workers: int, seed: int) -> Iterator[Row]:
    header = PlanHeader("poisson", ("tag",), rate_rps, _WARM_UP_S, rig.seconds, seed)
    plan, path = build_plan(header, payloads=1), rig.folder / "plan.parquet"
    write_plan(path, plan)
    at = {"offered_rps": float(rate_rps), "workers": workers}
    if workers == 1:
        lags_ns = control_lags_ns(rig.control, rig.core, plan.offsets_ns)
        yield {"tool": "clock_nanosleep", **at, **_lag(lags_ns)}
    with boot(
        plan=path,
        payloads=rig.folder / "payloads.parquet",
        url=rig.url,
        directory=rig.folder,
        cores=(rig.core,),
        workers=workers,
        max_in_flight=800 * workers,
        drain_s=2.0,
        slo_s=0.2,
    ) as generator:
        result = generator.play()
    samples = read_samples(result.samples)
    intended, sent, received = (
        samples[f"{name}_ns"].to_numpy() for name in ("intended", "sent", "received")
    )
    steady = (intended >= result.phases.steady_ns) & (sent > 0)
    good = samples["outcome"].to_numpy() == Outcome.OK
    yield {
        "tool": "servebench",
        **at,
        "sent_rps": float(steady.sum() / rig.seconds),
        "cpu_us": result.report["cpu_s"] / result.report["sent"] * 1e6,
        **_lag((sent - intended)[steady]),
        "service_p50_ms": float(np.median((received - sent)[steady & good]) / 1e6),
        "dropped": result.report["dropped"],
    }


def _lag(lags_ns: np.ndarray) -> Row:
    p50, p99 = np.percentile(lags_ns, (50, 99)) / 1e6
    return {"lag_p50_ms": float(p50), "lag_p99_ms": float(p99)}


def _bare(rig: Rig) -> Row:
    """Stock FastHttpUser at saturation: the least CPU that Locust spends on a request."""
    words = (
        *(sys.executable, "-m", "locust", "-f", HERE / "bare_locustfile.py", "--host", rig.url),
        *("--headless", "-u", _CLIENTS, "-r", _CLIENTS, "-t", f"{rig.seconds + _BOOT_S:g}s"),
        *("--only-summary", "--stop-timeout", "1"),
    )
    done = subprocess.run(
        pinned(rig.core, *words), capture_output=True, text=True, check=True, cwd=rig.folder
    )
    idle_s = _import_s(rig)
    requests, cpu_s = map(float, _found(r"BARE (\d+) ([\d.]+)", done.stdout))
    return {
        "tool": "FastHttpUser, closed loop",
        "sent_rps": requests / (rig.seconds + _BOOT_S),
        "cpu_us": (cpu_s - idle_s) / requests * 1e6,
    }


def _import_s(rig: Rig) -> float:
    """CPU-seconds of starting Locust, which are no request's."""
    code = "import os, locust; t = os.times(); print(t.user + t.system)"
    done = subprocess.run(
        pinned(rig.core, sys.executable, "-c", code), capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def _wrk(rig: Rig) -> Row:
    """The fastest there is, in C, closed loop."""
    script, body = rig.folder / "post.lua", rig.folder / "body"
    body.write_bytes(b"x" * BODY_BYTES)
    script.write_text(
        f'wrk.method = "POST"\nlocal f = io.open("{body}", "rb")\nwrk.body = f:read("*all")\n'
    )
    words = (
        *(tool("wrk", "wrk"), "-t1", f"-c{_CLIENTS}", f"-d{rig.seconds:g}", "-s", script, rig.url),
    )
    return _timed(
        pinned(rig.core, *words), lambda text: float(_found(r"(\d+) requests in", text)[0]), rig
    )


def _timed(command: list[str], count: Callable[[str], float], rig: Rig) -> Row:
    code = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True)\n"
        "u = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print('CPU', u.ru_utime + u.ru_stime)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command], capture_output=True, text=True, check=True
    )
    requests, cpu_s = count(done.stdout), float(_found(r"CPU ([\d.]+)", done.stdout)[0])
    return {
        "tool": "wrk, closed loop",
        "sent_rps": requests / rig.seconds,
        "cpu_us": cpu_s / requests * 1e6,
    }


def _found(pattern: str, text: str) -> tuple[str, ...]:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"{pattern!r} is not in:\n{text}")
    return found.groups()
