"""What an operator may order, and what an order is answered with."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from functools import partial
from typing import Any, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from architectures.contract import Problem
from architectures.ensemble.graphs import CLASSIFIERS
from architectures.patterns.update import rollout
from architectures.patterns.update.agreement import COUNTERS, summary
from architectures.patterns.update.rollout import ROLLOUT, Rollout
from architectures.patterns.update.swaps import read_swaps
from architectures.state import Store, SupersededError, open_store

MODELS = tuple(name.removeprefix("classify_") for name in CLASSIFIERS)

ACTIONS: Mapping[str, str] = {
    "stage_candidate": 'Run a model in the shadow: {"model": "depthwise"}, or with weights that '
    'were published: {"model": "residual", "weights": {"name": "retrained", "version": 2}}.',
    "canary": 'Let the candidate answer a share of the requests: {"percent": 5}.',
    "promote": "Make the candidate the known good model.",
    "roll_back": "Drop the candidate; without one, undo the last promotion.",
    "rollout": "Versions, answers by version, agreement of the shadow, swaps of the replicas.",
}


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Weights(_Order):
    name: str = Field(min_length=1, max_length=200)
    version: int = Field(ge=1)


class _Stage(_Order):
    model: Literal[*MODELS]  # type: ignore[valid-type]
    weights: _Weights | None = None


class _Canary(_Order):
    percent: float = Field(ge=0, le=100, allow_inf_nan=False)


_OrderT = TypeVar("_OrderT", bound=_Order)
_Change: TypeAlias = Callable[[Rollout], Rollout]
_CarryOut: TypeAlias = Callable[[Store, Mapping[str, Any]], dict[str, Any]]


async def act(action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Carry out one of ``ACTIONS``; every one answers what is published now.

    Raises:
        Problem: 422, the body is not what the action takes; 404, there are no such weights;
            409, there is no candidate, or nothing to go back to.
        BackendError: the store is away.
        KeyError: no such action.
    """
    orders: dict[str, _CarryOut] = {
        "stage_candidate": _stage,
        "canary": _share,
        "promote": partial(_changed, rollout.promote),
        "roll_back": partial(_changed, rollout.roll_back),
        "rollout": _status,
    }
    return await asyncio.to_thread(_with_store, orders[action], body)


def _with_store(carry_out: _CarryOut, body: Mapping[str, Any]) -> dict[str, Any]:
    with closing(open_store()) as store:
        return carry_out(store, body)


def _stage(store: Store, body: Mapping[str, Any]) -> dict[str, Any]:
    order = _read(_Stage, body)
    weights = None if order.weights is None else (order.weights.name, order.weights.version)
    if weights is not None and store.read(*weights) is None:
        raise Problem("no-such-weights", 404, "No weights of that name and version are kept.")
    return _publish(store, lambda now: rollout.stage(now, order.model, weights))


def _share(store: Store, body: Mapping[str, Any]) -> dict[str, Any]:
    order = _read(_Canary, body)
    return _publish(store, lambda now: rollout.canary(now, order.percent))


def _changed(change: _Change, store: Store, body: Mapping[str, Any]) -> dict[str, Any]:
    _read(_Order, body)
    return _publish(store, change)


def _status(store: Store, body: Mapping[str, Any]) -> dict[str, Any]:
    _read(_Order, body)
    published = store.read(ROLLOUT)
    now = rollout.from_json(published.blob) if published else Rollout()
    return {
        "rollout": published.version if published else 0,
        "published_ns": published.published_ns if published else 0,
        **asdict(now),
        **summary(now, store.counters(COUNTERS)),
        "swaps": read_swaps(store),
    }


def _publish(store: Store, change: _Change) -> dict[str, Any]:
    """Change the rollout, whoever else changes it at the same time."""
    while True:
        found = store.read(ROLLOUT)
        changed = change(rollout.from_json(found.blob) if found else Rollout())
        try:
            published = store.publish(ROLLOUT, changed.to_json(), found.version if found else 0)
        except SupersededError:
            continue
        return {
            "rollout": published.version,
            "published_ns": published.published_ns,
            **asdict(changed),
        }


def _read(kind: type[_OrderT], body: Mapping[str, Any]) -> _OrderT:
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, wrong["loc"]))[:60]  # the client chose it; it may be long
        raise Problem("bad-order", 422, f"{where or 'body'}: {wrong['msg']}.") from error
