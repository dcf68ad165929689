"""Which model answered, and how good that was, from kept answers and their scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq


@dataclass(frozen=True, slots=True)
class Choice:
    """One model of one graph in one trial.

    Attributes:
        share: of the graph's kept answers that it gave.
        scores: measure -> mean over those answers.
        n: those answers.
    """

    graph: str
    model: str
    n: int
    share: float
    scores: Mapping[str, float]


def choices(answers: pd.DataFrame, scores: Path) -> list[Choice]:
    """The models that answered, the most chosen first.

    Args:
        answers: as ``reports.patterns.answers`` reads them.
        scores: the trial's ``scores.parquet``; need not be there.
    """
    said = answers[answers["model"].notna()]
    if said.empty:
        return []
    scored = _scores(scores)
    found = []
    for graph, rows in said.groupby("graph", sort=False):
        for model, mine in rows.groupby("model"):
            of_mine = scored[scored["index"].isin(mine["index"])]
            means = of_mine.groupby("measure")["score"].mean()
            share = len(mine) / len(rows)
            found.append(Choice(str(graph), str(model), len(mine), share, _floats(means)))
    return sorted(found, key=lambda choice: (choice.graph, -choice.share))


def _scores(path: Path) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame({"index": [], "measure": [], "score": []})
    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    return frame


def _floats(means: "pd.Series[float]") -> dict[str, float]:
    return {str(measure): float(mean) for measure, mean in means.items()}
