"""The ensemble with no server around it: the reference answers, and the ceiling of throughput.

``python -m architectures.in_process`` reads one :class:`InProcessRequest` as JSON on stdin. It is a
process of its own so that its caller stays free of model code; pin it to the SUT's cores.

- ``references`` writes ``out``: line i is the answer to payload i, or ``{"problem": slug}``.
- ``ceiling`` prints one :class:`CeilingReading` a line, in the order of ``batch_sizes``. Of several
  graphs by weight it is the rate at which a mix of them in these shares can be answered: each is
  run by itself for an equal part of the time, for a batch is of one graph, and the time of one
  request is the weighted mean of theirs.
"""

import gc
import json
import multiprocessing
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter_ns, process_time_ns
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ConfigDict, TypeAdapter, ValidationError

from architectures.contract import Problem
from architectures.graph import Graph, Inputs, Stage, run_batch
from architectures.plugin import EnsembleError, load_ensemble
from architectures.spec import EnsembleChoice

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

COMMAND = (sys.executable, "-m", "architectures.in_process")

Task: TypeAlias = Literal["references", "ceiling"]

_USAGE_EXIT = 2
_WARM_UP_BATCHES = 3
_BARRIER_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class InProcessRequest:
    """What to run.

    Attributes:
        graph: the graph to run.
        payloads: a Parquet file with the columns ``media_type`` and ``body``, one row a payload.
        weights: of the ceiling: graph -> weight; empty is ``graph`` alone.
        rows: of the ceiling: payloads in the order they are run, in a circle; empty is all of them.
        torch_threads: intra-op threads of each process.
        processes: of the ceiling, started together, one a core; a device other than cpu has one.
        batch_sizes: of the ceiling.
        seconds: of each batch size, after its warm-up.
        out: of the references.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    task: Task
    ensemble: EnsembleChoice
    graph: str
    payloads: str
    torch_threads: int = 1
    processes: int = 1
    batch_sizes: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    seconds: float = 2.0
    out: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    rows: tuple[int, ...] = ()

    @property
    def shares(self) -> dict[str, float]:
        """Of the ceiling: graph -> its share of the requests."""
        weights = self.weights or {self.graph: 1.0}
        return {graph: weight / sum(weights.values()) for graph, weight in weights.items()}

    def to_json(self) -> bytes:
        """As the process reads it on stdin."""
        return _CODEC.dump_json(self)


_CODEC = TypeAdapter(InProcessRequest)


@dataclass(frozen=True, slots=True)
class CeilingReading:
    """One batch size. Images and CPU seconds are summed over the processes; wall is the longest."""

    batch_size: int
    images: int
    wall_s: float
    cpu_s: float


class InProcessError(Exception):
    """The request cannot be carried out as written."""


class Runner:
    """A loaded graph and its payloads, run in this thread.

    Args:
        graph: the graph.
        stages: every stage of it, loaded.
        payloads: requests, in order.
    """

    def __init__(
        self, graph: Graph, stages: Mapping[str, Stage], payloads: Sequence[Inputs]
    ) -> None:
        self._graph = graph
        self._stages = stages
        self.payloads = payloads

    def references(self) -> Iterator[object]:
        """Each payload's answer document, alone in its batch."""
        for payload in self.payloads:
            (result,) = run_batch(self._graph, self._stages, [payload])
            if isinstance(result, Problem):
                yield {"problem": result.slug}
            else:
                yield result.document

    def warm_up(self, batch_size: int) -> None:
        """Let a batch size's kernels and buffers be made before they are timed."""
        for batch in islice(self._batches(batch_size, 0), _WARM_UP_BATCHES):
            run_batch(self._graph, self._stages, batch)

    def read_ceiling(self, batch_size: int, seconds: float, offset: int) -> CeilingReading:
        """Run whole batches, payloads in a circle from ``offset``, until the time is over."""
        images = 0
        cpu_ns = process_time_ns()
        start_ns = now_ns = perf_counter_ns()
        end_ns = start_ns + round(seconds * 1e9)
        batches = self._batches(batch_size, offset)
        while now_ns < end_ns:
            images += len(run_batch(self._graph, self._stages, next(batches)))
            now_ns = perf_counter_ns()
        cpu_ns = process_time_ns() - cpu_ns
        return CeilingReading(batch_size, images, (now_ns - start_ns) / 1e9, cpu_ns / 1e9)

    def _batches(self, batch_size: int, offset: int) -> Iterator[list[Inputs]]:
        circle = islice(cycle(self.payloads), offset, None)
        while True:
            yield list(islice(circle, batch_size))


def load(request: InProcessRequest, graph: str) -> Runner:
    """Load a graph's stages and the payloads; nothing is run yet.

    Raises:
        InProcessError: no such graph or payload, or the payloads cannot be read.
        EnsembleError: no such ensemble or tier.
    """
    choice = request.ensemble
    ensemble = load_ensemble(choice)
    if graph not in ensemble.GRAPHS:
        raise InProcessError(
            f"ensemble {choice.module!r} has no graph {graph!r}; "
            f"it has {', '.join(ensemble.GRAPHS)}"
        )
    found = ensemble.GRAPHS[graph]
    stages = {
        name: ensemble.load_stage(name, choice.tier, choice.device, request.torch_threads)
        for name in found.stages
    }
    return Runner(found, stages, _payloads(Path(request.payloads)))


