"""Everything a run needs before its first trial: who is tested, on what, with which requests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from architectures import catalog
from architectures.in_process import InProcessRequest
from architectures.plugin import Ensemble, Example, as_asked, load_ensemble
from architectures.spec import Architecture, Variant
from harness.backends import NO_BACKENDS, Backends, kinds
from harness.environment import Cores, assign_cores
from harness.in_process import make_references
from harness.plans import Sources, asked_for, check_length, read_sources
from harness.record import EnsembleRecord, Sut
from harness.remote import check_absolute, declared, is_remote
from harness.run_directory import RunDirectory
from harness.scenario import Scenario
from harness.scenario_file import ScenarioError
from harness.verify import read_references
from workloads.meant import did_you_mean
from workloads.mix import mixed_payloads
from workloads.payload_files import own_file, own_files
from workloads.payloads import write_payloads
from workloads.trace import Trace, read_trace

_CIRCLE = 10_000
"""Payloads the ceiling is measured with before they come round again, where they are mixed."""


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
    def in_process(self) -> bool:
        """Whether the ensemble is run here, for the ceiling and for reference answers.

        Not where every SUT is a running service whose answers are not the ensemble's.
        """
        named = (key.partition(":")[2] for key in self.suts if is_remote(key))
        remotes = [self.scenario.remote[name] for name in named]
        if len(remotes) < len(self.suts):
            return True
        return bool(self.ensemble.STAGES) and any(remote.answers for remote in remotes)

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
        ScenarioError: a graph that is not there, a SUT named twice, or a stateful part whose URL
            the environment does not name.
    """
    found = [
        declared(scenario, name) if is_remote(name) else catalog.parse(name)
        for name in scenario.suts
    ]
    suts = {f"{a.name}:{v.name}": (a, v) for a, v in found}
    if len(suts) < len(found):
        keys = [f"{a.name}:{v.name}" for a, v in found]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ScenarioError(
            f"scenario {scenario.name!r}: suts names {twice} twice, once by its architecture "
            "alone, which means its first variant; name it once"
        )
    ensemble = load_ensemble(scenario.ensemble.choice())
    _check_graphs(scenario, ensemble)
    kinds(scenario)
    resolved = Resolved(scenario, suts, ensemble, assign_cores(scenario.budget.cores))
    if not resolved.in_process:
        check_absolute(scenario, "every SUT is remote and nothing here is run to measure a ceiling")
    return resolved


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


def _check_graphs(scenario: Scenario, ensemble: Ensemble) -> None:
    named = {scenario.ensemble.graph: f"ensemble.graph = {scenario.ensemble.graph!r}"}
    named |= {graph: f"load.graphs names {graph!r}" for graph in scenario.load.graphs}
    for graph, written in named.items():
        if graph not in ensemble.GRAPHS:
            raise ScenarioError(
                f"scenario {scenario.name!r}: {written}"
                f"{did_you_mean(graph, ensemble.GRAPHS)}, but {scenario.ensemble.module} has the "
                f"graphs {', '.join(ensemble.GRAPHS)}"
            )


def recorded(resolved: Resolved) -> Trace | None:
    """The trace the scenario replays, sound and long enough; None where it replays none.

    Raises:
        WorkloadError: it cannot be replayed.
        ScenarioError: the scenario says the same as it, otherwise.
    """
    load = resolved.scenario.load
    if load.trace is None:
        return None
    trace = read_trace(Path(load.trace))
    for column, key, both in (
        ("graph", "load.graphs", trace.graphs is not None and bool(load.graphs)),
        ("payload", "load.mix", trace.payloads is not None and load.mix is not None),
    ):
        if both:
            raise ScenarioError(
                f"scenario {resolved.scenario.name!r}: the trace's column {column!r} and {key} "
                "both say what is sent; leave one out"
            )
    trace.check_graphs(resolved.ensemble.GRAPHS)
    trace.check_payloads(load.payloads)
    check_length(load, trace)
    return trace


