"""What choosing cost against the best fixed choice in hindsight.

A graph whose answers do not vary gives each payload one reward, so what a fixed choice would have
earned on exactly the payloads that a varying graph was asked is known, not estimated. Regret is the
best fixed choice's sum of rewards less one's own (Lattimore & Szepesvari, Bandit Algorithms, 4.2).
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from workloads.plan import LoadPlan

MEASURE = "reward"


@dataclass(frozen=True, slots=True)
class Regret:
    """One varying graph in one trial.

    Attributes:
        best: the fixed graph that would have earned most.
        answers: scored ones whose payload every fixed graph was asked for, too.
        total: the best fixed choice's rewards less this graph's own; negative where it did better.
        later: the same over the second half of the answers.
        own / fixed: mean rewards.
    """

    graph: str
    best: str
    answers: int
    total: float
    later: float
    own: float
    fixed: float


def regrets(scores: Path, plan: LoadPlan, varying: Collection[str]) -> list[Regret]:
    """Every varying graph that earns rewards, where at least one fixed graph earns some too.

    Args:
        scores: the trial's ``scores.parquet``; need not be there.
        plan: the trial's.
        varying: graphs whose answers depend on state.
    """
    if not scores.is_file():
        return []
    rows = pq.read_table(scores).to_pandas()
    rows = rows[rows["measure"] == MEASURE].sort_values("index")
    index = rows["index"].to_numpy()
    rows["payload"] = plan.payloads[index]
    rows["graph"] = [plan.header.graphs[number] for number in plan.graphs[index]]
    fixed = rows[~rows["graph"].isin(list(varying))]
    earned = fixed.groupby(["payload", "graph"])["score"].mean().unstack().dropna()  # noqa: PD010
    if earned.empty:
        return []
    mine = rows[rows["graph"].isin(list(varying)) & rows["payload"].isin(earned.index)]
    return [_regret(str(graph), own, earned) for graph, own in mine.groupby("graph", sort=False)]


def _regret(graph: str, own: pd.DataFrame, earned: pd.DataFrame) -> Regret:
    theirs = earned.loc[own["payload"]]
    best = str(theirs.sum().idxmax())
    lost = theirs[best].to_numpy() - own["score"].to_numpy()
    return Regret(
        graph,
        best,
        len(own),
        float(lost.sum()),
        float(lost[len(lost) // 2 :].sum()),
        float(own["score"].mean()),
        float(theirs[best].mean()),
    )
