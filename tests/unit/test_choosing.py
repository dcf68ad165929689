"""The bandit finds the best arm, says how likely that was, and shares what it learns."""

import numpy as np
import pytest
import torch
from torch import nn

from architectures import patterns
from architectures.contract import Problem
from architectures.ensemble import weights
from architectures.ensemble.tiers import TINY
from architectures.patterns.arms import ARMS, MFLOPS, all_right, costs, reward
from architectures.patterns.choosing.bandit import (
    EMPTY,
    believe,
    chances,
    choose,
    mean_rewards,
    observed,
)
from architectures.patterns.choosing.context import WIDTH
from architectures.patterns.choosing.regret import fixed_rewards, regret, simulate
from architectures.patterns.choosing.stages import answer_choice, read_context
from architectures.patterns.label_header import LABEL_HEADER, label_in, with_label
from architectures.patterns.sums import Sums, Vector
from architectures.plugin import load_ensemble
from architectures.spec import EnsembleChoice

REQUESTS = 1000
LABEL = {"category": "shoe", "colour": "red", "pattern": "plain"}


def known_optimum(seed: int) -> tuple[Vector, Vector]:
    """Contexts, and 0 or 1 for every arm: which is best turns with one number of the context."""
    draw = np.random.default_rng(seed)
    contexts = np.column_stack([np.ones(REQUESTS), draw.uniform(-1, 1, (REQUESTS, WIDTH - 1))])
    turn = 0.25 * contexts[:, 1]
    means = np.column_stack([0.7 + turn, 0.7 - turn, np.full(REQUESTS, 0.4)])
    return contexts, (draw.random(means.shape) < means).astype(np.float64)


def fixed(rewards: Vector) -> dict[str, float]:
    return dict(zip(ARMS, rewards.mean(0).tolist(), strict=True))


def test_regret_is_what_the_best_fixed_arm_would_have_earned_more() -> None:
    assert regret([0, 1, 0.5], {"a": 0.5, "b": 0.75}) == pytest.approx([0.75, 0.5, 0.75])


@pytest.mark.parametrize("seed", [0, 1])
def test_the_bandit_beats_every_fixed_arm_where_the_best_depends_on_the_context(seed: int) -> None:
    contexts, rewards = known_optimum(seed)
    received = regret(simulate(contexts, rewards, seed), fixed(rewards))
    draw = np.random.default_rng(seed).integers(len(ARMS), size=REQUESTS)
    uniform = regret(rewards[np.arange(REQUESTS), draw], fixed(rewards))
    assert received[-1] < 0
    assert uniform[-1] > 80
    half = REQUESTS // 2
    assert received[-1] - received[half] < received[half]  # it earns more the longer it learns


@pytest.mark.parametrize("seed", [0, 1])
def test_regret_grows_ever_slower_where_one_arm_is_best(seed: int) -> None:
    draw = np.random.default_rng(seed)
    contexts, _ = known_optimum(seed)
    rewards = (draw.random((REQUESTS, 3)) < (0.9, 0.6, 0.5)).astype(np.float64)
    means = np.array([0.9, 0.6, 0.5])
    received = simulate(contexts, rewards, seed)
    lost = regret(received, fixed(rewards))
    quarter = REQUESTS // 4
    assert lost[-1] - lost[-quarter] < lost[quarter] / 2
    assert lost[-1] < 0.2 * (means.max() - means.mean()) * REQUESTS


def test_replicas_that_share_lose_less_than_those_that_learn_alone() -> None:
    def lost(seed: int, *, shared: bool) -> float:
        contexts, rewards = known_optimum(seed)
        received = simulate(contexts, rewards, seed, replicas=4, shared=shared)
        return float(regret(received, fixed(rewards))[-1])

    seeds = range(2)
    assert np.mean([lost(s, shared=True) for s in seeds]) < np.mean(
        [lost(s, shared=False) for s in seeds]
    )


def test_propensities_are_how_often_arms_are_chosen() -> None:
    means, spreads = np.array([0.0, 0.05, -0.2]), np.array([0.1, 0.02, 0.3])
    draws = means + spreads * np.random.default_rng(0).standard_normal((200_000, 3))
    often = np.bincount(draws.argmax(1), minlength=3) / len(draws)
    assert chances(means, spreads) == pytest.approx(often, abs=0.01)
    contexts, _ = known_optimum(0)
    belief = believe(EMPTY.plus(observed("residual", x, 0.97) for x in contexts[:10]))
    draw = np.random.default_rng(1)
    chosen = [choose(belief, contexts[0], draw) for _ in range(3000)]
    share = sum(each.arm == "residual" for each in chosen) / len(chosen)
    said = next(each.propensity for each in chosen if each.arm == "residual")
    assert share == pytest.approx(said, abs=0.04)


def test_fixed_arms_are_estimated_from_answers_that_chose_among_them() -> None:
    contexts, rewards = known_optimum(3)
    belief = believe(EMPTY.plus(observed("hybrid", x, 0.9) for x in contexts[:20]))
    draw = np.random.default_rng(4)
    chosen = [choose(belief, x, draw) for x in contexts]
    answers = [{"model": each.arm, "propensity": each.propensity} for each in chosen]
    earned = [float(rewards[i, ARMS.index(each.arm)]) for i, each in enumerate(chosen)]
    assert fixed_rewards(answers, earned) == pytest.approx(fixed(rewards), abs=0.06)


