"""Each example in a document is read by what it is meant for."""

import importlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from architectures import catalog
from architectures.plugin import _REQUIRED, load_ensemble
from architectures.server_config import new_nonce
from architectures.spec import Architecture, Launch, ResourceClaim, ServingPolicy
from harness.effort.plan import EffortPlan
from harness.scenario import Scenario
from harness.scenario_file import parse, parse_scenario
from reports.claims.written import ClaimSection
from reports.prices import read_prices
from tests.documents import ROOT, documents, fenced, name

EXAMPLES = [
    pytest.param(path, example, id=f"{name(path)}-{index}")
    for path in documents()
    for index, example in enumerate(fenced(path.read_text(encoding="utf-8"), "toml"))
]
OFFERS = {"rates", "sweep", "concurrency"}


def whole(document: dict[str, Any]) -> dict[str, Any]:
    """A scenario made of a part of one: what the part leaves out is as simple as can be."""
    made = {"name": "example", "suts": ["monolith"], **document}
    load = {**made.get("load", {})}
    if not OFFERS & set(load) and "capacity" not in made:
        load["rates"] = [1]
    if any(event["to"] == "moderation" for event in made.get("events", ())):
        made["backends"] = {"moderation": {}, **made.get("backends", {})}
    return {**made, "load": load}


@pytest.mark.parametrize(("path", "example"), EXAMPLES)
def test_every_toml_block_can_be_meant(path: Path, example: str, tmp_path: Path) -> None:
    document = tomllib.loads(example)
    if "price" in document:
        written = tmp_path / "prices.toml"
        written.write_text(example)
        assert read_prices(written).price
    elif "deployments" in document:
        assert parse(example, name(path), EffortPlan).deployments
    elif "hypotheses" in document:
        assert parse(example, name(path), ClaimSection).hypotheses
    elif set(document) <= set(Scenario.model_fields):
        scenario = parse_scenario(tomli_w.dumps(whole(document)), name(path))
        for sut in scenario.suts:
            if not sut.startswith(("remote:", "mine")):
                catalog.parse(sut)
    else:
        assert set(document) in ({"project"}, {"tool"}), "what is it an example of?"


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 15


def test_the_language_scenario_serves_what_it_names() -> None:
    (example,) = fenced((ROOT / "docs" / "your_own_ensemble.md").read_text(), "toml")
    scenario = parse_scenario(example, "docs/your_own_ensemble.md")
    folders = tuple(str(ROOT / folder) for folder in scenario.ensemble.search_path)
    ensemble = load_ensemble(scenario.ensemble.model_copy(update={"search_path": folders}).choice())
    assert scenario.ensemble.graph in ensemble.GRAPHS


def test_an_ensemble_of_ones_own_is_told_every_name_it_needs() -> None:
    text = (ROOT / "docs" / "your_own_ensemble.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert [row.strip().strip("`").partition("(")[0] for row in rows] == list(_REQUIRED)


def test_the_architecture_that_is_written_out_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "docs" / "your_own_architecture.md").read_text(encoding="utf-8")
    (tmp_path / "mine_written_out.py").write_text(fenced(text, "python")[0])
    monkeypatch.syspath_prepend(tmp_path)
    made = importlib.import_module("mine_written_out").ARCHITECTURE
    assert isinstance(made, Architecture)
    launch = Launch(
        ensemble=Scenario.model_fields["ensemble"].default.choice(),
        policy=ServingPolicy(),
        claim=ResourceClaim((0,), 1 << 30),
        variant=made.variants[0],
        nonce=new_nonce(),
        directory=tmp_path,
        port=lambda: 8000,
    )
    (component,) = made.blueprint(launch).components
    assert component.ready_url.endswith("/readyz")
