"""Train a tier from its seed: ``python -m architectures.ensemble.training --tier tiny``.

Two processes of one thread each: these networks are too small to gain from a second thread.
"""

import multiprocessing
import queue
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from time import process_time
from typing import Any

import click
from rich.progress import Progress

from architectures.ensemble import lessons, model_card, weights
from architectures.ensemble.tiers import BY_NAME

_PROCESSES = 2
_CHUNK = 250
_BY_COST = (
    "classify_depthwise",
    "keypoints",
    "classify_hybrid",
    "detect",
    "classify_residual",
    "caption",
)


@click.command()
@click.option("--tier", type=click.Choice(["tiny", "small"]), required=True)
@click.option("--count", default=16_000, show_default=True, help="Training images.")
@click.option("--seed", default=0, show_default=True, help="Of the corpus and of the weights.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    default=Path(".cache/training"),
    show_default=True,
    help="Where painted lessons are kept.",
)
def main(tier: str, count: int, seed: int, cache: Path) -> None:
    """Paint the lessons, train the models, evaluate them on held-out images, write the card."""
    directory = cache / f"{tier}-{count}-{seed}"
    spent = paint(tier, count, seed, directory) + train(tier, seed, directory)
    model_card.write(tier, {"images": count, "seed": seed, "core_seconds": round(spent)})


def paint(tier: str, count: int, seed: int, directory: Path) -> float:
    """Paint and crop the training images, unless an earlier run did; core-seconds spent."""
    done = directory / "done"
    if done.exists():
        return float(done.read_text())
    lessons.allot(directory, BY_NAME[tier], count)
    spans = [range(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
    spent = _in_parallel("painting", _paint_span, [(tier, seed, directory, span) for span in spans])
    done.write_text(f"{spent}")
    return spent


def train(tier: str, seed: int, directory: Path) -> float:
    """Train and save models side by side; core-seconds spent."""
    return _in_parallel(
        "training", _train_one, [(tier, seed, directory, name) for name in _BY_COST]
    )


def _in_parallel(title: str, job: Callable[..., float], arguments: list[tuple[Any, ...]]) -> float:
    """Run jobs in two processes under a progress bar; the sum of their core-seconds."""
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager, ProcessPoolExecutor(_PROCESSES, spawn) as pool:
        reports = manager.Queue()
        futures = [pool.submit(job, *given, reports) for given in arguments]
        _show(title, futures, reports)
        return sum(future.result() for future in futures)


def _show(title: str, futures: list["Future[float]"], reports: "queue.Queue[Any]") -> None:
    with Progress() as progress:
        tasks: dict[str, Any] = {}
        whole = progress.add_task(title, total=len(futures))
        while not all(future.done() for future in futures):
            progress.update(whole, completed=sum(future.done() for future in futures))
            try:
                name, share = reports.get(timeout=0.5)
            except queue.Empty:
                continue
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=1)
            progress.update(tasks[name], completed=share)


def _paint_span(
    tier: str, seed: int, directory: Path, span: range, _reports: "queue.Queue[Any]"
) -> float:
    started = process_time()
    lessons.write(directory, BY_NAME[tier], seed, span)
    return process_time() - started


def _train_one(
    tier: str, seed: int, directory: Path, name: str, reports: "queue.Queue[Any]"
) -> float:
    import torch

    from architectures.ensemble.teaching import teach

    torch.set_num_threads(1)
    started = process_time()
    shown = 0.0

    def report(share: float) -> None:
        nonlocal shown
        if share - shown >= 0.01 or share == 1:  # noqa: PLR2004 - a percent
            shown = share
            reports.put((name, share))

    model = teach(name, BY_NAME[tier], lessons.read(directory), seed, report)
    weights.save(model, tier, name)
    return process_time() - started


if __name__ == "__main__":
    main()
