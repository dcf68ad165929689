"""What counts as the same answer."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.verify import Compared, difference, read_references, under_load, verification
from workloads.plan import LoadPlan, PlanHeader
from workloads.sample import SCHEMA, Outcome

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e6, 1e6) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_an_answer_equals_itself_after_the_wire(value: Any) -> None:
    assert difference(value, json.loads(json.dumps(value))) is None


@pytest.mark.parametrize(
    ("reference", "answer", "words"),
    [
        ({"tags": ["cat"]}, {"tags": ["dog"]}, 'answer.tags[0] is "dog", not "cat"'),
        ({"score": 0.5}, {"score": 0.5002}, "answer.score is 0.5002, not 0.5"),
        ({"score": 0.5}, {}, "answer.score is missing"),
        ({}, {"score": 0.5}, "answer.score is not in the reference"),
        ([1, 2], [1], "answer has 1 members, not 2"),
        (1, 2, "answer is 2, not 1"),
        (1, True, "answer is true, not 1"),
        ("1", 1, 'answer is 1, not "1"'),
        (0.5, math.nan, "answer is NaN, not 0.5"),
        ([], {}, "answer is {}, not []"),
        ({"problem": "not-an-image"}, {"problem": "empty-body"}, "answer.problem"),
    ],
)
def test_differences_in_words(reference: Any, answer: Any, words: str) -> None:
    found = difference(reference, answer)
    assert found is not None
    assert words in found


def test_floats_may_differ_a_little_and_labels_not() -> None:
    assert difference({"score": 0.5, "n": 3}, {"score": 0.50009, "n": 3}) is None
    assert difference({"n": 3}, {"n": 4})


def test_sampled_answers_are_matched_through_the_plan() -> None:
    header = PlanHeader("constant", ("tag",), 10.0, 0.0, 1.0, 1)
    plan = LoadPlan(header, np.arange(3), np.array([2, 0, 1], dtype=np.int32), np.zeros(3, np.int8))
    row = dict.fromkeys(SCHEMA.names, 0) | {"server_timing": None, "outcome": Outcome.OK}
    rows = [
        {**row, "index": 0, "status": 200, "answer": b'{"label": "c"}'},
        {**row, "index": 1, "status": 200, "answer": b'{"label": "wrong"}'},
        {**row, "index": 2, "status": 200, "answer": None},
    ]
    samples = pa.Table.from_pylist(rows, schema=SCHEMA)
    references = [{"label": "a"}, {"label": "b"}, {"label": "c"}]
    seen = under_load(samples, plan, {"tag": references})
    assert (seen.count, seen.different) == (2, 1)
    assert seen.first == 'request 1 (payload 0): answer.label is "wrong", not "a"'
    record = verification(Compared(5, 0, None), seen)
    assert record.under_load_different == 1
    assert record.first_difference == seen.first


def test_references_are_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "references.jsonl"
    path.write_text('{"a": 1}\n{"problem": "x"}\n')
    assert read_references(path) == ({"a": 1}, {"problem": "x"})
