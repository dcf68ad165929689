"""A whole gate of six metrics, played often: how often it cries wolf, and what it finds."""

import math
from functools import partial

import numpy as np
import pytest

from reports.gate.difference import difference
from reports.gate.effect import effect
from reports.gate.looks import nominal
from reports.gate.rule import outcome, rule

LOOKS = (6, 8, 10, 12, 14, 16)
METRICS = tuple("abcdef")
MARGINS = dict.fromkeys(METRICS, 0.1)


def _gate(changes: np.ndarray) -> tuple[str, int]:
    """Look as a gate does, over log ratios of pairs x metrics; its word and its pairs."""
    level, share = nominal(LOOKS, 0.05), partial(nominal, LOOKS, 0.05)
    ratios = np.exp(changes)
    for pairs in LOOKS:
        seen = {
            metric: effect([1.0] * pairs, ratios[:pairs, i].tolist(), "lower")
            for i, metric in enumerate(METRICS)
        }
        rulings = rule(seen, MARGINS, level, METRICS, share=share)
        word = outcome(ruling.word for ruling in rulings.values())
        if word != "inconclusive":
            return word, pairs
    return "inconclusive", LOOKS[-1]


def _changes(rng: np.random.Generator, spread: float, together: float) -> np.ndarray:
    """Log ratios of 16 pairs, no change; ``together`` is the metrics' correlation."""
    common = rng.standard_normal((LOOKS[-1], 1))
    alone = rng.standard_normal((LOOKS[-1], len(METRICS)))
    return spread * (math.sqrt(together) * common + math.sqrt(1 - together) * alone)


@pytest.mark.parametrize(("spread", "together"), [(0.05, 0.6), (0.15, 0.0), (0.15, 0.6)], ids=str)
def test_without_a_change_at_most_5_of_100_gates_call_one(spread: float, together: float) -> None:
    rng = np.random.default_rng(7)
    gates = 700
    words = [_gate(_changes(rng, spread, together))[0] for _ in range(gates)]
    assert words.count("regression") / gates <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / gates)
    if spread < 0.1:
        assert words.count("pass") / gates > 0.99


def test_ten_percent_on_one_of_six_metrics_is_found_in_90_of_100_gates() -> None:
    rng = np.random.default_rng(8)
    found, pairs = 0, 0
    for _ in range(500):
        changes = _changes(rng, 0.05, 0.6)
        changes[:, 0] += math.log(1.1)
        word, played = _gate(changes)
        found += word == "regression"
        pairs += played
    assert found / 500 >= 0.9
    assert pairs / 500 < 9


def test_a_change_of_the_margin_passes_in_at_most_5_of_100_gates() -> None:
    rng = np.random.default_rng(9)
    passed = 0
    for _ in range(600):
        changes = _changes(rng, 0.1, 0.0)
        changes[:, 0] += math.log(1.1)
        passed += _gate(changes)[0] == "pass"
    assert passed / 600 <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 600)


@pytest.mark.parametrize("bursts", [0.0, 0.3], ids=["independent", "bursts"])
def test_failures_alike_on_both_sides_are_called_in_at_most_5_of_100(bursts: float) -> None:
    """Bursts make counts of one block hang together; pooled counts alone would not know."""
    rng = np.random.default_rng(10)
    runs, planned, called = 2000, 600, 0
    for _ in range(runs):
        shares = np.where(rng.random((2, 8)) < bursts, 0.1, 0.005)
        old, new = ([(int(x), planned) for x in rng.binomial(planned, side)] for side in shares)
        called += difference(old, new).low(0.05) > 0
    assert called / runs <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)
