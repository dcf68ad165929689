"""Fit what the model patterns ship: ``python -m architectures.patterns.training --tier tiny``.

Everything stands on the built-in ensemble's trained networks; what is fitted here takes a few
core-minutes. The images are of the split ``train`` and of a seed that no network learned from, so
what the networks say of them is what they say of images they do not know.
"""

from pathlib import Path
from time import process_time

import click

from architectures.ensemble import lessons
from architectures.ensemble.training import paint
from architectures.patterns import classic_fitting, select_fitting, similar_fitting

SEED = 1


@click.command()
@click.option("--tier", type=click.Choice(["tiny", "small"]), required=True)
@click.option("--count", default=6_000, show_default=True, help="Training images.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    default=Path(".cache/training"),
    show_default=True,
    help="Where painted images are kept.",
)
def main(tier: str, count: int, cache: Path) -> None:
    """Paint the images and fit each pattern's parameters on them."""
    directory = cache / f"{tier}-{count}-{SEED}"
    spent = paint(tier, count, SEED, directory)
    click.echo(f"painted: {spent:.0f} core-seconds")
    seen = lessons.read(directory)
    for fitting in (classic_fitting, select_fitting, similar_fitting):
        started = process_time()
        fitting.fit(seen, tier)
        click.echo(f"{fitting.__name__}: {process_time() - started:.0f} core-seconds")


if __name__ == "__main__":
    main()
