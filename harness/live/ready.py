"""What attempts share, made before the page is opened: requests, reference answers, a ceiling."""

from dataclasses import dataclass, replace

from harness.backends import Backends
from harness.bench import Bench
from harness.expected import CEILING_S
from harness.in_process import BATCH_SIZES, SEARCH, best_batch, measure_ceiling
from harness.live.play import Say
from harness.prepare import (
    Resolved,
    in_process_request,
    make_payloads,
    read_all_references,
    write_own,
)
from harness.record import CeilingPoint
from harness.run_directory import RunDirectory
from workloads.payload_files import own_files
from workloads.payloads import read_payloads, write_payloads


@dataclass(frozen=True, slots=True)
class Prepared:
    """What attempts share, and the ceiling beside it."""

    bench: Bench
    ceiling: tuple[CeilingPoint, ...] = ()
    best_batch: int = 0


def prepare(
    resolved: Resolved, directory: RunDirectory, backends: Backends, say: Say, *, ceiling: bool
) -> Prepared:
    """Payloads of every graph that may be chosen, and reference answers where somebody answers."""
    scenario, graphs = resolved.scenario, resolved.ensemble.GRAPHS
    (architecture, _), *_ = resolved.suts.values()
    load = scenario.load.model_copy(update={"graphs": dict.fromkeys(graphs, 1.0)})
    every = replace(resolved, scenario=scenario.model_copy(update={"load": load}))
    if architecture.answers:
        named = f" of {len(graphs)} graphs: --graph serves fewer" if len(graphs) > 1 else ""
        say(f"preparing {load.payloads} requests and their reference answers{named}")
        make_payloads(every, directory, backends)
    else:
        examples = resolved.ensemble.examples("load", load.payloads, load.seed)
        write_payloads(directory.payloads, examples)
        write_own(resolved.ensemble, directory.payloads, examples, graphs)
    bench = Bench(
        scenario,
        resolved.cores,
        directory,
        read_payloads(directory.payloads),
        read_all_references(scenario, directory),
        (),
        None,
        own={graph: read_payloads(file) for graph, file in own_files(directory.payloads).items()},
        varying=frozenset(name for name, graph in graphs.items() if graph.varies),
        score=getattr(resolved.ensemble, "score", None),
        backends=backends,
    )
    return _with_ceiling(resolved, bench, say) if ceiling else Prepared(bench)


def _with_ceiling(resolved: Resolved, bench: Bench, say: Say) -> Prepared:
    """The ceiling: its search, and the one block that a session is."""
    say("measuring the ensemble in-process: its ceiling")
    request = in_process_request(resolved, bench.directory)
    claim = resolved.cores.claim(resolved.scenario.budget.memory_gib)

    def measured(block: int, sizes: tuple[int, ...]) -> tuple[CeilingPoint, ...]:
        return measure_ceiling(
            request,
            claim,
            bench.directory.logs,
            block=block,
            batch_sizes=sizes,
            seconds=CEILING_S,
            state=bench.backends.variables,
        )

    found = measured(SEARCH, BATCH_SIZES)
    best = best_batch(found, resolved.scenario.policy.max_batch)
    points = (*found, *measured(0, tuple(sorted({1, best}))))
    (at_best,) = (p.rate_rps for p in found if p.batch_size == best)
    say(f"ceiling: {at_best:.1f} requests per second in-process, at batch {best}")
    return Prepared(replace(bench, ceiling_rps=at_best), points, best)
