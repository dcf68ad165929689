"""What a simulated run is made of: SUTs whose truth is known, and what befalls their trials."""

from dataclasses import dataclass, field

from harness.record import Reason, Step

CEILING_RATE, CEILING_CPU_MS = 200.0, 5.0


@dataclass(frozen=True)
class Truth:
    """A simulated SUT.

    Attributes:
        service_ms: mean time in the server; each request's is drawn around it.
        cpu_ms: CPU time of one answered request, split 3:1 between two components.
        block_spread: log-normal spread of the speed from block to block.
        queue_bound: requests in the system beyond which one is refused with 503.
    """

    key: str
    service_ms: float
    cpu_ms: float
    pss_mb: float = 250.0
    start_up_s: float = 2.0
    block_spread: float = 0.0
    queue_bound: int = 64
    answers: bool = True
    components: tuple[str, ...] = ("web", "models")


MONOLITH = Truth("monolith:batched", 6.0, 6.0, 250, 2.0, 0.02)
MICROSERVICES = Truth(
    "microservices:batched", 8.0, 9.0, 600, 4.0, 0.02, components=("gateway", "detect", "classify")
)
RAY = Truth("ray_serve:tuned", 8.2, 9.1, 1900, 14.0, 0.03, components=("head", "replica"))
NULL = Truth("null_service:fixed", 1.0, 0.2, 40, 0.4, answers=False, components=("web",))


@dataclass(frozen=True)
class Plan:
    """What is simulated.

    Attributes:
        doubts: (block, step, sut) -> reasons that trial bears.
        failed / absent: trials that ended in an error, or never ran.
        early: trials that ended early, and why.
        concurrency: closed-loop steps after those of ``rates``: clients, one request each.
        searched_rps: capacity searches: SUT -> block -> the rates probed, the last one confirming
            the last but one that held.
        no_capacity: (block, sut) of searches that found none.
        device: ``cuda`` reads a GPU.
        old_usage: leave out the columns that format 1 has not.
        budget: of every SUT, as the scenario's section has it.
    """

    suts: tuple[Truth, ...] = (MONOLITH, MICROSERVICES, RAY)
    rates: tuple[float, ...] = (60.0, 220.0)
    blocks: int = 3
    warm_up_s: float = 2.0
    steady_s: float = 8.0
    seed: int = 7
    slo_s: float = 0.25
    status: str = "complete"
    meaningful: bool = True
    doubts: dict[tuple[int, int, str], tuple[Reason, ...]] = field(default_factory=dict)
    failed: frozenset[tuple[int, int, str]] = frozenset()
    absent: frozenset[tuple[int, int, str]] = frozenset()
    early: dict[tuple[int, int, str], str] = field(default_factory=dict)
    concurrency: tuple[int, ...] = ()
    searched_rps: dict[str, tuple[tuple[float, ...], ...]] = field(default_factory=dict)
    no_capacity: frozenset[tuple[int, str]] = frozenset()
    device: str = "cpu"
    old_usage: bool = False
    budget: dict[str, float] = field(default_factory=lambda: {"cores": 1, "memory_gib": 4.0})

    def steps(self) -> list[Step]:
        """Open-loop steps, then closed-loop steps."""
        opened = [
            Step(index=i, asked=f"{rate / CEILING_RATE:g} ceiling", offered_rps=rate)
            for i, rate in enumerate(self.rates)
        ]
        closed = [
            Step(index=len(opened) + i, asked=f"{n} at once", offered_rps=0, concurrency=n)
            for i, n in enumerate(self.concurrency)
        ]
        return [*opened, *closed]


SLOW_HOST = Reason(
    code="host-pressure",
    seen="cpu some avg10 61 %",
    threshold="20 %",
    remedy="stop what else runs on this machine, then run the scenario again",
)
