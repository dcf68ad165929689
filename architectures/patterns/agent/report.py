"""What the agent is worth, beside everything that needs no agent."""

import numpy as np

from architectures.patterns.agent.learning import policy_of, shipped
from architectures.patterns.agent.policy import EMPTY, SETS
from architectures.patterns.agent.simulation import Played, always, learn, play
from architectures.patterns.arms import ARMS, costs
from architectures.patterns.recording import Recording

_EXPLORE = 0.02


def lines(tier: str, recording: Recording) -> list[str]:
    """One line for each set of arms, always run, and one for the shipped policy."""
    each = costs(tier)
    rows = {"+".join(ran): always(recording, ran, each) for ran in SETS if ran}
    rows["agent"] = play(recording, policy_of(shipped(tier), EMPTY), each)
    return [_line(name, played) for name, played in rows.items()]


def drift_lines(tier: str, recording: Recording, broken: str = "depthwise") -> list[str]:
    """The same where one arm begins to answer with another image's scores: untold, and told."""
    scores = recording.scores.copy()
    arm = ARMS.index(broken)
    scores[:, arm] = np.roll(scores[:, arm], 1, axis=0)
    drifted = Recording(recording.contexts, scores, recording.labels)
    untold = play(drifted, policy_of(shipped(tier), EMPTY), costs(tier))
    told, after = learn(drifted, shipped(tier), costs(tier), explore=_EXPLORE, seed=0)
    count = len(drifted.labels)
    parts = {
        "first 1/20": told.part(0, count // 20),
        "second 1/20": told.part(count // 20, count // 10),
        "last half": told.part(count // 2, count),
    }
    rows = {"untold": untold, "told": told}
    rows |= {f"told, {name}": part for name, part in parts.items()}
    rows["afterwards"] = play(drifted, after, costs(tier))
    return [_line(f"{broken} broke, {name}", played) for name, played in rows.items()]


def learning_lines(tier: str, recording: Recording, held_out: Recording) -> list[str]:
    """Told the truth of images on which nothing broke, and then on others."""
    told, after = learn(recording, shipped(tier), costs(tier), explore=_EXPLORE, seed=0)
    rows = {"told": told, "afterwards, held out": play(held_out, after, costs(tier))}
    return [_line(f"nothing broke, {name}", played) for name, played in rows.items()]


def _line(name: str, played: Played) -> str:
    right, cost, runs, worth = (
        float(numbers.mean()) for numbers in (played.right, played.cost, played.runs, played.reward)
    )
    return f"{name:34} right {right:.4f}  cost {cost:.3f}  models {runs:.3f}  reward {worth:.4f}"
