"""The model card says what the shipped weights do."""

import pytest

from architectures.ensemble import describe, model_card
from architectures.ensemble.evaluate import evaluate

TRAINED = ("tiny", "small")


def test_every_trained_tier_has_a_card() -> None:
    assert model_card.tiers() == list(TRAINED)


@pytest.mark.parametrize("tier", TRAINED)
def test_cards_describe_these_weights_and_clear_the_floor(tier: str) -> None:
    card = model_card.read(tier)
    assert card["weights_digest"] == describe(tier).weights_digest
    assert card["held_out"]["count"] == 2000
    assert all(card["held_out"][name] >= least for name, least in model_card.FLOOR.items())


def test_the_page_is_written_from_the_cards() -> None:
    assert model_card.PAGE.read_text() == model_card.page()


@pytest.mark.timeout(900)  # 30 core-seconds, more wall on a busy machine
@pytest.mark.parametrize(("tier", "count"), [("tiny", 2000), ("small", 300)])
def test_the_figures_can_be_computed_anew(tier: str, count: int) -> None:
    assert model_card.differences(model_card.read(tier), evaluate(tier, count)) == []


def test_a_false_card_is_found_out() -> None:
    card = model_card.read("tiny")
    found = evaluate("tiny", 32)
    card["held_out"]["mean_iou"] = 0.2
    assert ["mean_iou" in line for line in model_card.differences(card, found)] == [True]
