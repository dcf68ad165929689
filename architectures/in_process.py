"""The ensemble with no server around it: the reference answers, and the ceiling of throughput.

``python -m architectures.in_process`` reads one :class:`InProcessRequest` as JSON on stdin. It is a
process of its own so that its caller stays free of model code; pin it to the SUT's cores.

- ``references`` writes ``out``: line i is the answer to payload i, or ``{"problem": slug}``.
- ``ceiling`` prints one ``CeilingReading`` a line, in the order of ``batch_sizes``. Of several
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
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ConfigDict, TypeAdapter, ValidationError

from architectures.graph import Graph, Inputs
from architectures.in_process_runner import CeilingReading, Runner, in_this_thread, summed, weighed
from architectures.plugin import EnsembleError, load_ensemble, load_stages
from architectures.spec import EnsembleChoice

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

COMMAND = (sys.executable, "-m", "architectures.in_process")

Task: TypeAlias = Literal["references", "ceiling"]

_USAGE_EXIT = 2
_BARRIER_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class InProcessRequest:
    """What to run.

    Attributes:
        graph: the graph to run.
        payloads: a Parquet file with the columns ``media_type`` and ``body``, one row a payload;
            its column ``headers``, a JSON object each, may be absent.
        own_payloads: graph -> such a file of its own, with as many rows.
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
    own_payloads: Mapping[str, str] = field(default_factory=dict)

    @property
    def shares(self) -> dict[str, float]:
        """Of the ceiling: graph -> its share of the requests."""
        weights = self.weights or {self.graph: 1.0}
        return {graph: weight / sum(weights.values()) for graph, weight in weights.items()}

    def to_json(self) -> bytes:
        """As the process reads it on stdin."""
        return _CODEC.dump_json(self)


_CODEC = TypeAdapter(InProcessRequest)


class InProcessError(Exception):
    """The request cannot be carried out as written."""


def load(request: InProcessRequest) -> list[Runner]:
    """Load the graphs that are asked for, what they share once, and the payloads.

    Returns:
        One runner; of a ceiling one for each graph, in the order of its shares.

    Raises:
        InProcessError: no such graph or payload, or the payloads cannot be read.
        EnsembleError: no such ensemble or tier.
    """
    choice = request.ensemble
    ensemble = load_ensemble(choice)
    wanted = tuple(request.shares) if request.task == "ceiling" else (request.graph,)
    for name in wanted:
        if name not in ensemble.GRAPHS:
            raise InProcessError(
                f"ensemble {choice.module!r} has no graph {name!r}; "
                f"it has {', '.join(ensemble.GRAPHS)}"
            )
    graphs = [ensemble.GRAPHS[name] for name in wanted]
    names = dict.fromkeys(stage for graph in graphs for stage in graph.stages)
    stages = in_this_thread(load_stages(ensemble, choice, names, request.torch_threads))
    return [Runner(graph, stages, _asked(request, graph)) for graph in graphs]


def _asked(request: InProcessRequest, graph: Graph) -> Sequence[Inputs]:
    """What a graph is asked, as its stages are given it."""
    path = Path(request.own_payloads.get(graph.name, request.payloads))
    payloads = _payloads(path, graph.endpoint.headers)
    return _circle(payloads, request.rows) if request.task == "ceiling" else payloads


def _circle(payloads: Sequence[Inputs], rows: Sequence[int]) -> Sequence[Inputs]:
    if rows and not 0 <= min(rows) <= max(rows) < len(payloads):
        raise InProcessError(
            f"rows go from {min(rows)} to {max(rows)}, but there are {len(payloads)} payloads"
        )
    return [payloads[row] for row in rows] or payloads


_COLUMNS = pa.schema([("media_type", pa.string()), ("body", pa.binary()), ("headers", pa.string())])


def _payloads(path: Path, read: Sequence[str]) -> list[Inputs]:
    """Requests, with those of their headers that are read, as a door would hand them on."""
    try:
        table = pq.read_table(path, schema=_COLUMNS)
    except (OSError, pa.ArrowException) as error:
        raise InProcessError(
            f"payloads {path} cannot be read as Parquet with columns media_type and body: {error}"
        ) from error
    if not table.num_rows:
        raise InProcessError(f"payloads {path} has no rows; write at least one")
    return [_inputs(row, read) for row in table.to_pylist()]


def _inputs(row: dict[str, Any], read: Sequence[str]) -> Inputs:
    sent = {name.lower(): text for name, text in json.loads(row["headers"] or "{}").items()}
    inputs = {"media_type": row["media_type"], "body": row["body"]}
    if read:
        inputs["headers"] = {name: sent[name] for name in read if name in sent}
    return inputs


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
        yield summed([end.recv() for end in ends])


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
    for runner in runners:
        runner.close()


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


def run(request: InProcessRequest) -> None:
    """Carry out a request.

    Raises:
        InProcessError: it cannot be carried out as written.
        EnsembleError: the ensemble is not there.
    """
    runners = load(request)
    gc.collect()
    gc.freeze()
    try:
        _carry_out(request, runners)
    finally:
        for runner in runners:
            runner.close()


def _carry_out(request: InProcessRequest, runners: Sequence[Runner]) -> None:
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
