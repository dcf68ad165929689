"""The web UI's form: what it asks for, and in which words it is refused."""

from pathlib import Path
from typing import Any

import pytest

from architectures.plugin import Example
from workloads.arrivals import WorkloadError
from workloads.payloads import write_payloads
from workloads.web_form import Asked, asked, draw, read_mix

FORM = {
    "rate": "50",
    "arrivals": "poisson",
    "graph": "tag",
    "mix": "",
    "warm_up": "0",
    "duration": "2",
    "seed": "1",
    "max_in_flight": "20",
}


def given(**changed: Any) -> Asked:
    return asked({**FORM, **changed}, ("tag", "names"), 899, 10_000)


@pytest.fixture
def payloads(tmp_path: Path) -> Path:
    path = tmp_path / "payloads.parquet"
    labels = [("cat", "red"), ("dog", "red"), ("dog", "blue"), ("red", "blue")]
    examples = [
        Example(number, b"x", "image/jpeg", {"category": kind, "colour": colour})
        for number, (kind, colour) in enumerate(labels)
    ]
    write_payloads(path, examples)
    return path


def test_text_becomes_a_header() -> None:
    wanted = given(rate=" 12.5", warm_up="1.5", mix="colour: red=2, blue=1")
    assert wanted.header.rate_rps == 12.5
    assert (wanted.header.warm_up_s, wanted.header.steady_s) == (1.5, 2)
    assert wanted.header.mix == {"red": 2, "blue": 1}
    assert (wanted.mix_by, wanted.max_in_flight) == ("colour", 20)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("rate", value) for value in ("", "0", "-1", "nan", "inf", "ten", "1e6")),
        *(("duration", value) for value in ("", "0", "-1", "nan", "inf", "1e9")),
        *(("warm_up", value) for value in ("-1", "nan", "inf", "1e9")),
        *(("seed", value) for value in ("-1", "1.5", "", "1_0", "\u0663", "9" * 30)),
        *(("max_in_flight", value) for value in ("0", "900", "-1", "many")),
        *(("graph", value) for value in ("", "nope")),
        *(("arrivals", value) for value in ("", "trace", "poison")),
        *(
            ("mix", value)
            for value in ("cat", "cat=0", "cat=x", "=1", "cat=1,cat=2", "by:", ":a=1")
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_name(field: str, value: str) -> None:
    with pytest.raises(WorkloadError, match=f"^{field}"):
        given(**{field: value})


def test_a_mix_may_be_empty_or_name_its_field() -> None:
    assert not read_mix("  ").weights
    assert read_mix("a=1,").weights == {"a": 1.0}
    assert read_mix("k = v: a = b=2").by == "k = v"


def test_the_values_of_a_mix_tell_its_field(payloads: Path) -> None:
    plan = draw(given(mix="cat=1, dog=1").header, payloads)
    assert set(plan.payloads.tolist()) == {0, 1, 2}
    by_colour = draw(given(mix="blue=1").header, payloads)
    assert set(by_colour.payloads.tolist()) == {2, 3}


@pytest.mark.parametrize(
    ("mix", "words"),
    [
        ("red=1", "category or colour; say which, as in category: red=1"),
        ("cat=1, blue=1", "several fields"),
        ("bleu=1", r"no payload is labelled 'bleu' \(did you mean 'blue'\?\)"),
    ],
)
def test_a_mix_that_names_no_field_is_refused(payloads: Path, mix: str, words: str) -> None:
    with pytest.raises(WorkloadError, match=words):
        draw(given(mix=mix).header, payloads)


def test_a_field_that_is_named_decides(payloads: Path) -> None:
    wanted = given(mix="category: red=1")
    assert set(draw(wanted.header, payloads, wanted.mix_by).payloads.tolist()) == {3}


def test_a_plan_without_a_request_is_refused(payloads: Path) -> None:
    with pytest.raises(WorkloadError, match="no request"):
        draw(given(rate="0.0001").header, payloads)
