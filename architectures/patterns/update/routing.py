"""The light stages around the slots: who answers, the answer, and whether the shadow agrees."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from architectures.graph import Inputs, Outputs
from architectures.patterns.tags import names, tags
from architectures.patterns.update.agreement import agreements, answered, wanted
from architectures.patterns.update.rollout import ROLLOUT, Rollout, from_json
from architectures.state import Follower, Published, Store, Tally


class RouteVersion:
    """A stage: ``body`` to who answers (``known_good`` or ``canary``), whether to ``shadow``.

    ``candidate`` is the version staged as this replica knows it, 0 where none is; ``rollout`` is
    the published state it decided by.
    """

    def __init__(self, store: Store) -> None:
        self._rollout = Rollout()
        self._number = 0
        self._follower = Follower(store, ROLLOUT, self._apply)

    def __call__(self, batch: Sequence[Inputs]) -> list[Outputs]:
        """Decide for each member."""
        self._follower.follow()
        rollout, number = self._rollout, self._number
        return [_route(rollout, number, member["body"]) for member in batch]

    def _apply(self, published: Published) -> None:
        self._rollout, self._number = from_json(published.blob), published.version


def _route(rollout: Rollout, number: int, body: bytes) -> Outputs:
    candidate = rollout.candidate
    canary = rollout.answered_by_candidate(body)
    return {
        "known_good": not canary,
        "canary": canary,
        # Where the candidate answers there is nothing to compare it with.
        "shadow": candidate is not None and not canary,
        "candidate": 0 if candidate is None else candidate.version,
        "rollout": number,
    }


class AnswerVersion:
    """A stage: the slot's scores that were asked for, to the ``answer``."""

    def __init__(self, store: Store) -> None:
        self._tally = Tally(store)

    def __call__(self, batch: Sequence[Inputs]) -> list[Outputs]:
        """Answer each member, and count who answered and how many shadows were asked for."""
        answers = [_answer(member) for member in batch]
        for answer, member in zip(answers, batch, strict=True):
            self._tally.add({answered(answer["version"]): 1})
            if member["shadow"]:
                self._tally.add({wanted(member["candidate"]): 1})
        return [{"answer": answer} for answer in answers]


def _answer(member: Inputs) -> dict[str, Any]:
    asked = "known_good" if member["known_good_served"] is not None else "canary"
    served: Mapping[str, Any] = member[f"{asked}_served"]
    return {
        "tags": tags(np.asarray(member[f"{asked}_scores"])),
        **served,
        "rollout": member["rollout"],
        "shadowed": bool(member["shadow"]),
        "models_run": [served["model"]],
    }


class CompareVersions:
    """A stage that no answer waits for: counts whether the shadow says what was answered."""

    def __init__(self, store: Store) -> None:
        self._tally = Tally(store)

    def __call__(self, batch: Sequence[Inputs]) -> list[Outputs]:
        """Compare each member's pair; a slot that has yet to load the candidate is not counted."""
        for member in batch:
            if member["shadow_served"]["version"] == member["candidate"]:
                self._tally.add(_compared(member))
        return [{} for _ in batch]


def _compared(member: Inputs) -> dict[str, float]:
    said = names(np.asarray(member["scores"]))
    shadow = names(np.asarray(member["shadow_scores"]))
    pair = (member["served"]["version"], member["candidate"])
    return agreements(pair, {kind: said[kind] == shadow[kind] for kind in said})
