"""What must hold of a verdict whatever the interval: doubt never decides, and sides mirror."""

import math

from hypothesis import given
from hypothesis import strategies as st

from reports.claims.rule import Bound, Word, bound_of_ratio, rule, whole
from reports.claims.written import DIRECTIONS, Direction
from reports.estimate import Estimate

LOGS = st.floats(-3, 3)
WIDTHS = st.floats(0, 3)
BOTH = st.tuples(WIDTHS, WIDTHS)
MARGINS = st.floats(0, 0.9)
WORDS = st.sampled_from(["supported", "refuted", "inconclusive", "not tested"])
OPPOSITE: dict[Direction, Direction] = {"higher": "not higher", "lower": "not lower"}
SWAPPED = {"supported": "refuted", "refuted": "supported", "inconclusive": "inconclusive"}


Two = tuple[float, float]


def interval(middle: float, below: float, above: float) -> Estimate:
    return Estimate(math.exp(middle), math.exp(middle - below), math.exp(middle + above), 4)


@given(st.sampled_from(DIRECTIONS), MARGINS, LOGS, BOTH, BOTH)
def test_a_wider_interval_never_decides_what_a_narrower_did_not(
    direction: Direction, margin: float, middle: float, ends: Two, more: Two
) -> None:
    bound = bound_of_ratio(direction, margin)
    narrow = rule(bound, interval(middle, *ends))
    wide = rule(bound, interval(middle, ends[0] + more[0], ends[1] + more[1]))
    assert wide in {narrow, "inconclusive"}


@given(st.sampled_from(list(OPPOSITE)), MARGINS, LOGS, BOTH)
def test_the_opposite_claim_gets_the_opposite_word(
    direction: Direction, margin: float, middle: float, ends: Two
) -> None:
    found = interval(middle, *ends)
    word = rule(bound_of_ratio(direction, margin), found)
    assert rule(bound_of_ratio(OPPOSITE[direction], margin), found) == SWAPPED[word]


@given(LOGS, LOGS, WIDTHS, WIDTHS)
def test_swapping_the_sides_mirrors_the_word(
    bound: float, middle: float, below: float, above: float
) -> None:
    found = interval(middle, below, above)
    turned = interval(-middle, above, below)
    word = rule(Bound(math.exp(bound), "above"), found)
    # Ends that touch the bound but for rounding may fall to either side of it.
    ends = (middle - below, middle + above)
    if all(abs(end - bound) > 1e-9 for end in ends):
        assert rule(Bound(math.exp(-bound), "below"), turned) == word


@given(st.lists(WORDS, min_size=1))
def test_a_claim_is_supported_only_where_all_its_parts_are(words: list[Word]) -> None:
    assert (whole(words) == "supported") == (set(words) == {"supported"})
    assert (whole(words) == "refuted") == ("refuted" in words)
    assert whole(words) == whole(reversed(words))
