"""A scenario as a frozen value: what a run does, completely."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from architectures.spec import EnsembleChoice, ServingPolicy
from harness.pairs.section import GateSection
from harness.rate import Rate, WrittenRate, parse_rate, rungs
from harness.section import Count, NotNegative, Positive, Section, Texts
from harness.surroundings import BackendsSection, EventSection
from workloads.arrivals import ARRIVALS
from workloads.meant import did_you_mean


def _arrival_process(name: str) -> str:
    if name not in ARRIVALS:
        raise PydanticCustomError(
            "workload",
            "no arrival process is called so{meant}",
            {"meant": did_you_mean(name, ARRIVALS)},
        )
    return name


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PydanticCustomError(
            "twice", "{twice} is named twice; name each once", {"twice": ", ".join(twice)}
        )
    return names


class EnsembleSection(Section):
    """Which ensemble is served, and which of its graphs is asked for."""

    module: Annotated[str, Field(description="an importable ensemble module")] = (
        "architectures.ensemble"
    )
    tier: Annotated[str, Field(description="one of the ensemble's tiers")] = "tiny"
    device: Annotated[str, Field(pattern=r"^(cpu|cuda(:\d+)?)$", description="cpu or cuda")] = "cpu"
    graph: Annotated[str, Field(description="one of the ensemble's graphs")] = "tag"
    serve: Annotated[
        Texts,
        Field(description="the graphs that are deployed, with only their stages; absent: all"),
    ] = ()
    search_path: Annotated[
        Texts, Field(description="folders that hold the module, relative to the scenario's file")
    ] = ()

    def choice(self) -> EnsembleChoice:
        """The part of it an architecture needs."""
        return EnsembleChoice(self.module, self.tier, self.device, self.search_path, self.serve)


class PolicySection(Section):
    """The rules every architecture obeys alike (``architectures.spec.ServingPolicy``)."""

    max_batch: Annotated[Count, Field(description="most members of one batch, in every stage")] = 16
    batch_wait_s: Annotated[
        NotNegative, Field(description="seconds a batch waits for more members")
    ] = 0.0
    queue_bound: Annotated[
        Count, Field(description="most requests admitted at once by the whole SUT")
    ] = 64
    deadline_s: Annotated[Positive, Field(description="seconds a request may take, then 504")] = (
        10.0
    )
    torch_threads: Annotated[
        Count, Field(description="intra-op threads of a process with a model")
    ] = 1
    keep_alive_s: Annotated[
        Positive, Field(description="idle seconds before a connection closes")
    ] = 75.0
    detached_bound: Annotated[
        Count,
        Field(description="most walks of nodes nobody waits for, at once; then they are shed"),
    ] = 16

    def policy(self) -> ServingPolicy:
        """As architectures take it."""
        return ServingPolicy(**self.model_dump())


class BudgetSection(Section):
    """What each SUT may use; the same for all."""

    cores: Annotated[
        Count, Field(description="cores each SUT is pinned to; the last ones of the machine")
    ] = 1
    memory_gib: Annotated[Positive, Field(description="memory a SUT may use, GiB of PSS")] = 8.0
    start_up_limit_s: Annotated[
        Positive, Field(description="seconds until a SUT must be ready")
    ] = 120.0


class SweepSection(Section):
    """A ladder of offered rates, up to and past saturation."""

    low: Annotated[WrittenRate, Field(description="the lowest rate")]
    high: Annotated[WrittenRate, Field(description="the highest; past saturation shows the knee")]
    steps: Annotated[int, Field(ge=2, description="how many rates, evenly spaced")] = 8


class MixSection(Section):
    """Which payloads are sent how often, by a field of their labels."""

    by: Annotated[str, Field(description="a field of the examples' labels")]
    weights: Annotated[
        dict[str, Positive], Field(min_length=1, description="weight of each of its values")
    ]


class LoadSection(Section):
    """What is asked of every SUT, and when."""

    workload: Annotated[
        str,
        AfterValidator(_arrival_process),
        Field(description=f"an arrival process: {', '.join(ARRIVALS)}"),
    ] = "poisson"
    shape: Annotated[
        dict[str, Any], Field(description="the arrival process's own parameters, by name")
    ] = Field(default_factory=dict)
    trace: Annotated[
        str | None,
        Field(
            description='CSV or Parquet of arrivals for workload = "trace", relative to the file'
        ),
    ] = None
    rates: Annotated[
        tuple[WrittenRate, ...],
        Field(
            strict=False,
            description='offered rates, one load step each: requests per second, "0.5 ceiling", '
            'or "1 trace" for a trace at its own speed',
        ),
    ] = ()
    sweep: Annotated[
        SweepSection | None, Field(description="a ladder of rates, instead of `rates`")
    ] = None
    loop: Annotated[
        Literal["open", "closed"],
        Field(description="open: arrivals by the clock; closed: the next waits for the last"),
    ] = "open"
    concurrency: Annotated[
        tuple[Count, ...],
        Field(strict=False, description="closed loop: clients at once, one load step each"),
    ] = ()
    think_time_s: Annotated[
        NotNegative, Field(description="closed loop: mean pause of a client between requests")
    ] = 0.0
    graphs: Annotated[
        dict[str, Positive],
        Field(description="graphs asked for, by weight; empty is ensemble.graph alone"),
    ] = Field(default_factory=dict)
    mix: Annotated[
        MixSection | None, Field(description="payloads by weight; absent uses all equally often")
    ] = None
    warm_up_s: Annotated[NotNegative, Field(description="seconds played but not counted")] = 3.0
    steady_s: Annotated[Positive, Field(description="seconds counted")] = 10.0
    drain_s: Annotated[
        Positive, Field(description="seconds to wait for requests in flight at the end")
    ] = 5.0
    blocks: Annotated[
        Count, Field(description="passes over all SUTs; intervals come from their spread")
    ] = 3
    seed: Annotated[
        int, Field(ge=0, lt=2**24, description="of arrivals, payloads and the order of SUTs")
    ] = 1
    payloads: Annotated[
        Count, Field(description="different requests, taken from the ensemble's corpus")
    ] = 200
    answer_every: Annotated[
        Count, Field(description="every how many answers one is kept and checked")
    ] = 10
    max_in_flight: Annotated[
        int,
        Field(ge=1, lt=900, description="requests in flight per load worker; beyond it they drop"),
    ] = 512

    def offered(self) -> tuple[Rate, ...]:
        """The load steps' rates, in the order given; none in a closed loop."""
        if self.sweep is not None:
            low, high = parse_rate(self.sweep.low), parse_rate(self.sweep.high)
            return rungs(low, high, self.sweep.steps)
        return tuple(parse_rate(rate) for rate in self.rates)