def in_process_request(resolved: Resolved, directory: RunDirectory) -> InProcessRequest:
    """What the ensemble is asked without a server: the mix that the plans ask for, if it is one.

    Raises:
        WorkloadError: the mix names what no payload has, or the trace cannot be replayed.
    """
    scenario = resolved.scenario
    sources = read_sources(scenario, directory)
    return InProcessRequest(
        task="references",
        ensemble=scenario.ensemble.choice(),
        graph=next(iter(sources.graphs)),
        weights=dict(sources.graphs),
        rows=_circle(scenario, sources),
        payloads=str(directory.payloads.resolve()),
        own_payloads={
            graph: str(path.resolve()) for graph, path in own_files(directory.payloads).items()
        },
        torch_threads=scenario.policy.torch_threads,
    )


def _circle(scenario: Scenario, sources: Sources) -> tuple[int, ...]:
    """Payloads in the shares in which plans send them; none where it is all of them alike."""
    load = scenario.load
    if sources.trace is not None and sources.trace.payloads is not None:
        return tuple(sources.trace.payloads[:_CIRCLE].tolist())
    if load.mix is None:
        return ()
    order = mixed_payloads(_CIRCLE, load.mix.weights, sources.rows, load.seed)
    return tuple(order.tolist())


def make_payloads(
    resolved: Resolved, directory: RunDirectory, backends: Backends = NO_BACKENDS
) -> None:
    """Write the run's payloads, the trace it replays, and reference answers of every graph.

    A graph whose answers vary has none.

    Raises:
        InProcessFailedError: the ensemble cannot be run.
        ScenarioError: the ensemble cannot answer its own examples, or has too few.
        WorkloadError: the mix or the trace cannot be sent.
    """
    scenario = resolved.scenario
    trace = recorded(resolved)
    examples = resolved.ensemble.examples("load", scenario.load.payloads, scenario.load.seed)
    if len(examples) < scenario.load.payloads:
        raise ScenarioError(
            f"scenario {scenario.name!r}: load.payloads = {scenario.load.payloads}, but "
            f"{scenario.ensemble.module} gives {len(examples)} examples to load; ask for fewer"
        )
    write_payloads(directory.payloads, examples)
    asked = asked_for(scenario, trace)
    write_own(resolved.ensemble, directory.payloads, examples, asked)
    if trace is not None:
        directory.keep_trace(Path(trace.source))
    if not resolved.in_process:
        return
    claim = resolved.cores.claim(scenario.budget.memory_gib)
    request = in_process_request(resolved, directory)
    for graph in asked:
        if resolved.ensemble.GRAPHS[graph].varies:
            continue
        path = references_path(scenario, directory, graph)
        told = backends.variables
        make_references(replace(request, graph=graph), claim, path, directory.logs, told)
        _check_references(scenario, graph, read_references(path))


def write_own(
    ensemble: Ensemble, payloads: Path, examples: Sequence[Example], graphs: Iterable[str]
) -> None:
    """Write what each graph is asked in place of the examples, where it is anything else."""
    for graph in graphs:
        made = as_asked(ensemble, graph, examples)
        if made != list(examples):
            write_payloads(own_file(payloads, graph), made)


def _check_references(scenario: Scenario, graph: str, references: Sequence[Any]) -> None:
    for row, reference in enumerate(references):
        if isinstance(reference, dict) and "problem" in reference:
            raise ScenarioError(
                f"scenario {scenario.name!r}: the ensemble refuses its own example {row}, asked "
                f"for {graph!r} ({reference['problem']}); mend its `examples`"
            )


def references_path(scenario: Scenario, directory: RunDirectory, graph: str) -> Path:
    """Where a graph's reference answers lie."""
    if graph == scenario.ensemble.graph:
        return directory.references
    return directory.path / f"references-{quote(graph, safe='')}.jsonl"


def read_all_references(
    scenario: Scenario, directory: RunDirectory
) -> Mapping[str, tuple[Any, ...]]:
    """Graph -> its reference answers, of every graph that has some."""
    found = {scenario.ensemble.graph: directory.references}
    for path in sorted(directory.path.glob("references-*.jsonl")):
        found[unquote(path.stem.removeprefix("references-"))] = path
    return {graph: read_references(path) for graph, path in found.items() if path.exists()}
