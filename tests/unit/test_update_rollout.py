"""The rollout's rules: what an order makes of it, and which requests the canary answers."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from architectures.backends import DIRECTORY_VARIABLE, STATE_VARIABLE
from architectures.contract import Problem
from architectures.patterns.update import ACTIONS, act
from architectures.patterns.update.agreement import agreements, answered, summary, wanted
from architectures.patterns.update.rollout import (
    Release,
    Rollout,
    canary,
    from_json,
    promote,
    roll_back,
    stage,
)
from architectures.state import open_store

FIRST = Release(1, "residual")
SECOND = Release(2, "depthwise")
BODIES = [b"body %d" % number for number in range(4000)]


@pytest.fixture
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    monkeypatch.delenv(STATE_VARIABLE, raising=False)


def order(action: str, **body: Any) -> Any:
    return asyncio.run(act(action, body))


def test_promote_then_roll_back() -> None:
    staged = stage(Rollout(), "depthwise", None)
    assert (staged.known_good, staged.candidate) == (FIRST, SECOND)
    promoted = promote(canary(staged, 10))
    assert promoted == Rollout(SECOND, None, 0.0, FIRST, 2)
    back = roll_back(promoted)
    assert back == Rollout(FIRST, None, 0.0, None, 2)
    again = stage(back, "hybrid", ("retrained", 4))
    assert again.candidate == Release(3, "hybrid", ("retrained", 4))
    assert roll_back(again) == Rollout(FIRST, None, 0.0, None, 3)


@pytest.mark.parametrize("change", [promote, roll_back, lambda rollout: canary(rollout, 5)])
def test_what_has_no_object_is_refused(change: Any) -> None:
    with pytest.raises(Problem) as refused:
        change(Rollout())
    assert refused.value.status == 409


def test_a_rollout_is_read_as_it_was_written() -> None:
    rollout = canary(stage(stage(Rollout(), "hybrid", None), "depthwise", ("w", 3)), 12.5)
    assert from_json(rollout.to_json()) == rollout


def test_a_canary_gets_its_share_and_the_same_bodies_again() -> None:
    staged = stage(Rollout(), "depthwise", None)

    def sent(percent: float) -> set[bytes]:
        rollout = canary(staged, percent)
        return {body for body in BODIES if rollout.answered_by_candidate(body)}

    assert sent(0) == set()
    assert sent(100) == set(BODIES)
    tenth = sent(10)
    # 4000 draws of 0.1: a standard deviation of 19; the hash is fixed, so this cannot flake.
    assert 340 < len(tenth) < 460
    assert tenth < sent(30)
    other = canary(stage(staged, "hybrid", None), 10)
    assert tenth != {body for body in BODIES if other.answered_by_candidate(body)}


def test_agreement_is_of_the_pair_in_question() -> None:
    counters: dict[str, float] = {answered(1): 7, answered(2): 3, wanted(2): 9}
    same = {"category": True, "colour": True, "pattern": True}
    for found in (same, {**same, "pattern": False}, same, {**same, "category": False}):
        for name, addition in agreements((1, 2), found).items():
            counters[name] = counters.get(name, 0) + addition
    told = summary(stage(Rollout(), "depthwise", None), counters)
    assert told["answered"] == {"1": 7, "2": 3}
    assert told["agreement"] == {
        "wanted": 9,
        "compared": 4,
        "agreed": {"all": 2, "category": 3, "colour": 4, "pattern": 3},
        "rate": 0.5,
    }
    other = summary(stage(stage(Rollout(), "hybrid", None), "hybrid", None), counters)
    assert other["agreement"]["compared"] == 0
    assert other["agreement"]["rate"] is None
    assert summary(Rollout(), counters)["agreement"] is None


@pytest.mark.usefixtures("_state")
def test_orders_are_published_one_after_the_other() -> None:
    assert order("rollout")["rollout"] == 0
    staged = order("stage_candidate", model="depthwise")
    assert (staged["rollout"], staged["candidate"]["version"]) == (1, 2)
    assert order("canary", percent=5)["canary_percent"] == 5
    promoted = order("promote")
    assert promoted["known_good"]["model"] == "depthwise"
    told = order("rollout")
    assert told["published_ns"] == promoted["published_ns"]
    assert {key: told[key] for key in promoted} == promoted
    assert order("roll_back")["known_good"]["version"] == 1


@pytest.mark.usefixtures("_state")
def test_two_admins_do_not_undo_each_other() -> None:
    async def both() -> None:
        await asyncio.gather(*(act("stage_candidate", {"model": "hybrid"}) for _ in range(8)))

    asyncio.run(both())
    told = order("rollout")
    assert (told["rollout"], told["staged"]) == (8, 9)


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("stage_candidate", {}, 422),
        ("stage_candidate", {"model": "<script>"}, 422),
        ("stage_candidate", {"model": "hybrid", "weights": {"name": "x"}}, 422),
        ("stage_candidate", {"model": "hybrid", "weights": {"name": "x", "version": 1}}, 404),
        ("canary", {"percent": 101}, 422),
        ("canary", {"percent": "5"}, 422),
        ("canary", {"percent": float("nan")}, 422),
        ("canary", {"percent": 5}, 409),
        ("promote", {"x" * 1000: 1}, 422),
        ("promote", {}, 409),
        ("roll_back", {}, 409),
        ("rollout", {"y": 1}, 422),
    ],
)
@pytest.mark.usefixtures("_state")
def test_a_wrong_order_is_refused_and_changes_nothing(
    action: str, body: dict[str, Any], status: int
) -> None:
    with pytest.raises(Problem) as refused:
        order(action, **body)
    assert refused.value.status == status
    assert "script" not in refused.value.detail
    assert len(refused.value.detail) < 300
    assert open_store().current_version("update/rollout") == 0


def test_every_action_says_what_it_does() -> None:
    assert set(ACTIONS) == {"stage_candidate", "canary", "promote", "roll_back", "rollout"}
