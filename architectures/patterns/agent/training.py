"""Train the agent in simulation: ``python -m architectures.patterns.agent.training --tier tiny``.

Scores are recorded on images of the training split, but of another seed than the classifiers were
taught on: on their own lessons they are surer than they will ever be in service. One core needs
about a minute for the 4,000 images of ``tiny``. The same command gives the same file, to the last
bits of torch's convolutions.
"""

import click

from architectures.patterns.agent.learning import fit, save, states_of
from architectures.patterns.agent.policy import SETS
from architectures.patterns.agent.report import lines
from architectures.patterns.arms import costs
from architectures.patterns.recording import record

SEED = 7
HELD_OUT = 1000


@click.command()
@click.option("--tier", type=click.Choice(["tiny", "small"]), default="tiny", show_default=True)
@click.option("--count", default=4000, show_default=True, help="Recorded images.")
@click.option("--seed", default=SEED, show_default=True, help="Of the images; not 0.")
@click.option("--held-out", default=HELD_OUT, show_default=True, help="Images of the report.")
def main(tier: str, count: int, seed: int, held_out: int) -> None:
    """Record, fit, write the weights, and say what the policy does on held-out images."""
    recording = record(tier, "train", count, seed)
    right = {ran: recording.right(ran) for ran in SETS if ran}
    save(fit(states_of(recording), right, costs(tier)), tier)
    for line in lines(tier, record(tier, "held_out", held_out, 0)):
        click.echo(line)


if __name__ == "__main__":
    main()