class SloSection(Section):
    """The objective that goodput and capacity are measured against."""

    percentile: Annotated[
        float, Field(gt=0, lt=100, description="share of requests, in percent")
    ] = 95.0
    response_time_s: Annotated[Positive, Field(description="seconds from the intended start")] = 0.5
    error_ratio: Annotated[float, Field(ge=0, lt=1, description="share that may fail")] = 0.01


class CapacitySection(Section):
    """The search for the highest rate whose objective ([slo]) holds."""

    start: Annotated[WrittenRate, Field(description="the first rate tried")] = "0.25 ceiling"
    most: Annotated[WrittenRate, Field(description="the highest rate ever tried")] = "4 ceiling"
    precision: Annotated[
        float, Field(gt=0, lt=1, description="width of the bracket at which the search ends")
    ] = 0.05
    confidence: Annotated[
        float, Field(gt=0, lt=1, description="of LoadGen's early-stopping rule")
    ] = 0.99
    probe_s: Annotated[Positive, Field(description="seconds counted in a probe, at least")] = 10.0
    most_probe_s: Annotated[
        Positive, Field(description="seconds counted in a probe, where the percentile needs more")
    ] = 60.0


DEFAULT_PORT = 5557
"""Where a run's load workers connect to, unless both sides are told another."""


class GeneratorSection(Section):
    """Where load comes from."""

    workers: Annotated[
        Count | None, Field(description="load workers on this machine; absent: by the rate")
    ] = None
    remote_workers: Annotated[
        int, Field(ge=0, description="further workers, started on other machines")
    ] = 0
    bind: Annotated[
        str, Field(description="address the remote workers connect to; loopback by default")
    ] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535, description="and its port")] = DEFAULT_PORT


class RemoteSection(Section):
    """A running service under test: ``remote:NAME`` in `suts`."""

    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+(/\S*)?$", description="http://HOST:PORT")]
    path: Annotated[
        str | None, Field(pattern=r"^/", description="asked for; absent: that of the graph")
    ] = None
    ready: Annotated[
        str | None, Field(pattern=r"^/", description="answers 200 when it can serve")
    ] = None
    answers: Annotated[
        bool, Field(description="whether its answers are those of the ensemble's references")
    ] = False
    metrics: Annotated[
        str | None, Field(pattern=r"^/", description="Prometheus metrics, for its usage")
    ] = None


class Scenario(Section):
    """What a run does, completely."""

    name: Annotated[
        str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", description="lower-case letters and digits")
    ]
    summary: Annotated[str, Field(description="one sentence for the report")] = ""
    suts: Annotated[
        Annotated[Texts, AfterValidator(_once)],
        Field(min_length=1, description='architectures under test: "monolith" or "monolith:naive"'),
    ]
    ensemble: EnsembleSection = EnsembleSection()
    policy: PolicySection = PolicySection()
    budget: BudgetSection = BudgetSection()
    load: Annotated[
        LoadSection, Field(description="a section [load] with `rates`, a `sweep` or `concurrency`")
    ]
    slo: SloSection = SloSection()
    capacity: Annotated[
        CapacitySection | None, Field(description="search each SUT's capacity, too")
    ] = None
    generator: GeneratorSection = GeneratorSection()
    remote: Annotated[
        dict[str, RemoteSection], Field(description="running services, by the name in `suts`")
    ] = Field(default_factory=dict)
    backends: BackendsSection = BackendsSection()
    events: Annotated[
        tuple[EventSection, ...],
        Field(strict=False, description="what is done while load is played: [[events]] sections"),
    ] = ()
    gate: Annotated[
        GateSection | None, Field(description="how two sides are compared; a run ignores it")
    ] = None
