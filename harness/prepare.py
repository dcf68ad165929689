"""Everything a run needs before its first trial: who is tested, on what, with which requests."""

from collections.abc import Sequence
from dataclasses import dataclass

from architectures import catalog
from architectures.in_process import InProcessRequest
from architectures.plugin import Ensemble, load_ensemble
from architectures.spec import Architecture, Variant
from harness.environment import Cores, assign_cores
from harness.in_process import make_references
from harness.record import EnsembleRecord, Step, Sut
from harness.run_directory import RunDirectory
from harness.scenario import Scenario
from harness.scenario_file import ScenarioError
from harness.schedule import plan_seed
from harness.verify import read_references
from workloads.payloads import write_payloads
from workloads.plan import LoadPlan, PlanHeader, build_plan, write_plan


@dataclass(frozen=True, slots=True)
class Resolved:
    """A scenario whose every name has been found.

    Attributes:
        suts: key -> what is deployed for it, in the scenario's order.
    """

    scenario: Scenario
    suts: dict[str, tuple[Architecture, Variant]]
    ensemble: Ensemble
    cores: Cores

    @property
    def sut_records(self) -> tuple[Sut, ...]:
        """As they are recorded."""
        return tuple(
            Sut(
                key=key,
                architecture=architecture.name,
                variant=variant.name,
                summary=f"{architecture.summary} {variant.summary}",
                answers=architecture.answers,
            )
            for key, (architecture, variant) in self.suts.items()
        )


def resolve(scenario: Scenario) -> Resolved:
    """Find every name the scenario writes, before anything is started.

    Raises:
        CatalogError: an architecture or variant that is not there.
        EnsembleError: an ensemble or tier that is not there.
        EnvironmentTooSmallError: too few cores.
        ScenarioError: a graph that is not there, or a SUT named twice.
    """
    found = [catalog.parse(name) for name in scenario.suts]
    suts = {f"{a.name}:{v.name}": (a, v) for a, v in found}
    if len(suts) < len(found):
        keys = [f"{a.name}:{v.name}" for a, v in found]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ScenarioError(
            f"scenario {scenario.name!r}: suts names {twice} twice, once by its architecture "
            "alone, which means its first variant; name it once"
        )
    ensemble = load_ensemble(scenario.ensemble.choice())
    if scenario.ensemble.graph not in ensemble.GRAPHS:
        raise ScenarioError(
            f"scenario {scenario.name!r}: ensemble.graph = {scenario.ensemble.graph!r}, but "
            f"{scenario.ensemble.module} has the graphs {', '.join(ensemble.GRAPHS)}"
        )
    return Resolved(scenario, suts, ensemble, assign_cores(scenario.budget.cores))


def ensemble_record(resolved: Resolved) -> EnsembleRecord:
    """Which ensemble answers."""
    section = resolved.scenario.ensemble
    described = resolved.ensemble.describe(section.tier)
    return EnsembleRecord(
        module=section.module,
        name=described.name,
        tier=described.tier,
        device=section.device,
        models=dict(described.models),
        weights_digest=described.weights_digest,
        meaningful=described.meaningful,
    )


def in_process_request(resolved: Resolved, directory: RunDirectory) -> InProcessRequest:
    """What the ensemble is asked without a server."""
    return InProcessRequest(
        task="references",
        ensemble=resolved.scenario.ensemble.choice(),
        graph=resolved.scenario.ensemble.graph,
        payloads=str(directory.payloads.resolve()),
        torch_threads=resolved.scenario.policy.torch_threads,
    )


def make_payloads(resolved: Resolved, directory: RunDirectory) -> None:
    """Write the run's payloads and their reference answers.

    Raises:
        InProcessFailedError: the ensemble cannot be run.
        ScenarioError: the ensemble cannot answer its own examples, or has too few.
    """
    scenario = resolved.scenario
    examples = resolved.ensemble.examples("load", scenario.load.payloads, scenario.load.seed)
    if len(examples) < scenario.load.payloads:
        raise ScenarioError(
            f"scenario {scenario.name!r}: load.payloads = {scenario.load.payloads}, but "
            f"{scenario.ensemble.module} gives {len(examples)} examples to load; ask for fewer"
        )
    write_payloads(directory.payloads, examples)
    claim = resolved.cores.claim(scenario.budget.memory_gib)
    request = in_process_request(resolved, directory)
    make_references(request, claim, directory.references, directory.logs)
    for row, reference in enumerate(read_references(directory.references)):
        if isinstance(reference, dict) and "problem" in reference:
            raise ScenarioError(
                f"scenario {scenario.name!r}: the ensemble refuses its own example {row} "
                f"({reference['problem']}); mend its `examples`"
            )


def steps_of(scenario: Scenario, ceiling_rps: float | None) -> tuple[Step, ...]:
    """The load steps, shares of the ceiling turned into rates."""
    return tuple(
        Step(index=index, asked=rate.asked, offered_rps=rate.rps(ceiling_rps))
        for index, rate in enumerate(scenario.load.offered())
    )


def write_plans(scenario: Scenario, steps: Sequence[Step], directory: RunDirectory) -> None:
    """Freeze every load plan of the run: the same for every SUT, another seed in every block."""
    load = scenario.load
    for block in range(load.blocks):
        for step in steps:
            seed = plan_seed(load.seed, block, step.index)
            plan = open_plan(scenario, step.offered_rps, load.steady_s, seed)
            write_plan(directory.plan(block, step.index), plan)


def open_plan(scenario: Scenario, rate_rps: float, steady_s: float, seed: int) -> LoadPlan:
    """The scenario's load at one offered rate: of a load step, or of a capacity search's probe.

    Args:
        scenario: says what arrives, and what is asked for.
        rate_rps: offered.
        steady_s: seconds counted, after the scenario's warm-up.
        seed: of arrivals, payloads and graphs.

    Raises:
        WorkloadError: it cannot be drawn with these numbers.
    """
    load = scenario.load
    header = PlanHeader(
        workload=load.workload,
        graphs=(scenario.ensemble.graph,),
        rate_rps=rate_rps,
        warm_up_s=load.warm_up_s,
        steady_s=steady_s,
        seed=seed,
    )
    return build_plan(header, load.payloads)
