"""Scenarios: what is valid comes back as written; what is not is refused in words."""

import json
import string
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.rate import parse_rate
from harness.scenario import Scenario
from harness.scenario_file import ScenarioError, parse_scenario
from workloads.arrivals import ARRIVALS

names = st.text(string.ascii_lowercase + string.digits + "_-", min_size=1).filter(
    lambda name: name[0] not in "_-"
)
seconds = st.floats(0.001, 1e6)
rates = st.one_of(
    st.floats(0.001, 1e6),
    st.integers(1, 10**6),
    st.floats(0.001, 100).map(lambda share: f"{share} ceiling"),
)
documents = st.fixed_dictionaries(
    {
        "name": names,
        "suts": st.lists(names, min_size=1, unique=True),
        "load": st.fixed_dictionaries(
            {"rates": st.lists(rates, min_size=1)},
            optional={
                "workload": st.sampled_from(
                    sorted(name for name, process in ARRIVALS.items() if not process.replays)
                ),
                "steady_s": seconds,
                "warm_up_s": seconds,
                "blocks": st.integers(1, 1000),
                "max_in_flight": st.integers(65, 899),
            },
        ),
    },
    optional={
        "summary": st.text(),
        "slo": st.fixed_dictionaries({"response_time_s": st.floats(0.001, 5)}),
    },
)


def quoted(value: object) -> str:
    """JSON values are TOML values once the one control character JSON leaves bare is escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def as_toml(document: dict[str, Any]) -> str:
    flat = {key: value for key, value in document.items() if not isinstance(value, dict)}
    lines = [f"{key} = {quoted(value)}" for key, value in flat.items()]
    for title in document.keys() - flat.keys():
        lines.append(f"[{title}]")
        lines += [f"{key} = {quoted(value)}" for key, value in document[title].items()]
    return "\n".join(lines)


@given(documents)
def test_what_is_written_comes_back(document: dict[str, object]) -> None:
    text = as_toml(document)
    assert tomllib.loads(text) == document
    dumped = parse_scenario(text, "f.toml").model_dump(mode="json")
    for key, value in document.items():
        if isinstance(value, dict):
            assert value.items() <= dumped[key].items()
        else:
            assert dumped[key] == value
    assert Scenario.model_validate(dumped).model_dump(mode="json") == dumped


@given(documents, names)
def test_an_unknown_key_is_always_named(document: dict[str, Any], key: str) -> None:
    document["load"] = {**document["load"], "zz" + key: 1}
    with pytest.raises(ScenarioError, match=f"there is no key 'load.zz{key}'"):
        parse_scenario(as_toml(document), "f.toml")


@given(st.floats(0.001, 10), st.floats(1, 1e4))
def test_a_share_of_the_ceiling_is_that_share(share: float, ceiling_rps: float) -> None:
    rate = parse_rate(f"{share} ceiling")
    assert rate.rps(ceiling_rps) == pytest.approx(share * ceiling_rps, rel=1e-3)


@given(st.integers(1, 10**6), st.floats(0.001, 1e6))
def test_a_trace_at_its_own_speed_is_not_rounded(times: int, trace_rps: float) -> None:
    assert parse_rate("1 trace").rps(None, trace_rps) == trace_rps
    assert parse_rate(f"{times} trace").rps(5.0, trace_rps) == times * trace_rps


@given(st.text())
def test_any_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(ScenarioError, match=r"f\.toml"):
        parse_scenario(text, "f.toml")
