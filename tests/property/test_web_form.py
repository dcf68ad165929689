"""Whatever somebody types into the web UI's form, it is played or refused in words."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from architectures.plugin import Example
from workloads.arrivals import WorkloadError
from workloads.payloads import write_payloads
from workloads.web_form import DRAWN, asked, draw

MOST_ROWS = 300
FIGURES = st.one_of(
    st.sampled_from(["", "0", "1", "10", "-0", "1e-300", "1e300", "nan", "inf", "0x1", "\u0661"]),
    st.floats(width=32).map(repr),
    st.floats(1e-9, 50).map(repr),
    st.text(max_size=6),
)
WEIGHTS = st.floats(1e-6, 1e6)
WEIGHTED = st.builds("cat={}, dog={}".format, WEIGHTS, WEIGHTS)
MIXES = st.one_of(
    st.just(""),
    st.text(alphabet="catdog=,:1. -e", max_size=20),
    WEIGHTED,
)
FORMS = st.fixed_dictionaries(
    {
        "rate": FIGURES,
        "warm_up": FIGURES,
        "duration": FIGURES,
        "seed": FIGURES | st.integers(0, 2**64).map(str),
        "max_in_flight": FIGURES | st.just("9"),
        "arrivals": st.sampled_from(DRAWN) | st.text(max_size=4),
        "graph": st.sampled_from(["tag", "names", ""]),
        "mix": MIXES,
    }
)
GOOD = st.fixed_dictionaries(
    {
        "rate": st.floats(1e-3, 1e3).map(repr),
        "warm_up": st.floats(0, 0.2).map(repr),
        "duration": st.floats(1e-9, 0.2).map(repr),
        "seed": st.integers(0, 2**63 - 1).map(str),
        "max_in_flight": st.just("9"),
        "arrivals": st.sampled_from(DRAWN),
        "graph": st.just("tag"),
        "mix": st.just("") | WEIGHTED,
    }
)


@pytest.fixture(scope="module")
def payloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("form") / "payloads.parquet"
    kinds = ("cat", "dog", "dog")
    write_payloads(path, [Example(1, b"x", "image/jpeg", {"category": kind}) for kind in kinds])
    return path


@settings(max_examples=300, deadline=None)
@given(form=st.one_of(FORMS, GOOD))
def test_it_is_drawn_or_refused_in_words(payloads: Path, form: dict[str, Any]) -> None:
    try:
        wanted = asked(form, ("tag", "names"), 899, MOST_ROWS)
        plan = draw(wanted.header, payloads, wanted.mix_by)
    except WorkloadError:
        event("refused")
        return
    event("drawn")
    assert 0 < len(plan.offsets_ns) < 20 * MOST_ROWS
    assert (plan.offsets_ns >= 0).all()
    assert (plan.offsets_ns < plan.duration_s * 1e9).all()
    assert set(plan.payloads.tolist()) <= {0, 1, 2}
    assert 1 <= wanted.max_in_flight <= 899
