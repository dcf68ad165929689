"""A scenario as a frozen value: what a run does, completely."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from architectures.spec import EnsembleChoice, ServingPolicy
from workloads.arrivals import ARRIVALS

CEILING = "ceiling"


class Rate(BaseModel):
    """An offered rate as asked for: absolute, or a share of the ceiling."""

    model_config = ConfigDict(frozen=True)

    asked: str
    number: float
    of_ceiling: bool

    def rps(self, ceiling_rps: float) -> float:
        """Requests per second, in four digits, given the ceiling at its best batch size."""
        return float(f"{self.number * ceiling_rps:.4g}") if self.of_ceiling else self.number


def parse_rate(written: object) -> Rate:
    """Read ``12.5`` or ``"0.5 ceiling"``.

    Raises:
        PydanticCustomError: it is neither, or not above 0.
    """
    rate = _share_of_ceiling(written) if isinstance(written, str) else _absolute(written)
    if rate is None or not 0 < rate.number < float("inf"):
        raise PydanticCustomError(
            "rate",
            "is no rate; write requests per second above 0, such as 12.5, or a share of "
            'the ceiling in quotes, such as "0.5 ceiling"',
        )
    return rate


def _share_of_ceiling(written: str) -> Rate | None:
    number, _, word = written.strip().partition(" ")
    try:
        share = float(number)
    except ValueError:
        return None
    if word.strip() != CEILING:
        return None
    return Rate(asked=f"{share:g} {CEILING}", number=share, of_ceiling=True)


def _absolute(written: object) -> Rate | None:
    if isinstance(written, bool) or not isinstance(written, int | float):
        return None
    return Rate(asked=f"{written:g} rps", number=float(written), of_ceiling=False)


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


def _written_rate(written: object) -> object:
    parse_rate(written)
    return written


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)``, or nothing where no known word is near."""
    near = get_close_matches(word, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


class Section(BaseModel):
    """Frozen and strict: an unknown key or a number in quotes is an error, not a surprise."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Texts: TypeAlias = Annotated[tuple[str, ...], Field(strict=False)]
Positive: TypeAlias = Annotated[float, Field(gt=0)]
NotNegative: TypeAlias = Annotated[float, Field(ge=0)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
WrittenRate: TypeAlias = Annotated[float | str, BeforeValidator(_written_rate)]


class EnsembleSection(Section):
    """Which ensemble is served, and which of its graphs is asked for."""

    module: Annotated[str, Field(description="an importable ensemble module")] = (
        "architectures.ensemble"
    )
    tier: Annotated[str, Field(description="one of the ensemble's tiers")] = "tiny"
    device: Annotated[str, Field(pattern=r"^(cpu|cuda(:\d+)?)$", description="cpu or cuda")] = "cpu"
    graph: Annotated[str, Field(description="one of the ensemble's graphs")] = "tag"
    search_path: Annotated[
        Texts, Field(description="folders that hold the module, relative to the scenario's file")
    ] = ()

    def choice(self) -> EnsembleChoice:
        """The part of it an architecture needs."""
        return EnsembleChoice(self.module, self.tier, self.device, self.search_path)


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


class LoadSection(Section):
    """What is asked of every SUT, and when."""

    workload: Annotated[
        str,
        AfterValidator(_arrival_process),
        Field(description=f"an arrival process: {', '.join(ARRIVALS)}"),
    ] = "poisson"
    rates: Annotated[
        tuple[WrittenRate, ...],
        Field(
            strict=False,
            description='offered rates, one load step each: requests per second or "0.5 ceiling"',
            min_length=1,
        ),
    ]
    warm_up_s: Annotated[NotNegative, Field(description="seconds played but not counted")] = 3.0
    steady_s: Annotated[Positive, Field(description="seconds counted")] = 10.0
    drain_s: Annotated[
        Positive, Field(description="seconds to wait for requests in flight at the end")
    ] = 5.0
    blocks: Annotated[
        Count, Field(description="passes over all SUTs; intervals come from their spread")
    ] = 3
    seed: Annotated[int, Field(ge=0, description="of arrivals, payloads and the order of SUTs")] = 1
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
        """The load steps' rates, in the order given."""
        return tuple(parse_rate(rate) for rate in self.rates)


class SloSection(Section):
    """The objective that goodput and capacity are measured against."""

    percentile: Annotated[
        float, Field(gt=0, lt=100, description="share of requests, in percent")
    ] = 95.0
    response_time_s: Annotated[Positive, Field(description="seconds from the intended start")] = 0.5
    error_ratio: Annotated[float, Field(ge=0, lt=1, description="share that may fail")] = 0.01


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
    load: Annotated[LoadSection, Field(description="a section [load] with at least `rates`")]
    slo: SloSection = SloSection()
