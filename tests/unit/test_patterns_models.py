"""The model patterns: right often enough, alike in any batch, true to their schemas."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import jsonschema
import numpy as np
import pytest

from architectures import patterns
from architectures.contract import Problem
from architectures.ensemble.attributes import ATTRIBUTES, CATEGORIES, COLOURS, PATTERNS, SCORES
from architectures.ensemble.corpus import example, key
from architectures.graph import Inputs, Outputs, Stage
from architectures.patterns import aggregate, select, similar_stages
from architectures.plugin import Example
from architectures.walk import Answer, StageResult, run_batch
from architectures.wire import decode_calls, decode_replies, encode_calls, encode_replies

COUNT = 96
FLOORS: Mapping[str, Mapping[str, float]] = {
    "pipeline": {"category": 0.97, "colour": 0.97, "pattern": 0.93, "caption": 0.9},
    "ensemble/aggregate": {"category": 0.97, "colour": 0.97, "pattern": 0.95},
    "ensemble/select": {"category": 0.96, "colour": 0.97, "pattern": 0.9, "group": 0.85},
    "heads": {"category": 0.97, "colour": 0.97, "pattern": 0.93},
    "heads_apart": {"category": 0.97, "colour": 0.97, "pattern": 0.93},
    "similar": {"category": 0.95, "colour": 0.95, "pattern": 0.6},
    "classic": {"category": 0.85, "colour": 0.9, "pattern": 0.7},
}
"""Graph -> the least its mean scores may be on held-out images of the tier tiny."""


@cache
def stage(name: str) -> Stage:
    loaded: Stage = patterns.load_stage(name, "tiny")  # type: ignore[assignment]  # none waits
    return loaded


@cache
def held_out() -> Sequence[Example]:
    return patterns.examples("held_out", COUNT, 5)


def answered(graph: str, batch: Sequence[Example]) -> list[Answer]:
    """The answers of a batch in which nobody is refused."""
    found = run(graph, [example.body for example in batch])
    assert all(isinstance(answer, Answer) for answer in found)
    return [answer for answer in found if isinstance(answer, Answer)]


def run(graph: str, bodies: Sequence[bytes]) -> list[Answer | Problem]:
    walked = patterns.GRAPHS[graph]
    stages = {name: stage(name) for name in walked.stages}
    return run_batch(walked, stages, [{"body": body} for body in bodies])


@cache
def documents(graph: str) -> Sequence[Any]:
    """The answers of every held-out image, in batches of 16."""
    spans = [held_out()[start : start + 16] for start in range(0, COUNT, 16)]
    return [answer.document for span in spans for answer in answered(graph, span)]


def mean_scores(graph: str) -> dict[str, float]:
    rows = [
        patterns.score(graph, document, example.label)
        for document, example in zip(documents(graph), held_out(), strict=True)
    ]
    return {measure: sum(row[measure] for row in rows) / COUNT for measure in rows[0]}


def apart(one: Any, other: Any) -> float:
    """Largest difference of two answers' numbers; everything else must be equal."""
    if isinstance(one, float):
        return abs(one - other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        return max((apart(one[key], other[key]) for key in one), default=0.0)
    if isinstance(one, list):
        assert len(one) == len(other)
        return max((apart(a, b) for a, b in zip(one, other, strict=True)), default=0.0)
    assert one == other
    return 0.0


@pytest.mark.parametrize("graph", FLOORS)
def test_answers_are_right_often_enough(graph: str) -> None:
    found = mean_scores(graph)
    low = {name: found[name] for name, floor in FLOORS[graph].items() if found[name] < floor}
    assert not low


def test_the_aggregate_tells_its_members_and_is_hardly_worse_than_the_best_of_them() -> None:
    found = mean_scores("ensemble/aggregate")
    for kind in ATTRIBUTES:
        alone = [found[f"{member}.{kind}"] for member in aggregate.MEMBERS]
        assert min(alone) > 0.9
        assert found[kind] >= max(alone) - 0.02
        assert found[f"vote.{kind}"] >= sorted(alone)[1] - 0.02


def test_a_majority_wins_and_a_tie_goes_to_the_surest() -> None:
    sure, unsure = np.zeros(SCORES, np.float32), np.zeros(SCORES, np.float32)
    other = np.zeros(SCORES, np.float32)
    sure[[1, 13, 20]] = 0.9, 0.9, 0.6
    unsure[[2, 14, 21]] = 0.5, 0.5, 0.7
    other[[2, 15, 22]] = 0.4, 0.4, 0.5
    assert aggregate.majority([sure, unsure, other]) == {
        "category": CATEGORIES[2],
        "colour": COLOURS[1],
        "pattern": PATTERNS[1],
    }


def test_heads_answer_alike_shared_and_apart() -> None:
    pairs = zip(documents("heads"), documents("heads_apart"), strict=True)
    assert max(apart(*pair) for pair in pairs) < 1e-4


def test_a_group_is_sent_to_its_classifier_and_no_other_runs() -> None:
    found = answered("ensemble/select", held_out()[:60])
    routes = select.routes("tiny")
    for answer in found:
        chosen = routes[answer.document["group"]["value"]]
        assert answer.document["models_run"] == [chosen]
        ran = {timing.stage for timing in answer.timings if timing.stage.startswith("classify_")}
        assert ran == {f"classify_{chosen}"}
    assert {answer.document["models_run"][0] for answer in found} == set(aggregate.MEMBERS)


def test_every_category_has_a_group_and_every_group_a_classifier() -> None:
    assert select.GROUP_OF.keys() == set(CATEGORIES)
    for tier in patterns.TIERS:
        assert select.routes(tier).keys() == select.GROUPS.keys()
        assert set(select.routes(tier).values()) == set(aggregate.MEMBERS)


def test_similar_items_are_of_the_catalogue_each_once_and_best_first() -> None:
    catalogue = {key("train", similar_stages.SEED, place) for place in range(similar_stages.ITEMS)}
    for document in documents("similar"):
        keys = [item["key"] for item in document["items"]]
        scores = [item["score"] for item in document["items"]]
        assert len(set(keys)) == len(keys)
        assert set(keys) <= catalogue
        assert scores == sorted(scores, reverse=True)


def test_an_item_of_the_catalogue_is_most_similar_to_itself() -> None:
    items = [example(key("train", similar_stages.SEED, place)) for place in range(12)]
    found = [answer.document["items"][0]["key"] for answer in answered("similar", items)]
    assert sum(one == item.key for one, item in zip(found, items, strict=True)) >= 11


@pytest.mark.parametrize("graph", FLOORS)
def test_an_answer_does_not_depend_on_its_batch(graph: str) -> None:
    alone = [answered(graph, [example])[0].document for example in held_out()[:24]]
    differences = [apart(*pair) for pair in zip(alone, documents(graph)[:24], strict=True)]
    assert max(differences) < 1e-4


def over_a_wire(stage: Stage) -> Stage:
    """A stage whose members come and go as messages: arrays it may only read."""

    def run(batch: Sequence[Inputs]) -> list[Outputs | Problem]:
        found = stage(decode_calls(encode_calls(batch)))
        replies = [StageResult(row, 0, 0, 1) for row in found if not isinstance(row, Problem)]
        back = decode_replies(encode_replies(replies))
        return [reply.outputs for reply in back if isinstance(reply, StageResult)]

    return run


@pytest.mark.parametrize("graph", FLOORS)
def test_answers_do_not_depend_on_where_a_stage_runs(graph: str) -> None:
    walked = patterns.GRAPHS[graph]
    stages = {name: over_a_wire(stage(name)) for name in walked.stages}
    batch = [{"body": example.body} for example in held_out()[:4]]
    found = [
        answer.document for answer in run_batch(walked, stages, batch) if isinstance(answer, Answer)
    ]
    assert len(found) == 4
    assert max(apart(*pair) for pair in zip(found, documents(graph), strict=False)) < 1e-4


@pytest.mark.parametrize("graph", FLOORS)
def test_answers_are_as_their_schema_says(graph: str) -> None:
    schema = patterns.GRAPHS[graph].answer_schema
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    for document in documents(graph):
        check.validate(document)
    assert not check.is_valid({})


@pytest.mark.parametrize("graph", FLOORS)
def test_a_body_that_is_no_image_is_refused_and_its_neighbour_is_not(graph: str) -> None:
    good, bad = run(graph, [held_out()[0].body, b"no image"])
    assert isinstance(bad, Problem)
    assert bad.slug == "not-an-image"
    assert isinstance(good, Answer)
