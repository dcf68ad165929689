"""The bandit's regret on recorded scores: ``python -m architectures.patterns.choosing``."""

import click
import numpy as np

from architectures.patterns.arms import ARMS, costs, reward
from architectures.patterns.choosing.regret import regret, simulate
from architectures.patterns.recording import record
from architectures.patterns.sums import Vector

_WAYS = {"shared": {"shared": True}, "4 apart": {"shared": False, "replicas": 4}}


@click.command()
@click.option("--tier", type=click.Choice(["tiny", "small"]), default="tiny", show_default=True)
@click.option(
    "--count", default=2000, show_default=True, help="Requests, each an image of its own."
)
@click.option(
    "--seeds", default=20, show_default=True, help="Of the order of requests and of the draws."
)
def main(tier: str, count: int, seeds: int) -> None:
    """Mean regret, and its standard deviation over seeds, after eighths, quarters, halves, all."""
    recording = record(tier, "train", count, 8)
    each = costs(tier)
    earned = np.stack([reward_of(recording.right((arm,)), each[arm]) for arm in ARMS], 1)
    fixed = dict(zip(ARMS, earned.mean(0).tolist(), strict=True))
    click.echo("mean reward of a fixed arm: " + ", ".join(f"{a} {m:.4f}" for a, m in fixed.items()))
    orders = [np.random.default_rng(seed).permutation(count) for seed in range(seeds)]
    for name, how in _WAYS.items():
        curves = []
        for seed, order in enumerate(orders):
            received = simulate(recording.contexts[order], earned[order], seed, **how)  # type: ignore[arg-type]
            curves.append(regret(received.tolist(), fixed))
        _tell(name, curves)
    arms = [np.random.default_rng(seed).integers(len(ARMS), size=count) for seed in range(seeds)]
    drawn = [earned[order, arm].tolist() for order, arm in zip(orders, arms, strict=True)]
    _tell("uniform", [regret(rewards, fixed) for rewards in drawn])


def reward_of(right: Vector, cost: float) -> Vector:
    """The reward of every image's answer by one arm."""
    return np.array([reward(float(each), cost) for each in right])


def _tell(name: str, curves: list[Vector]) -> None:
    count = len(curves[0])
    marks = [count // 8, count // 4, count // 2, count]
    points = [[float(curve[mark - 1]) for curve in curves] for mark in marks]
    told = (f"{m}: {np.mean(p):.1f} +- {np.std(p):.1f}" for m, p in zip(marks, points, strict=True))
    click.echo(f"regret, {name:8} " + "   ".join(told))


if __name__ == "__main__":
    main()
