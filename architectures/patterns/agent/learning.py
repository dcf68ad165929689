"""How the agent learns: from recorded scores of all classifiers, and from single answers."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from architectures.patterns.agent.policy import (
    EMPTY,
    RIDGE,
    ROWS,
    SETS,
    STOP,
    WIDTH,
    Policy,
    actions,
    after,
    features,
    price,
)
from architectures.patterns.arms import all_right
from architectures.patterns.recording import Recording
from architectures.patterns.sums import Observed, Sums, Vector

_ROOT = Path(__file__).parent / "weights"

PRIOR_EXAMPLES = 500.0
"""Examples each shipped model weighs: as many met in service move it halfway."""


def states_of(recording: Recording) -> dict[tuple[str, ...], Vector]:
    """Set of arms -> every image's features once these ran, ``(n, WIDTH)``."""
    span = range(len(recording.labels))
    return {
        ran: np.array([features(recording.ballots(i, ran), recording.contexts[i]) for i in span])
        for ran in SETS
    }


def fit(
    states: Mapping[tuple[str, ...], Vector],
    right: Mapping[tuple[str, ...], Vector],
    costs: Mapping[str, float],
) -> Sums:
    """Fitted Q iteration from the set of all arms back to none.

    Args:
        states: set of arms -> features of ``n`` recorded requests, ``(n, WIDTH)``.
        right: set of arms -> 1 where its mean is right, ``(n,)``; not for the empty set.
        costs: arm -> its cost.

    Returns:
        The sums that solve to the fitted Q-function.
    """
    sums = EMPTY
    best: dict[tuple[str, ...], Vector] = {}
    for ran in SETS:
        values = []
        for action in actions(ran):
            target = (
                right[ran] - 1
                if action == STOP
                else best[after(ran, action)] - price(action, costs)
            )
            row = ROWS[ran, action]
            sums = sums.joined(_sums_of(row, states[ran], target))
            values.append(states[ran] @ _coefficients(sums, row))
        best[ran] = np.max(values, 0)
    return sums


def _sums_of(row: int, states: Vector, target: Vector) -> Sums:
    gram, moment, count = (part.copy() for part in (EMPTY.gram, EMPTY.moment, EMPTY.count))
    gram[row], moment[row], count[row] = states.T @ states, states.T @ target, len(states)
    return Sums(gram, moment, count)


def _coefficients(sums: Sums, row: int) -> Vector:
    solved: Vector = np.linalg.solve(sums.gram[row] + RIDGE * np.eye(WIDTH), sums.moment[row])
    return solved


def policy_of(shipped: Sums, added: Sums) -> Policy:
    """What the shipped sums and those added in service say together."""
    coefficients, _ = shipped.worth(PRIOR_EXAMPLES).joined(added).solve(RIDGE)
    return Policy(coefficients, int(added.count.sum()))


def lessons(
    steps: Sequence[Mapping[str, Any]],
    label: Mapping[str, Any],
    policy: Policy,
    costs: Mapping[str, float],
) -> list[Observed]:
    """What one answer teaches, by the Bellman equation of the policy at hand.

    Stopping is judged in every state that was met, since what would have been answered there is
    known; running an arm only where it was run.

    Args:
        steps: of the answer, in order.
        label: the truth.
        policy: values the state that a run led to.
        costs: arm -> its cost.
    """
    learnt = []
    for step, later in zip(steps, (*steps[1:], None), strict=True):
        ran, state = tuple(step["ran"]), np.asarray(step["features"], np.float64)
        if ran:
            learnt.append(Observed(ROWS[ran, STOP], state, all_right(step["says"], label) - 1))
        if later is not None:
            arrived = tuple(later["ran"])
            _, value = policy.best(arrived, np.asarray(later["features"], np.float64))
            arm = step["next"]
            learnt.append(Observed(ROWS[ran, arm], state, value - price(arm, costs)))
    return learnt


def path(tier: str) -> Path:
    """The file of a tier's shipped sums."""
    return _ROOT / f"{tier}.safetensors"


def save(sums: Sums, tier: str) -> None:
    """Ship sums, as float32."""
    from safetensors.numpy import save_file

    path(tier).parent.mkdir(parents=True, exist_ok=True)
    parts = {"gram": sums.gram, "moment": sums.moment, "count": sums.count}
    save_file({name: part.astype(np.float32) for name, part in parts.items()}, path(tier))


def shipped_digest(tier: str) -> str | None:
    """SHA-256 of a tier's shipped policy; None where none is shipped."""
    file = path(tier)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None


def shipped(tier: str) -> Sums:
    """A tier's shipped sums; nothing for a tier whose classifiers are not trained."""
    from safetensors.numpy import load_file

    if not path(tier).exists():
        return EMPTY
    parts = load_file(path(tier))
    return Sums(*(parts[name].astype(np.float64) for name in ("gram", "moment", "count")))
