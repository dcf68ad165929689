"""The three words, what decides between them, and how they are said."""

import math
from functools import partial

import pytest

from reports.gate.contrast import Contrast
from reports.gate.effect import Effect, effect
from reports.gate.holm import holm
from reports.gate.looks import nominal
from reports.gate.robust import robust
from reports.gate.rule import Ruling, agreement, outcome, rule
from reports.gate.sentences import change, says

LEVEL = 0.017


def _ratio(estimate: float, spread: float, pairs: int = 6) -> Effect:
    """Pairs with exactly this mean and spread of log ratios."""
    side = spread * math.sqrt((pairs - 1) / pairs)
    logs = [math.log(estimate) + side * (-1) ** i for i in range(pairs)]
    return effect([1.0] * pairs, [math.exp(x) for x in logs], "lower")


def _alone(contrast: Contrast, margin: float = 0.1) -> Ruling:
    return rule({"a": contrast}, {"a": margin}, LEVEL, ["a"])["a"]


@pytest.mark.parametrize(
    ("estimate", "spread", "word"),
    [
        (1.0, 0.03, "pass"),
        (0.8, 0.05, "pass"),
        (1.03, 0.01, "pass"),  # certain, and surely below the margin
        (1.18, 0.05, "regression"),
        (1.09, 0.02, "regression"),  # certain, and perhaps at the margin
        (1.05, 0.1, "inconclusive"),
        (0.9, 0.5, "inconclusive"),
    ],
)
def test_the_margin_passes_first_and_then_certainty_decides(
    estimate: float, spread: float, word: str
) -> None:
    assert _alone(_ratio(estimate, spread)).word == word


def test_a_bound_at_the_margin_itself_does_not_pass() -> None:
    assert _alone(effect([1.0] * 4, [1.25] * 4, "lower"), 0.25).word == "regression"


def test_holm_holds_back_what_would_be_called_alone() -> None:
    doubtful = _ratio(1.1, 0.075)  # p between level / 6 and level
    assert LEVEL / 6 < doubtful.p < LEVEL
    quiet = dict.fromkeys("bcdef", _ratio(1.0, 0.03))
    margins = dict.fromkeys("abcdef", 0.1)
    assert _alone(doubtful).word == "regression"
    among = rule({"a": doubtful, **quiet}, margins, LEVEL, "abcdef")
    assert among["a"].word == "inconclusive"
    assert among["a"].holm_low < 1 < among["a"].low
    assert among["a"].holm is not None
    assert (among["a"].holm.rank, among["a"].holm.level) == (1, pytest.approx(LEVEL / 6))


def test_a_gating_metric_without_a_contrast_keeps_its_share() -> None:
    doubtful = {"a": _ratio(1.1, 0.075)}
    assert rule(doubtful, {"a": 0.1}, LEVEL, "a")["a"].word == "regression"
    assert rule(doubtful, {"a": 0.1}, LEVEL, "abcdef")["a"].word == "inconclusive"


def test_an_informational_metric_is_judged_alone_and_takes_nothing_from_the_others() -> None:
    seen = {"a": _ratio(1.1, 0.075), "shown": _ratio(1.1, 0.075)}
    found = rule(seen, {"a": 0.1, "shown": 0.1}, LEVEL, ["a"])
    assert [found["a"].word, found["shown"].word] == ["regression", "regression"]
    assert found["shown"].holm is None
    assert found["shown"].holm_low == found["shown"].low


def test_holm_stops_at_the_first_that_is_not_below_its_level() -> None:
    found = holm({"a": 0.03, "b": 0.001, "c": 0.02}, 0.03)
    assert {name: place.rank for name, place in found.items()} == {"b": 1, "c": 2, "a": 3}
    assert {name: place.rejected for name, place in found.items()} == {
        "a": False,  # .03 is not below .03; nor is c below .015
        "b": True,
        "c": False,
    }
    assert holm({"a": 0.02, "b": 0.0294}, 0.03)["b"].rejected is False


