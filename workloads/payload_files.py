"""Which file each graph's requests lie in: the run's payloads, or its own beside them.

A graph that asks for another body, media type or headers has a file of its own with the same rows.
A plan's payload ``i`` is row ``i`` of whichever file it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, unquote

from architectures.plugin import Example
from workloads.arrivals import WorkloadError
from workloads.parcel import ParcelError
from workloads.payloads import read_payloads

_PREFIX = "payloads-"


def own_name(graph: str) -> str:
    """The name of a graph's own file, without its suffix: no slash is in it."""
    return _PREFIX + quote(graph, safe="")


def is_own(name: str) -> bool:
    """Whether a file so named, without its suffix, is some graph's own."""
    return name.startswith(_PREFIX)


def graph_of(name: str) -> str:
    """Whose own file is so named, without its suffix."""
    return unquote(name.removeprefix(_PREFIX))


def checked_name(name: str) -> str:
    """A run's file by its name without the suffix, where it becomes part of a path.

    Raises:
        ParcelError: it came from another machine, and could lie elsewhere.
    """
    if name in ("payloads", "plan") or (is_own(name) and own_name(graph_of(name)) == name):
        return name
    raise ParcelError(f"{name!r} is no file of a run; the other side is none of ours")


def own_file(payloads: Path, graph: str) -> Path:
    """Where a graph's own requests lie, if it has some."""
    return payloads.with_name(f"{own_name(graph)}.parquet")


def own_files(payloads: Path) -> dict[str, Path]:
    """Graph -> its own file, of those that lie beside the run's payloads."""
    found = sorted(payloads.parent.glob(f"{_PREFIX}*.parquet"))
    return {graph_of(path.stem): path for path in found}


def read_requests(
    payloads: Path, own: Mapping[str, Path], graphs: Iterable[str]
) -> dict[str, Sequence[Example]]:
    """Graph -> its requests, in row order; graphs that share a file share what was read of it.

    Args:
        payloads: the run's.
        own: graph -> the file of one that has its own.
        graphs: those wanted.

    Raises:
        OSError: a file is missing.
        WorkloadError: a graph's own file has other rows than the run's payloads.
    """
    read: dict[Path, Sequence[Example]] = {payloads: read_payloads(payloads)}
    requests = {}
    for graph in graphs:
        path = own.get(graph, payloads)
        if path not in read:
            read[path] = read_payloads(path)
        requests[graph] = read[path]
        if len(read[path]) != len(read[payloads]):
            raise WorkloadError(
                f"{path} has {len(read[path])} rows and {payloads} has {len(read[payloads])}: "
                "they are not of one run; make the run again"
            )
    return requests
