"""How a new version reached a SUT's replicas, from the answers that were kept."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, slots=True)
class Arrival:
    """One version of one graph arriving.

    Times are of answers received, so each is late by up to the time between a replica's answers:
    ``gap_s`` says how much.

    Attributes:
        version: as answers name it.
        at_ns: the first answer of it anywhere.
        first_s / last_s: from the publication (where it is known, else from ``at_ns``) to the
            first answer of it by the first and by the last replica that ever gave one.
        replicas: that gave one.
        mixed_s: from the first answer of it to the last answer of a version before it.
        late_answers: answers of an earlier version received after its first answer.
        gap_s: median time between answers of one replica.
        published: whether ``first_s`` and ``last_s`` begin at a known publication.
    """

    graph: str
    version: str
    at_ns: int
    first_s: float
    last_s: float
    replicas: int
    mixed_s: float
    late_answers: int
    gap_s: float
    published: bool


def arrivals(answers: pd.DataFrame, published_ns: dict[str, int]) -> Iterator[Arrival]:
    """Every version after the first of each graph, in the order they appeared.

    Args:
        answers: as ``reports.patterns.answers`` reads them.
        published_ns: version -> when its publication was answered, where that is known.
    """
    for graph, rows in answers[answers["version"].notna()].groupby("graph", sort=False):
        said = rows.assign(version=rows["version"].astype(str), replica=_replicas(rows))
        order = list(dict.fromkeys(said["version"]))
        for place in range(1, len(order)):
            yield _arrival(str(graph), said, order, place, published_ns)


def _replicas(rows: pd.DataFrame) -> "pd.Series[str]":
    return rows["replica"].fillna("the only one").astype(str)


def _arrival(
    graph: str, said: pd.DataFrame, order: list[str], place: int, published_ns: dict[str, int]
) -> Arrival:
    version = order[place]
    mine = said[said["version"] == version]
    firsts = mine.groupby("replica")["received_ns"].min()
    at_ns = int(firsts.min())
    late = said[said["version"].isin(order[:place]) & (said["received_ns"] > at_ns)]
    known = published_ns.get(version)
    begun_ns = at_ns if known is None else known
    gaps = said.groupby("replica")["received_ns"].diff().dropna()
    return Arrival(
        graph,
        version,
        at_ns,
        (at_ns - begun_ns) / 1e9,
        (int(firsts.max()) - begun_ns) / 1e9,
        len(firsts),
        (int(late["received_ns"].max()) - at_ns) / 1e9 if len(late) else 0.0,
        len(late),
        float(gaps.median()) / 1e9 if len(gaps) else 0.0,
        known is not None,
    )
