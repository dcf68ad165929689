"""How right the model patterns are: ``python -m architectures.patterns.held_out --tier tiny``.

Mean scores of answers to held-out images, bytes in, answer out, computed in this process.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from architectures import patterns
from architectures.contract import Problem
from architectures.ensemble.corpus import example, key
from architectures.plugin import Example, load_ensemble, load_stages
from architectures.spec import EnsembleChoice
from architectures.walk import run_batch

MODEL_PATTERNS = (
    "pipeline",
    "classic",
    "similar",
    "heads",
    "heads_apart",
    "ensemble/aggregate",
    "ensemble/select",
)
_BATCH = 16


@dataclass(frozen=True, slots=True)
class Figures:
    """What a graph's answers were worth.

    Attributes:
        count: images.
        scores: measure -> its mean, 1 being right.
        models_run: model -> requests it ran for, where answers say so.
    """

    count: int
    scores: Mapping[str, float]
    models_run: Mapping[str, int]


def figures(graph: str, tier: str, count: int, seed: int = 0) -> Figures:
    """Run a graph on the first held-out images of a seed and score its answers.

    Raises:
        Problem: an image was refused; the corpus has none that should be.
    """
    sums: dict[str, float] = {}
    ran: Counter[str] = Counter()
    for document, one in _answers(graph, tier, count, seed):
        for measure, share in patterns.score(graph, document, one.label).items():
            sums[measure] = sums.get(measure, 0.0) + share
        ran.update(document.get("models_run", ()))
    return Figures(count, {measure: total / count for measure, total in sums.items()}, ran)


def _answers(graph: str, tier: str, count: int, seed: int) -> Iterator[tuple[Any, Example]]:
    walked = patterns.GRAPHS[graph]
    choice = EnsembleChoice(patterns.__name__, tier)
    stages = load_stages(load_ensemble(choice), choice, walked.stages, threads=1).compute
    for start in range(0, count, _BATCH):
        span = range(start, min(start + _BATCH, count))
        batch = [example(key("held_out", seed, index)) for index in span]
        answers = run_batch(walked, stages, [{"body": one.body} for one in batch])
        for answer, one in zip(answers, batch, strict=True):
            if isinstance(answer, Problem):
                raise answer
            yield answer.document, one


@click.command()
@click.option("--tier", type=click.Choice(patterns.TIERS), default="tiny", show_default=True)
@click.option("--count", default=1_000, show_default=True, help="Held-out images.")
@click.option("--graph", type=click.Choice(MODEL_PATTERNS), multiple=True, help="Default: all.")
def main(tier: str, count: int, graph: Sequence[str]) -> None:
    """Tell each graph's mean scores, and which models ran how often."""
    for name in graph or MODEL_PATTERNS:
        found = figures(name, tier, count)
        shares = "  ".join(f"{measure} {share:.4f}" for measure, share in found.scores.items())
        click.echo(f"{name} ({tier}, {found.count} images): {shares}")
        if found.models_run:
            runs = ", ".join(
                f"{model} {times}" for model, times in sorted(found.models_run.items())
            )
            click.echo(f"    models run: {runs}")


if __name__ == "__main__":
    main()
