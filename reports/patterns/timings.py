"""Each graph's requests of one trial, by node: what ran, how long, and who was waited for.

Of a trial with many answers a part is read, as for stages (``reports.requests``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from reports.estimate import Missing, Value
from reports.patterns.graphs import GraphFacts
from reports.timings import stage_timings
from workloads.plan import LoadPlan

_NO_ANSWER = Missing("no OK answer in steady state")
_NO_SIBLINGS = Missing("no two models of this graph run side by side")
_NO_CHOICE = Missing("every answer runs every model of this graph")


@dataclass(frozen=True, slots=True)
class NodeMeans:
    """A node's time in the mean answer of its graph, milliseconds; 0 where it did not run.

    Attributes:
        wall_ms: from the call to the result: queue + compute + wait + hop.
    """

    wall_ms: float
    queue_ms: float
    compute_ms: float
    wait_ms: float
    hop_ms: float


_CLOCKS = ("wall_s", "queue_s", "compute_s", "wait_s", "hop_s")


@dataclass(frozen=True, slots=True)
class GraphTimings:
    """Means over one graph's OK answers in steady state.

    Attributes:
        answers: that were read.
        models: run per answer.
        compute_ms: sum over nodes that compute, per answer; each member of a batch counts all of
            it, for it waits for all of it.
        wait_ms: sum over nodes that wait for others, per answer; those side by side are both in.
        straggler_ms: how much longer the slowest of models side by side took than their mean.
        imbalance: of models that run for some answers only: the busiest's share of runs over an
            even share; 1 is even.
        shares: node -> share of answers it ran for.
        nodes: node -> its time in the mean answer, answers without it counting as 0; of nodes that
            ran at least once.
    """

    answers: int
    models: Value
    compute_ms: Value
    wait_ms: Value
    straggler_ms: Value
    imbalance: Value
    shares: Mapping[str, float]
    nodes: Mapping[str, NodeMeans] = field(default_factory=dict)


def graph_timings(
    headers: pa.Table, plan: LoadPlan, graphs: Mapping[str, GraphFacts]
) -> dict[str, GraphTimings]:
    """Graph -> its timings, of every graph that the plan asks for and the SUT told.

    Args:
        headers: ``index`` and ``server_timing``, as ``reports.requests`` reads them.
        plan: the trial's.
        graphs: that the SUT told.
    """
    graph_of = np.asarray(plan.graphs)[headers["index"].to_numpy()]
    found = {}
    for number, name in enumerate(plan.header.graphs):
        if name in graphs:
            mine = headers["server_timing"].filter(pa.array(graph_of == number))
            found[name] = _timings(mine.drop_null().combine_chunks(), graphs[name])
    return found


def _timings(headers: pa.Array, graph: GraphFacts) -> GraphTimings:
    answers = len(headers)
    if not answers:
        return GraphTimings(0, _NO_ANSWER, _NO_ANSWER, _NO_ANSWER, _NO_ANSWER, _NO_ANSWER, {})
    rows = stage_timings(headers)
    nodes = rows["stage"].astype(str)
    ran = nodes.value_counts()
    return GraphTimings(
        answers,
        float(nodes.isin(graph.models).sum()) / answers,
        float(rows["compute_s"].sum()) / answers * 1e3,
        float(rows["wait_s"].sum()) / answers * 1e3,
        _straggler_ms(rows, nodes, graph),
        _imbalance(
            {node: int(ran.get(node, 0)) for node in graph.models - graph.detached}, answers
        ),
        {node: float(ran.get(node, 0)) / answers for node in graph.nodes},
        _node_means(rows, nodes, answers),
    )


def _node_means(rows: pd.DataFrame, nodes: "pd.Series[str]", answers: int) -> dict[str, NodeMeans]:
    sums = rows.groupby(nodes, sort=False)[list(_CLOCKS)].sum() / answers * 1e3
    return {
        str(node): NodeMeans(*(float(value) for value in means))
        for node, *means in sums.itertuples()
    }


def _straggler_ms(rows: pd.DataFrame, nodes: "pd.Series[str]", graph: GraphFacts) -> Value:
    """Mean over answers; of several groups, their sum."""
    total_ms = 0.0
    counted = False
    for group in graph.siblings:
        members = rows[nodes.isin(group)]
        walls = members.groupby("row")["wall_s"].agg(["max", "mean", "size"])
        several = walls[walls["size"] > 1]
        if len(several):
            counted = True
            total_ms += float((several["max"] - several["mean"]).mean()) * 1e3
    return total_ms if counted else _NO_SIBLINGS


def _imbalance(runs: Mapping[str, int], answers: int) -> Value:
    chosen = [count for count in runs.values() if count < answers]
    if len(chosen) < 2 or not sum(chosen):  # noqa: PLR2004 - one model is no choice
        return _NO_CHOICE
    return max(chosen) / (sum(chosen) / len(chosen))
