"""The agent: as right as the best classifier for less, and taught by the answers it gave."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click import Command
from click.testing import CliRunner

from architectures import patterns
from architectures.backends import DIRECTORY_VARIABLE
from architectures.contract import Problem
from architectures.ensemble.attributes import ATTRIBUTES, SCORE_SLICES, SCORES
from architectures.patterns.agent import __main__ as agent_main
from architectures.patterns.agent import learning, stages, training
from architectures.patterns.agent.feedback import take
from architectures.patterns.agent.learning import fit, lessons, policy_of, shipped, states_of
from architectures.patterns.agent.policy import EMPTY, ROWS, SETS, STOP, WIDTH, Policy, actions
from architectures.patterns.agent.simulation import always, learn, play
from architectures.patterns.arms import ARMS, COST_WEIGHT, costs
from architectures.patterns.choosing import __main__ as choosing_main
from architectures.patterns.choosing import context
from architectures.patterns.recording import Recording, record
from architectures.patterns.sums import Sums
from architectures.plugin import load_stages
from architectures.spec import EnsembleChoice, ServingPolicy
from architectures.stage_calls import StageCalls
from architectures.state import open_store
from architectures.walk import run_batch, walk

COSTS = costs("tiny")
UNSURE = 0.3
NAMES = {kind: names[0] for kind, names in ATTRIBUTES.items()}


def ballot(value: int, sure: float) -> np.ndarray:
    """Scores that name the same value of every kind."""
    scores = np.zeros(SCORES, np.float32)
    for part in SCORE_SLICES.values():
        width = part.stop - part.start
        scores[part] = (1 - sure) / (width - 1)
        scores[part.start + value] = sure
    return scores


def known_optimum(seed: int, count: int, *, broken: bool = False) -> Recording:
    """``residual`` is right and sure; ``depthwise`` is right where it is sure, which it shows.

    ``hybrid`` is sure and wrong. Where ``broken``, ``depthwise`` is sure and wrong too.
    """
    draw = np.random.default_rng(seed)
    scores = np.zeros((count, len(ARMS), SCORES), np.float32)
    for i, unsure in enumerate(draw.random(count) < UNSURE):
        depthwise = ballot(1, 0.4) if unsure else ballot(0, 0.9)
        scores[i] = ballot(0, 0.97), ballot(1, 0.9) if broken else depthwise, ballot(2, 0.99)
    contexts = np.column_stack([np.ones(count), draw.uniform(-1, 1, (count, context.WIDTH - 1))])
    return Recording(contexts, scores, [NAMES] * count)


def taught(recording: Recording) -> Sums:
    right = {ran: recording.right(ran) for ran in SETS if ran}
    return fit(states_of(recording), right, COSTS)


@pytest.fixture(scope="module")
def sums() -> Sums:
    return taught(known_optimum(0, 400))


def test_the_policy_fitted_in_simulation_is_the_best_there_is(sums: Sums) -> None:
    played = play(known_optimum(1, 300), policy_of(sums, EMPTY), COSTS)
    unsure = float((played.runs == 2).mean())
    assert played.right.mean() == 1
    assert unsure == pytest.approx(UNSURE, abs=0.1)
    best = 1 - COST_WEIGHT * (COSTS["depthwise"] + unsure * COSTS["residual"])
    assert played.reward.mean() == pytest.approx(best, abs=1e-6)


def test_feedback_teaches_it_to_leave_a_classifier_that_broke(sums: Sums) -> None:
    drifted = known_optimum(2, 400, broken=True)
    before = play(drifted, policy_of(sums, EMPTY), COSTS)
    learnt, policy = learn(drifted, sums, COSTS, explore=0.05, seed=0)
    assert before.right.mean() < 0.1
    assert learnt.right[-100:].mean() > 0.9
    assert play(drifted, policy, COSTS).reward.mean() > 1 - 1.1 * COST_WEIGHT


def test_an_answer_teaches_by_the_bellman_equation() -> None:
    policy = Policy(np.zeros((len(ROWS), WIDTH)))
    policy.coefficients[ROWS[("residual", "depthwise"), STOP], 0] = -0.25
    policy.coefficients[ROWS[("residual", "depthwise"), "hybrid"], 0] = -0.5
    one = [1.0] + [0.0] * (WIDTH - 1)
    wrong = {**NAMES, "colour": "blue"}
    steps: list[dict[str, Any]] = [
        {"ran": [], "features": one, "says": None, "next": "depthwise"},
        {"ran": ["depthwise"], "features": one, "says": wrong, "next": "residual"},
        {"ran": ["residual", "depthwise"], "features": one, "says": NAMES, "next": STOP},
    ]
    learnt = {each.row: each.target for each in lessons(steps, NAMES, policy, COSTS)}
    assert learnt == {
        ROWS[(), "depthwise"]: pytest.approx(0 - COST_WEIGHT * COSTS["depthwise"]),
        ROWS[("depthwise",), STOP]: -1,
        ROWS[("depthwise",), "residual"]: pytest.approx(-0.25 - COST_WEIGHT * COSTS["residual"]),
        ROWS[("residual", "depthwise"), STOP]: 0,
    }


def test_it_never_answers_with_nobody_and_runs_nobody_twice() -> None:
    assert actions(()) == ARMS
    for ran in SETS:
        assert not set(actions(ran)) & set(ran)
    assert len(ROWS) == 19


def test_as_right_as_the_best_classifier_for_less_than_it_and_than_all() -> None:
    held_out = record("tiny", "held_out", 100, 0)
    played = play(held_out, policy_of(shipped("tiny"), EMPTY), COSTS)
    every = always(held_out, ARMS, COSTS)
    singles = {arm: always(held_out, (arm,), COSTS) for arm in ARMS}
    best = max(singles.values(), key=lambda single: float(single.right.mean()))
    assert played.right.mean() >= best.right.mean()
    assert played.right.mean() >= every.right.mean() - 1 / 100
    assert played.cost.mean() < 0.8 * best.cost.mean() < every.cost.mean()
    assert played.reward.mean() > max(float(single.reward.mean()) for single in singles.values())


def test_training_is_a_command_that_gives_the_same_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "_ROOT", tmp_path)
    blobs = []
    for _ in range(2):
        command = ["--count", "16", "--held-out", "16"]
        ended = CliRunner().invoke(training.main, command, catch_exceptions=False)
        assert ended.output.splitlines()[-1].startswith("agent")
        blobs.append((tmp_path / "tiny.safetensors").read_bytes())
    assert blobs[0] == blobs[1]


@pytest.mark.parametrize(
    ("main", "options", "last"),
    [
        (agent_main.main, ["--count", "8", "--drifted", "20"], "depthwise broke, afterwards"),
        (choosing_main.main, ["--count", "8", "--seeds", "1"], "regret, uniform"),
    ],
)
def test_what_the_pages_tell_is_a_command(main: Command, options: list[str], last: str) -> None:
    ended = CliRunner().invoke(main, options, catch_exceptions=False)
    assert ended.output.splitlines()[-1].startswith(last)


def walked(folder: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> list[dict[str, Any]]:
    """Answers of the real stages, every decision drawn at random, each learnt from."""
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(folder))
    monkeypatch.setattr(stages, "EXPLORE", 1.0)
    graph = patterns.GRAPHS["online/agent"]
    choice = EnsembleChoice("architectures.patterns", "tiny")

    async def run() -> list[dict[str, Any]]:
        loaded = load_stages(patterns, choice, graph.stages, 1)
        calls = StageCalls(loaded, ServingPolicy())
        answers = []
        for example in patterns.examples("load", count, 0):
            sent = patterns.request(graph.name, example)
            request = {"body": sent.body, "headers": dict(sent.headers)}
            answer = await walk(graph, request, calls.admit())
            assert answer.after is not None
            await answer.after()
            ran = {timing.stage.partition("_")[0] for timing in answer.timings} & set(ARMS)
            assert ran == set(answer.document["models_run"])
            answers.append(answer.document)
        await calls.close()
        return answers

    return asyncio.run(run())


def test_every_way_through_the_unrolled_graph_is_a_way_of_the_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = walked(tmp_path, monkeypatch, 60)
    assert {len(answer["models_run"]) for answer in answers} == {1, 2, 3}
    for answer in answers:
        steps = answer["steps"]
        assert steps[0]["ran"] == []
        assert steps[-1]["next"] == STOP
        assert steps[-1]["ran"] == answer["models_run"]
        assert steps[-1]["says"] == {kind: tag["value"] for kind, tag in answer["tags"].items()}
        for step, later in pairwise(steps):
            assert sorted(later["ran"]) == sorted([*step["ran"], step["next"]])
    told = asyncio.run(patterns.load_admin("tiny").act("agent", {}))
    assert told["state_version"] == sum(2 * len(answer["steps"]) - 2 for answer in answers)


def test_later_feedback_is_an_answers_own_steps_and_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (answer,) = walked(tmp_path, monkeypatch, 1)
    body = {"of": "agent", "tier": "tiny", "steps": answer["steps"], "label": NAMES}
    bad: list[dict[str, Any]] = [
        {**body, "steps": []},
        {**body, "steps": answer["steps"][1:]},
        {**body, "steps": answer["steps"][:-1]},
        {**body, "steps": answer["steps"] * 2},
        {**body, "label": {"category": "shoe"}},
        {**body, "tier": "huge"},
        {**body, "more": 1},
    ]
    store = open_store()
    try:
        before = store.get(stages.KEY)
        for each in bad:
            with pytest.raises(Problem) as refused:
                asyncio.run(take(store, each))
            assert refused.value.status == 422
        assert store.get(stages.KEY) == before
        assert asyncio.run(take(store, body)) == {"taken": True}
        assert store.get(stages.KEY) != before
    finally:
        store.close()


@pytest.mark.parametrize("name", ["online/agent_all", "online/only_hybrid"])
def test_what_it_is_measured_against_does_not_depend_on_the_batch(name: str) -> None:
    graph = patterns.GRAPHS[name]
    loaded = load_stages(
        patterns, EnsembleChoice("architectures.patterns", "tiny"), graph.stages, 1
    )
    requests = [{"body": example.body} for example in patterns.examples("load", 5, 0)]
    together = run_batch(graph, loaded.compute, requests)
    for request, one in zip(requests, together, strict=True):
        (alone,) = run_batch(graph, loaded.compute, [request])
        assert not isinstance(one, Problem)
        assert not isinstance(alone, Problem)
        assert one.document["models_run"] == alone.document["models_run"]
        assert one.document["cost"] == alone.document["cost"]
        for kind, tag in one.document["tags"].items():
            assert tag["value"] == alone.document["tags"][kind]["value"]
            assert tag["score"] == pytest.approx(alone.document["tags"][kind]["score"], abs=1e-4)
