"""Truths that come later, and what an operator may ask."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from architectures.contract import Problem
from architectures.patterns.agent.learning import lessons, policy_of, shipped
from architectures.patterns.agent.policy import EMPTY, STOP, WIDTH, actions, after
from architectures.patterns.agent.stages import KEY
from architectures.patterns.arms import ARMS, costs
from architectures.patterns.feedback_problem import malformed
from architectures.patterns.label_header import checked_label
from architectures.patterns.shared_sums import add
from architectures.patterns.sums import Sums
from architectures.state import Store, open_store

_LIMIT = 10.0
"""Largest number in a state: one feedback must not outweigh all others."""

_MEANT = '{"of": "agent", "tier": TIER, "steps": as answered, "label": {"category": ...}}'

_Arm: TypeAlias = Literal["residual", "depthwise", "hybrid"]


class StepTaken(BaseModel):
    """One of an answer's steps."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ran: list[_Arm] = Field(max_length=len(ARMS))
    features: list[Annotated[float, Field(ge=-_LIMIT, le=_LIMIT)]] = Field(
        min_length=WIDTH, max_length=WIDTH
    )
    says: dict[str, str] | None
    next: Literal["stop", "residual", "depthwise", "hybrid"]
    propensity: float = 1
    state_version: int = 0


class AgentFeedback(BaseModel):
    """The truth about an answer of the agent."""

    model_config = ConfigDict(extra="forbid", strict=True)

    of: Literal["agent"]
    tier: Literal["tiny", "small", "base"]
    steps: list[StepTaken] = Field(min_length=1, max_length=len(ARMS) + 1)
    label: dict[str, str]

    @model_validator(mode="after")
    def _led_from_one_to_the_next(self) -> "AgentFeedback":
        ran: tuple[str, ...] = ()
        for step, last in zip(self.steps, [False] * (len(self.steps) - 1) + [True], strict=True):
            if (
                tuple(step.ran) != ran
                or step.next not in actions(ran)
                or (step.next == STOP) != last
            ):
                raise ValueError("steps lead from no arm to the last answer, each by its `next`")
            if ran:
                checked_names(step.says)
            ran = after(ran, step.next)
        return self


def checked_names(says: Mapping[str, str] | None) -> None:
    """See that a step names a value of every kind.

    Raises:
        ValueError: it does not.
    """
    try:
        checked_label(says or {})
    except Problem as problem:
        raise ValueError(problem.detail) from problem


async def take(store: Store, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Learn from ``{"of": "agent", "tier": ..., "steps": [...], "label": {...}}``.

    Raises:
        Problem: ``malformed-feedback`` or ``bad-label`` (422).
    """
    try:
        given = AgentFeedback.model_validate(document)
    except ValidationError as error:
        raise malformed(error, _MEANT) from error
    label = checked_label(given.label)
    policy = policy_of(shipped(given.tier), await _added(store))
    steps = [step.model_dump() for step in given.steps]
    await add(store, KEY, EMPTY, lessons(steps, label, policy, costs(given.tier)))
    return {"taken": True}


async def examples_seen() -> Mapping[str, Any]:
    """How many examples the policy has learnt from since it was shipped."""
    store = open_store()
    try:
        added = await _added(store)
    finally:
        store.close()
    return {"state_version": int(added.count.sum())}


async def _added(store: Store) -> Sums:
    blob = await asyncio.to_thread(store.get, KEY)
    return EMPTY if blob is None else Sums.read(blob, *EMPTY.moment.shape)