def load_mix(request: InProcessRequest) -> list[Runner]:
    """Load every graph of the ceiling, in the order of its shares.

    Raises:
        InProcessError, EnsembleError: as :func:`load`.
    """
    runners = [load(request, graph) for graph in request.shares]
    for runner in runners:
        runner.payloads = _circle(runner.payloads, request.rows)
    return runners


def _circle(payloads: Sequence[Inputs], rows: Sequence[int]) -> Sequence[Inputs]:
    if rows and not 0 <= min(rows) <= max(rows) < len(payloads):
        raise InProcessError(
            f"rows go from {min(rows)} to {max(rows)}, but there are {len(payloads)} payloads"
        )
    return [payloads[row] for row in rows] or payloads


def _payloads(path: Path) -> list[Inputs]:
    try:
        table = pq.read_table(path, columns=["media_type", "body"])
    except (OSError, pa.ArrowException) as error:
        raise InProcessError(
            f"payloads {path} cannot be read as Parquet with columns media_type and body: {error}"
        ) from error
    if not table.num_rows:
        raise InProcessError(f"payloads {path} has no rows; write at least one")
    rows: list[Inputs] = table.to_pylist()
    return rows


def read_ceilings(request: InProcessRequest, runners: Sequence[Runner]) -> Iterator[CeilingReading]:
    """Every batch size in turn, on all the processes asked for."""
    if request.processes == 1 or request.ensemble.device != "cpu":
        for batch_size in request.batch_sizes:
            _warm_up(runners, batch_size)
            yield _read(request, runners, batch_size, 0)
        return
    fork = multiprocessing.get_context("fork")  # weights and payloads are shared, as in a SUT
    barrier = fork.Barrier(request.processes, timeout=_BARRIER_TIMEOUT_S)
    ends: list[Connection] = []
    for index in range(request.processes):
        ours, theirs = fork.Pipe(duplex=False)
        fork.Process(
            target=_read_in_step, args=(request, runners, index, barrier, theirs), daemon=True
        ).start()
        theirs.close()  # so that a process that died reads as the end of its pipe
        ends.append(ours)
    for _ in request.batch_sizes:
        yield _sum([end.recv() for end in ends])


def _read_in_step(
    request: InProcessRequest,
    runners: Sequence[Runner],
    index: int,
    barrier: "Barrier",
    end: "Connection",
) -> None:
    """A forked process: the same batch size at the same time as the others."""
    offset = index * len(runners[0].payloads) // request.processes
    for batch_size in request.batch_sizes:
        _warm_up(runners, batch_size)
        barrier.wait()
        end.send(_read(request, runners, batch_size, offset))


def _warm_up(runners: Sequence[Runner], batch_size: int) -> None:
    for runner in runners:
        runner.warm_up(batch_size)


def _read(
    request: InProcessRequest, runners: Sequence[Runner], batch_size: int, offset: int
) -> CeilingReading:
    """Each graph for its part of the time, weighed together."""
    seconds = request.seconds / len(runners)
    readings = [runner.read_ceiling(batch_size, seconds, offset) for runner in runners]
    return weighed(readings, tuple(request.shares.values()))


def weighed(readings: Sequence[CeilingReading], shares: Sequence[float]) -> CeilingReading:
    """One reading for a mix: the time of a request is the mean of the graphs' times by share.

    Images are those really run; wall and CPU seconds are what as many would take in these shares.
    """
    if len(readings) == 1:
        return readings[0]
    images = sum(reading.images for reading in readings)
    pairs = list(zip(readings, shares, strict=True))
    wall_s = images * sum(share * one.wall_s / one.images for one, share in pairs)
    cpu_s = images * sum(share * one.cpu_s / one.images for one, share in pairs)
    return CeilingReading(readings[0].batch_size, images, wall_s, cpu_s)


def _sum(readings: Sequence[CeilingReading]) -> CeilingReading:
    return CeilingReading(
        readings[0].batch_size,
        sum(reading.images for reading in readings),
        max(reading.wall_s for reading in readings),
        sum(reading.cpu_s for reading in readings),
    )


def run(request: InProcessRequest) -> None:
    """Carry out a request.

    Raises:
        InProcessError: it cannot be carried out as written.
        EnsembleError: the ensemble is not there.
    """
    runners = load_mix(request) if request.task == "ceiling" else [load(request, request.graph)]
    gc.collect()
    gc.freeze()
    if request.task == "ceiling":
        for reading in read_ceilings(request, runners):
            print(json.dumps(asdict(reading)), flush=True)  # noqa: T201 - its output
        return
    if not request.out:
        raise InProcessError("references need `out`, the file to write them to")
    with Path(request.out).open("w", encoding="utf-8") as file:
        file.writelines(
            json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
            for document in runners[0].references()
        )


def main() -> int:
    """The command; a mistake in the request is one line on stderr and exit code 2."""
    try:
        run(_CODEC.validate_json(sys.stdin.buffer.read()))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the request"
        message = f"stdin: {where}: {first['msg']}"
    except (InProcessError, EnsembleError) as error:
        message = str(error)
    except EOFError:
        message = "a process of the ceiling died; its own message stands above"
    else:
        return 0
    print(f"in_process: {message}", file=sys.stderr)  # noqa: T201 - its only words
    return _USAGE_EXIT


if __name__ == "__main__":
    sys.exit(main())
