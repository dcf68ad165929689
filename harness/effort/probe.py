"""One deployment: brought up, asked a little, changed once, ended."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter_ns, sleep
from typing import Any

from architectures.contract import ADMIN_KEY_HEADER, ADMIN_PREFIX, graph_path, parse_server_timing
from architectures.plugin import Example, as_asked, load_ensemble
from architectures.server_config import new_nonce
from architectures.spec import Architecture, Launch, ResourceClaim, Variant
from harness.deploy import Deployment, deploy
from harness.effort.plan import ChangeSection, DeploymentSection, EffortPlan
from harness.effort.processes import at_rest, sent_bytes
from harness.effort.record import EffortRow
from harness.effort.wiring import settings
from harness.http import ask, ask_with_headers
from harness.kept import DeployError, scratch_directory
from harness.network import Traffic
from harness.ports import PORTS, NoFreePortError

_IDLE_S = 1.0
_NEW_IN_A_ROW = 25
"""Answers of the changed model in a row, after which no replica is taken to have the one before."""

_CHANGE_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Place:
    """What is deployed, and which time."""

    sut: str
    architecture: Architecture
    variant: Variant
    deployment: DeploymentSection
    repeat: int


def measure(plan: EffortPlan, place: Place, claim: ResourceClaim) -> EffortRow:
    """Deploy, ask, change and end; whatever fails is said in the row."""
    row = EffortRow(
        sut=place.sut,
        deployment=place.deployment.name,
        repeat=place.repeat,
        models=_models(plan, place),
        settings=_settings(plan, place, claim),
    )
    stopping_ns = perf_counter_ns()
    try:
        with deploy(
            place.architecture,
            place.variant,
            ensemble=plan.choice(place.deployment),
            policy=plan.policy.policy(),
            claim=claim,
            startup_timeout_s=plan.budget.start_up_limit_s,
        ) as deployment:
            row = row.model_copy(update=_asked(plan, place, deployment))
            stopping_ns = perf_counter_ns()
    except (DeployError, NoFreePortError, OSError, ValueError) as error:
        return row.model_copy(update={"error": str(error)})
    return row.model_copy(update={"stop_s": _since_s(stopping_ns)})


def _since_s(earlier_ns: int) -> float:
    return (perf_counter_ns() - earlier_ns) / 1e9


def _models(plan: EffortPlan, place: Place) -> int:
    stages = load_ensemble(plan.choice(place.deployment)).STAGES.values()
    return sum(stage.kind == "model" for stage in stages)


def _settings(plan: EffortPlan, place: Place, claim: ResourceClaim) -> int:
    """Of the deployment on paper; its folder is only named."""
    launch = Launch(
        plan.choice(place.deployment),
        plan.policy.policy(),
        claim,
        place.variant,
        new_nonce(),
        scratch_directory(),
        PORTS.free,
    )
    return settings(place.variant, place.architecture.blueprint(launch))


def _asked(plan: EffortPlan, place: Place, deployment: Deployment) -> dict[str, Any]:
    """Everything that is read while it is up."""
    graph = place.deployment.graphs[0]
    ensemble = load_ensemble(plan.choice(place.deployment))
    examples = ensemble.examples("load", plan.requests, plan.seed)
    requests = as_asked(ensemble, graph, examples)
    url = deployment.url + graph_path(graph)
    _answer(url, requests[0])
    traffic = Traffic()
    try:
        quiet = sent_bytes(traffic, deployment.keeper.pid)
        sleep(_IDLE_S)
        before = sent_bytes(traffic, deployment.keeper.pid)
        started_ns = perf_counter_ns()
        exchanges = [_answer(url, request) for request in requests]
        spent_s = _since_s(started_ns)
        after = sent_bytes(traffic, deployment.keeper.pid)
    finally:
        traffic.close()
    found = at_rest(deployment.keeper.pid)
    remote = _remote_nodes(ensemble.GRAPHS[graph].steps, deployment.info)
    change = place.deployment.change
    return {
        "start_up_s": deployment.start_up_s,
        "processes": found.processes,
        "ports": found.ports,
        "pss_bytes": found.pss_bytes,
        "response_s": median(one.response_s for one in exchanges),
        "hops": sum(len(remote & one.nodes) for one in exchanges) / len(exchanges),
        "moved_bytes": _moved(quiet, before, after, spent_s, len(requests)),
        "change_s": _changed(deployment, change, url, requests) if change else None,
    }


def _remote_nodes(steps: Sequence[Any], info: Mapping[str, Any]) -> frozenset[str]:
    remote = set(info.get("remote_stages", ()))
    return frozenset(step.key for step in steps if step.stage in remote)


def _moved(
    quiet: int | None, before: int | None, after: int | None, spent_s: float, requests: int
) -> float | None:
    """Bytes a request, less what is sent without one: heartbeats, metrics, reports."""
    if quiet is None or before is None or after is None:
        return None
    idle = (before - quiet) / _IDLE_S * spent_s
    return max(0.0, (after - before - idle) / requests)


@dataclass(frozen=True, slots=True)
class _Exchange:
    response_s: float
    nodes: frozenset[str]
    document: Any


def _answer(url: str, request: Example) -> _Exchange:
    """Ask once.

    Raises:
        ValueError: it was refused.
    """
    started_ns = perf_counter_ns()
    reply, headers = ask_with_headers(url, request.body, request.media_type, request.headers)
    response_s = _since_s(started_ns)
    if reply.status != 200:  # noqa: PLR2004 - HTTP's own number
        raise ValueError(f"{url} answered {reply.status}: {reply.body[:200]!r}")
    stages, _ = parse_server_timing(headers.get("Server-Timing", ""))
    return _Exchange(response_s, frozenset(one.stage for one in stages), reply.json())


def _changed(
    deployment: Deployment, change: ChangeSection, url: str, requests: Sequence[Example]
) -> float:
    """Order one model to be changed; seconds until the last answer of the one before it.

    Raises:
        ValueError: an action was refused, or the model never changed.
    """
    first = _answer(url, requests[0]).document.get(change.field)
    ordered_ns = last_ns = perf_counter_ns()
    for action in change.actions:
        _act(deployment, str(action["action"]), action.get("body", {}))
    new = asked = 0
    while new < _NEW_IN_A_ROW:
        document = _answer(url, requests[asked % len(requests)]).document
        asked += 1
        new = 0 if document.get(change.field) == first else new + 1
        last_ns = last_ns if new else perf_counter_ns()
        if _since_s(ordered_ns) > _CHANGE_LIMIT_S:
            raise ValueError(f"after {_CHANGE_LIMIT_S:g} s answers still say {first!r}")
    return (last_ns - ordered_ns) / 1e9


def _act(deployment: Deployment, action: str, body: Mapping[str, Any]) -> None:
    reply = ask(
        deployment.url + ADMIN_PREFIX + action,
        json.dumps(body).encode(),
        "application/json",
        headers={ADMIN_KEY_HEADER: deployment.admin_key},
    )
    if reply.status != 200:  # noqa: PLR2004 - HTTP's own number
        raise ValueError(f"the action {action!r} was refused: {reply.body[:200]!r}")
