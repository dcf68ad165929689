"""What the shipped policy does: ``python -m architectures.patterns.agent --tier tiny``."""

import click

from architectures.patterns.agent.report import drift_lines, learning_lines, lines
from architectures.patterns.recording import record


@click.command()
@click.option("--tier", type=click.Choice(["tiny", "small"]), default="tiny", show_default=True)
@click.option("--count", default=1000, show_default=True, help="Held-out images.")
@click.option("--drifted", default=2000, show_default=True, help="Images to learn on.")
def main(tier: str, count: int, drifted: int) -> None:
    """Play the policy on held-out images, and let it learn on images nobody was taught on."""
    held_out, others = record(tier, "held_out", count, 0), record(tier, "train", drifted, 8)
    told = [learning_lines(tier, others, held_out), drift_lines(tier, others)]
    for line in [*lines(tier, held_out), *told[0], *told[1]]:
        click.echo(line)


if __name__ == "__main__":
    main()
