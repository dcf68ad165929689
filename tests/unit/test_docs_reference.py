"""The generated parts of the documents are what the code says now."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from harness.effort.plan import EffortPlan
from harness.pairs.section import GateSection
from harness.scenario import Scenario
from harness.section import Section
from reports.claims.written import ClaimSection
from reports.estimate import Missing
from reports.frames import open_run, read_trial
from reports.metrics import BY_KEY, METRICS, measure
from reports.reference import metrics
from reports.reference.keys import sections
from reports.reference.parts import PARTS, NoSuchPart, documents, filled, named, write
from reports.reference.variants import built_in
from reports.subject import Subject
from tests.documents import ROOT, name
from tests.golden.report.simulated_run import Plan, Truth, simulate

DOCS = ROOT / "docs"


@pytest.mark.parametrize("path", documents(DOCS), ids=name)
def test_every_generated_part_is_as_the_code_has_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == filled(text), "run `nox -s reference`, and commit what it writes"


def test_every_part_stands_in_one_document() -> None:
    held = [part for path in documents(DOCS) for part in named(path.read_text(encoding="utf-8"))]
    assert sorted(held) == sorted(PARTS)


def shapes(shape: type[Section]) -> Iterator[type[Section]]:
    """A section and those inside of it."""
    yield shape
    for field in shape.model_fields.values():
        for inner in _inside(field.annotation):
            yield from shapes(inner)


def _inside(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for part in get_args(annotation):
        yield from _inside(part)


@pytest.mark.parametrize("shape", [Scenario, EffortPlan, GateSection, ClaimSection])
def test_every_key_says_what_is_meant(shape: type[Section]) -> None:
    silent = [
        f"{inner.__name__}.{key}"
        for inner in shapes(shape)
        for key, field in inner.model_fields.items()
        if not field.description and not [*_inside(field.annotation)]
    ]
    assert not silent


def test_every_section_of_a_scenario_has_its_heading() -> None:
    page = sections(Scenario)
    titles = {line.strip("# `") for line in page.splitlines() if line.startswith("## ")}
    assert titles >= {"[load]", "[load.sweep]", "[load.mix]", "[remote.NAME]", "[[events]]"}
    keys = {key for shape in shapes(Scenario) for key in shape.model_fields}
    assert not [key for key in keys if f"| `{key}` |" not in page]


def test_every_metric_has_a_formula_and_what_is_refused_is_one() -> None:
    assert all(metric.formula for metric in METRICS)
    assert set(metrics.REFUSED) <= {metric.key for metric in METRICS}
    page = metrics.of_a_trial()
    assert all(metric.formula in page for metric in METRICS)


def test_a_metric_that_is_not_given_says_where_not(tmp_path: Path) -> None:
    """Of a trial that was held against nothing and sent little."""
    truth = Truth("monolith:batched", 9.0, 7.0, 300, queue_bound=6)
    simulate(tmp_path / "run", Plan(suts=(truth,), rates=(60.0,), blocks=1))
    run = open_run(tmp_path / "run")
    trial = read_trial(run, run.trials[0])
    assert trial is not None
    missing = {
        key: value.why
        for key, value in measure(Subject(trial, slo_s=None, ceiling=None)).items()
        if isinstance(value, Missing)
    }
    carried = {key: why for key, why in missing.items() if why.startswith("not carried")}
    assert {"response_p99_ms", "lag_p99_ms"} <= set(carried)
    assert all("fewer than 1,000 " in metrics.refused(BY_KEY[key]) for key in carried)
    others = {key: why for key, why in missing.items() if key not in carried}
    assert {"goodput_rps", "efficiency_rate", "usd_per_million_used"} <= set(others)
    unsaid = {k: why for k, why in others.items() if why not in metrics.refused(BY_KEY[k])}
    assert not unsaid


def test_every_variant_is_listed() -> None:
    page = PARTS["variants"]()
    ours = built_in()
    assert {one.name for one in ours} >= {"monolith", "microservices", "ray_serve", "remote"}
    for one in ours:
        assert all(f"`{one.name}:{variant.name}`" in page for variant in one.variants)


def test_writing_changes_a_part_and_nothing_around_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Before.\n\n<!-- reference: gate -->\nold\n<!-- /reference -->\n\nAfter.\n")
    assert write(tmp_path) == [page]
    text = page.read_text()
    assert text.startswith("Before.\n")
    assert text.endswith("<!-- /reference -->\n\nAfter.\n")
    assert "`looks`" in text
    assert "old" not in text
    assert write(tmp_path) == []


def test_a_part_that_there_is_none_of_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("<!-- reference: no such -->\n<!-- /reference -->\n")
    with pytest.raises(NoSuchPart, match=r"page\.md: there is no part 'no such'; there are"):
        write(tmp_path)
