"""Run directories of known truth, written through the real record, plan and sample writers.

A SUT here is a queue with one server, walked by Lindley's recursion over the plan's arrivals, so
every response time is known before the report reads it. Nothing in ``reports`` is imported: what
a test expects comes from here or is worked out by hand.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from architectures.contract import StageTiming, format_server_timing
from harness.record import (
    CapacityRecord,
    CeilingPoint,
    EnsembleRecord,
    Environment,
    Phases,
    Probe,
    RunRecord,
    Sut,
    TrialPlace,
    TrialRecord,
    Verification,
    write_record,
)
from tests.golden.report.simulated_plan import (
    CEILING_CPU_MS,
    CEILING_RATE,
    MICROSERVICES,
    MONOLITH,
    NULL,
    RAY,
    SLOW_HOST,
    Plan,
    Truth,
)
from tests.golden.report.simulated_usage import (
    GPU_POWER_W,
    GPU_SHARE,
    SENT_BYTES,
    SWITCHES,
    write_gpu,
    write_usage,
)
from workloads.plan import LoadPlan, PlanHeader, write_plan
from workloads.sample import Outcome, write_samples

__all__ = [
    "CEILING_RATE",
    "GPU_POWER_W",
    "GPU_SHARE",
    "MICROSERVICES",
    "MONOLITH",
    "NULL",
    "RAY",
    "SENT_BYTES",
    "SLOW_HOST",
    "START_NS",
    "SWITCHES",
    "Plan",
    "Truth",
    "simulate",
]

START_NS = 5_000_000_000_000
DRAIN_S = 2.0
LAG_NS = 140_000


def simulate(directory: Path, plan: Plan) -> RunRecord:
    """Write a whole run directory."""
    rng = np.random.default_rng(plan.seed)
    (directory / "plans").mkdir(parents=True)
    schedule: list[TrialPlace] = []
    for block in range(plan.blocks):
        for step in plan.steps():
            path = directory / f"plans/b{block:02}-s{step.index:02}.parquet"
            arrivals = None if step.concurrency else _freeze(path, plan, step.offered_rps, rng)
            for at in rng.permutation(len(plan.suts)):
                truth = plan.suts[at]
                order = len(schedule)
                place = TrialPlace(order=order, block=block, step=step.index, sut=truth.key)
                schedule.append(place)
                if (block, step.index, truth.key) in plan.absent:
                    continue
                asked = arrivals or _clients(plan, truth, step.concurrency or 1)
                _trial(directory, plan, place, truth, asked)
        for truth in plan.suts:
            if truth.key in plan.searched_rps:
                _search(directory, plan, block, truth)
    record = _run_record(plan, tuple(schedule))
    write_record(directory / "run.json", record)
    return record


def _clients(plan: Plan, truth: Truth, concurrency: int) -> LoadPlan:
    """Requests as that many clients send them to a server with one place: one after another."""
    span = plan.warm_up_s + plan.steady_s
    gap_ns = int(truth.service_ms * 1.5e6)
    offsets = np.arange(0, int(span * 1e9), gap_ns)
    header = PlanHeader(
        "closed", ("tag",), 0, plan.warm_up_s, plan.steady_s, plan.seed, concurrency=concurrency
    )
    zeros = np.zeros(len(offsets), np.int32)
    return LoadPlan(header, offsets, zeros, zeros.astype(np.int8))


def _search(directory: Path, plan: Plan, block: int, truth: Truth) -> None:
    """Probe the given rates; one holds where the server keeps up with it."""
    rates, probes = plan.searched_rps[truth.key][block], []
    for number, rate in enumerate(rates):
        place = TrialPlace(
            order=1000 * (block + 1) + number, block=block, step=0, sut=truth.key, probe=number
        )
        path = directory / f"plans/{place.directory}.parquet"
        arrivals = _freeze(path, plan, rate, np.random.default_rng([plan.seed, block, number]))
        _trial(directory, plan, place, truth, arrivals)
        probes.append(_probe(truth, place, rate, confirms=number == len(rates) - 1))
    held = [p.offered_rps for p in probes if p.verdict == "holds"]
    failed = [p.offered_rps for p in probes if p.verdict == "fails"]
    found = bool(held) and (block, truth.key) not in plan.no_capacity
    low = max(held, default=None)
    record = CapacityRecord(
        block=block,
        sut=truth.key,
        probes=tuple(probes),
        low_rps=low,
        high_rps=min(failed, default=None),
        capacity_rps=low if found else None,
        confirmed_by=len(probes) - 1 if found else None,
        end="a separate trial confirmed it" if found else "even the lowest rate fails",
    )
    path = directory / "capacity" / f"b{block:02}-{truth.key.replace(':', '-')}.json"
    path.parent.mkdir(exist_ok=True)
    write_record(path, record)


def _probe(truth: Truth, place: TrialPlace, rate: float, *, confirms: bool) -> Probe:
    holds = rate * truth.service_ms < 850
    return Probe(
        place=place,
        offered_rps=rate,
        role="confirmation" if confirms else "doubling",
        verdict="holds" if holds else "fails",
        planned=400,
        missed=0 if holds else 390,
        failed=0,
        why="as simulated",
    )


def _freeze(path: Path, plan: Plan, rate: float, rng: np.random.Generator) -> LoadPlan:
    span = plan.warm_up_s + plan.steady_s
    gaps = rng.exponential(1 / rate, int(rate * span * 2) + 50)
    starts = np.cumsum(gaps)
    offsets = (starts[starts < span] * 1e9).astype(np.int64)
    header = PlanHeader("poisson", ("tag",), rate, plan.warm_up_s, plan.steady_s, plan.seed)
    frozen = LoadPlan(
        header, offsets, np.zeros(len(offsets), np.int32), np.zeros(len(offsets), np.int8)
    )
    write_plan(path, frozen)
    return frozen


def queue(
    offsets_ns: npt.NDArray[np.int64], service_ns: npt.NDArray[np.int64], bound: int
) -> npt.NDArray[np.int64]:
    """When each request leaves a first-come-first-served server; -1 if it was refused."""
    free, leaving = 0, []
    out = np.empty(len(offsets_ns), np.int64)
    for i, (arrival, service) in enumerate(zip(offsets_ns, service_ns, strict=True)):
        leaving = [t for t in leaving if t > arrival]
        if len(leaving) >= bound:
            out[i] = -1
            continue
        free = max(free, int(arrival)) + int(service)
        leaving.append(free)
        out[i] = free
    return out


def _trial(
    directory: Path,
    plan: Plan,
    place: TrialPlace,
    truth: Truth,
    arrivals: LoadPlan,
) -> None:
    rng = np.random.default_rng([plan.seed, place.order])
    concurrency = arrivals.header.concurrency
    key = (place.block, place.step, place.sut)
    folder = directory / "trials" / place.directory
    folder.mkdir(parents=True)
    rate = arrivals.header.rate_rps
    if key in plan.failed:
        record = TrialRecord(place=place, outcome="failed", offered_rps=rate, error="did not start")
        write_record(folder / "trial.json", record)
        return
    speed = float(np.exp(rng.normal(0, truth.block_spread)))
    service = rng.gamma(16, truth.service_ms * speed / 16, len(arrivals.offsets_ns)) * 1e6
    left = queue(arrivals.offsets_ns + LAG_NS, service.astype(np.int64), truth.queue_bound)
    _samples(folder, truth, arrivals, service, left)
    steady_ns = START_NS + int(plan.warm_up_s * 1e9)
    end_ns = steady_ns + int(plan.steady_s * 1e9)
    phases = Phases(
        start_ns=START_NS,
        steady_ns=steady_ns,
        end_ns=end_ns,
        drained_ns=end_ns + int(DRAIN_S * 1e9),
    )
    done = START_NS + left[left >= 0]
    answered = int(((done >= steady_ns) & (done < end_ns)).sum())
    write_usage(folder, plan, truth, phases, (answered * truth.cpu_ms * speed / 1e3, answered))
    if plan.device != "cpu":
        write_gpu(folder, phases)
    write_record(
        folder / "trial.json",
        TrialRecord(
            place=place,
            outcome="ok",
            offered_rps=rate,
            concurrency=concurrency,
            ended_early=plan.early.get(key),
            start_up_s=truth.start_up_s * speed,
            phases=phases,
            info={"architecture": truth.key.split(":")[0]},
            verification=Verification(
                before=16, before_different=0, under_load=40, under_load_different=0
            ),
            generator={"cpu_s": 0.4, "cores": 1.0},
            pressure={"cpu_some_avg10": 3.0},
            reasons=plan.doubts.get(key, ()) if place.probe is None else (),
        ),
    )


def _samples(
    folder: Path,
    truth: Truth,
    arrivals: LoadPlan,
    service: npt.NDArray[np.float64],
    left: npt.NDArray[np.int64],
) -> None:
    n = len(arrivals.offsets_ns)
    intended = arrivals.offsets_ns + START_NS
    sent = intended + LAG_NS
    refused = left < 0
    received = np.where(refused, sent + 1_000_000, left + START_NS)
    timings: list[str | None] = [
        None if refused[i] else _timing(int(service[i]), int(received[i] - sent[i]))
        for i in range(n)
    ]
    for worker in (0, 1):
        mine = np.arange(worker, n, 2)
        write_samples(
            folder / f"samples-{worker}.parquet",
            {
                "index": mine.tolist(),
                "worker": [worker] * len(mine),
                "intended_ns": intended[mine].tolist(),
                "sent_ns": sent[mine].tolist(),
                "received_ns": received[mine].tolist(),
                "outcome": np.where(refused, Outcome.HTTP_ERROR, Outcome.OK)[mine].tolist(),
                "status": np.where(refused, 503, 200)[mine].tolist(),
                "response_bytes": [400] * len(mine),
                "server_timing": [timings[i] for i in mine],
                "answer": [None] * len(mine),
            },
        )


def _timing(service_ns: int, whole_ns: int) -> str:
    """Two stages side by side, then one: hops of 0.1 ms, batches of 4, 4 and 2."""
    hop = 100_000
    wait = max(whole_ns - service_ns, 0)
    stages = [
        StageTiming("decode", service_ns // 4 + wait + hop, wait, service_ns // 4, 4),
        StageTiming("category", service_ns // 2 + hop, 0, service_ns // 2, 4),
        StageTiming("colour", service_ns // 4 + hop, 0, service_ns // 4, 2),
    ]
    return format_server_timing(stages, whole_ns)


def _run_record(plan: Plan, schedule: tuple[TrialPlace, ...]) -> RunRecord:
    suts = tuple(
        Sut(
            key=t.key,
            architecture=t.key.split(":")[0],
            variant=t.key.split(":")[1],
            summary=f"a queue of {t.service_ms} ms",
            answers=t.answers,
        )
        for t in plan.suts
    )
    return RunRecord(
        run_id="simulated",
        created_utc="2026-11-22T12:00:00Z",
        version="0.1.0",
        scenario={
            "name": "simulated",
            "slo": {"response_time_s": plan.slo_s, "percentile": 95.0, "error_ratio": 0.01},
            "budget": plan.budget,
        },
        environment=Environment(
            fingerprint={"cpu": "simulated", "cores": "2"}, description={"kernel": "6.1"}
        ),
        ensemble=EnsembleRecord(
            module="simulated.ensemble",
            name="simulated",
            tier="tiny",
            device=plan.device,
            models={"category": "a"},
            weights_digest="00ff",
            meaningful=plan.meaningful,
        ),
        ceiling=tuple(_ceiling(plan)),
        best_batch=16,
        suts=suts,
        steps=tuple(plan.steps()),
        schedule=schedule,
        status=plan.status,  # type: ignore[arg-type]
    )


def _ceiling(plan: Plan) -> list[CeilingPoint]:
    """Batch 16 reaches 200 images per second at 5 CPU-ms, 1 % spread; batch 1 half."""
    points = []
    for block in range(-1, plan.blocks):
        off = 1 + 0.01 * (block % 3 - 1)
        for size, factor in ((1, 2.0), (16, 1.0)):
            wall = 1000 / CEILING_RATE * factor * off
            cpu = CEILING_CPU_MS * factor * off
            points.append(
                CeilingPoint(block=block, batch_size=size, images=1000, wall_s=wall, cpu_s=cpu)
            )
    return points