def test_over_looks_holms_steps_are_stricter_than_equal_parts() -> None:
    looks = (6, 8, 10)
    share = partial(nominal, looks, 0.05)
    seen = dict.fromkeys("ab", _ratio(1.2, 0.05))
    found = rule(seen, dict.fromkeys("ab", 0.1), share(1), "ab", share=share)
    first = next(place.holm for place in found.values() if place.holm and place.holm.rank == 1)
    assert first.level == share(2) < share(1) / 2


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["pass", "pass"], "pass"),
        (["pass", "inconclusive"], "inconclusive"),
        (["inconclusive", "regression", "pass"], "regression"),
        ([], "inconclusive"),
    ],
)
def test_one_regression_fails_a_gate_and_only_passes_pass_it(words: list[str], word: str) -> None:
    assert outcome(words) == word  # type: ignore[arg-type]


def test_pairs_needed_and_detectable_are_of_the_level_that_holm_starts_from() -> None:
    noisy = {"a": _ratio(1.05, 0.1), "b": _ratio(1.0, 0.1)}
    together = rule(noisy, dict.fromkeys("ab", 0.1), LEVEL, "ab")["a"]
    alone = _alone(noisy["a"])
    assert together.needed is not None
    assert alone.needed is not None
    assert together.needed > alone.needed > 6
    assert together.detectable is not None
    assert alone.detectable is not None
    assert together.detectable > alone.detectable > 1.1


def test_sign_flips_agree_until_one_pair_is_the_whole_finding() -> None:
    clear = effect([1.0] * 8, [1.2, 1.21, 1.19, 1.22, 1.18, 1.2, 1.21, 1.2], "lower")
    drawn = effect([1.0] * 6, [1.001, 1.002, 1.001, 1.002, 1.003, 2.0], "lower")
    seen = {"clear": clear, "drawn": drawn}
    margins = dict.fromkeys(seen, 0.1)
    other = {key: robust(seen[key].logs.changes, "ratio") for key in seen}
    rulings = rule(seen, margins, 0.05, list(seen))
    assert rulings["clear"].word == "regression"
    assert rulings["drawn"].word == "inconclusive"
    assert agreement(rulings, other, margins, 0.05, list(seen)) == {"clear": True, "drawn": False}


def _said(contrast: Contrast, margin: float = 0.1) -> str:
    return says(contrast, _alone(contrast, margin), margin)


def test_each_word_is_said_with_its_numbers() -> None:
    assert _said(_ratio(1.0, 0.03)) == "not worse by 10 % or more: at most +3.6 %"
    assert _said(_ratio(1.03, 0.01)) == (
        "not worse by 10 % or more: at most +4.2 %; small, but real: at least +1.8 %"
    )
    assert _said(_ratio(1.18, 0.05)) == "+18 % (at least +11 %), more than chance"
    assert _said(_ratio(1.05, 0.1)) == (
        "between \N{MINUS SIGN}6.7 % and +18 %: cannot rule out +10 %; "
        "about 13 pairs would settle it"
    )


def test_a_regression_is_said_with_the_bound_that_holm_leaves() -> None:
    seen = {"a": _ratio(1.2, 0.05), "b": _ratio(1.0, 0.03)}
    ruling = rule(seen, dict.fromkeys("ab", 0.1), LEVEL, "ab")["a"]
    at_least = change(ruling.holm_low - 1, "%")
    assert at_least != change(ruling.low - 1, "%")
    assert says(seen["a"], ruling, 0.1) == f"+20 % (at least {at_least}), more than chance"


def test_a_pass_close_to_its_margin_does_not_read_as_the_margin() -> None:
    assert change(0.0996, "%", 0.1) == "+9.96 %"
    assert change(0.0999996, "%", 0.1) != change(0.1, "%")
    assert change(-0.5, "points") == "\N{MINUS SIGN}50 points"
    assert change(math.inf, "%") == "+any number of %"
    assert change(12.3456, "%") == "+1,235 %"


def test_what_no_number_of_pairs_settles_is_said() -> None:
    assert "no number of pairs" in _said(_ratio(1.0, 9.0), 0.01)
    assert "the truth may lie between" in _said(_ratio(1.049, 0.0866, 12))