def test_sums_added_in_parts_are_the_sums_of_all() -> None:
    contexts, rewards = known_optimum(5)
    examples = [observed(ARMS[i % 3], contexts[i], rewards[i, i % 3]) for i in range(300)]
    whole = EMPTY.plus(examples)
    parts = EMPTY.plus(examples[1::2]).joined(EMPTY.plus(examples[::2]))
    again = Sums.read(parts.write(), *EMPTY.moment.shape)
    for name in ("gram", "moment", "count"):
        assert getattr(again, name) == pytest.approx(getattr(whole, name), abs=1e-9)
    coefficients, _ = whole.solve(0.5)
    rows = slice(0, 300, 3)
    x, y = contexts[rows], rewards[rows, 0] - 1
    expected = np.linalg.lstsq(
        np.vstack([x, np.sqrt(0.5) * np.eye(WIDTH)]), np.concatenate([y, np.zeros(WIDTH)])
    )[0]
    assert coefficients[0] == pytest.approx(expected)
    told = mean_rewards(whole)["residual"]
    assert told == {"rewards": 100, "mean_reward": pytest.approx(rewards[rows, 0].mean(), abs=1e-4)}
    with pytest.raises(ValueError, match="reshape"):
        Sums.read(b"12345678", 3, WIDTH)


def operations(arm: str) -> float:
    """Two for each weight that an output of a convolution or a linear layer is made of."""
    counted: list[int] = []

    def count(layer: nn.Module, _: object, out: torch.Tensor) -> None:
        counted.append(2 * out.numel() * layer.weight[0].numel())  # type: ignore[index,operator,union-attr]

    model = weights.load(f"classify_{arm}", TINY)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    with torch.inference_mode():
        model(torch.zeros(1, 3, TINY.crop_px, TINY.crop_px))
    return sum(counted) / 1e6


def test_costs_are_the_operations_of_each_network() -> None:
    cells, width, blocks = (TINY.crop_px // 16) ** 2, 96, 3
    attention = {"hybrid": blocks * 2 * 2 * cells**2 * width / 1e6}
    for arm in ARMS:
        assert MFLOPS["tiny"][arm] == pytest.approx(
            operations(arm) + attention.get(arm, 0), abs=0.01
        )
    assert costs("tiny") == {"residual": 1.0, "depthwise": 0.4354, "hybrid": 0.7344}
    assert reward(1, 0.5) == pytest.approx(0.99)


def test_a_label_in_a_header_is_read_or_refused() -> None:
    (example,) = patterns.examples("load", 1, 0)
    sent = with_label(example).headers
    read = label_in(sent)
    assert read is not None
    assert all_right(read, example.label) == 1
    assert label_in({}) is None
    for text in ("", "shoe", "category=shoe; colour=red", "category=shoe; colour=red; pattern=new"):
        with pytest.raises(Problem) as refused:
            label_in({LABEL_HEADER: text})
        assert (refused.value.slug, refused.value.status) == ("bad-label", 422)


def test_contexts_and_answers_do_not_depend_on_the_batch() -> None:
    draw = np.random.default_rng(0)
    members = [
        {
            "crop": draw.integers(0, 256, (96, 96, 3), dtype=np.uint8),
            "box": np.sort(draw.random(4)).astype(np.float32)[[0, 1, 2, 3]],
            "headers": {LABEL_HEADER: "nonsense"} if i == 3 else {},
        }
        for i in range(6)
    ]
    together = read_context(members)
    for i, (member, result) in enumerate(zip(members, together, strict=True)):
        (alone,) = read_context([member])
        if i == 3:
            assert isinstance(result, Problem)
            continue
        assert result == alone
        assert len(alone["context"]) == WIDTH  # type: ignore[index]
        assert np.abs(alone["context"]).max() <= 4  # type: ignore[index]
    scores = np.zeros(25, np.float32)
    choice = {"model": "hybrid", "propensity": 0.5}
    asked = {"choice": choice, "residual": None, "depthwise": None, "hybrid": scores}
    first, second = answer_choice("tiny")([asked, asked])
    assert first == second
    assert first["answer"]["cost"] == costs("tiny")["hybrid"]  # type: ignore[index]


def test_the_score_of_an_answer_is_its_reward() -> None:
    found = {kind: {"value": value, "score": 1.0} for kind, value in LABEL.items()}
    document = {"tags": found, "cost": 0.4354}
    told = patterns.score("online/choose", document, LABEL)
    assert told == {"right": 1.0, "reward": pytest.approx(1 - 0.02 * 0.4354)}
    assert patterns.score("online/choose", document, {**LABEL, "colour": "blue"})["right"] == 0
    choice = EnsembleChoice("architectures.patterns", "tiny", graphs=("online/choose",))
    assert "classify_hybrid" in load_ensemble(choice).STAGES
