"""Names are found, near misses are named, and one broken architecture breaks no other."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from architectures import catalog
from architectures.catalog import CatalogError


def test_every_built_in_name_is_listed() -> None:
    assert set(catalog.names()) >= {"monolith", "microservices", "ray_serve", "null_service"}


@pytest.mark.parametrize("name", ["monolith", "microservices", "null_service"])
def test_an_architecture_bears_the_name_it_is_found_by(name: str) -> None:
    assert catalog.find(name).name == name


def test_the_headline_is_the_variant_of_an_empty_name() -> None:
    architecture, variant = catalog.parse("monolith")
    assert variant is architecture.variants[0]
    assert catalog.parse("monolith:naive")[1].name == "naive"


def test_a_near_miss_is_named() -> None:
    with pytest.raises(CatalogError, match=r"no architecture 'monolit'; did you mean 'monolith'\?"):
        catalog.parse("monolit")
    with pytest.raises(CatalogError, match=r"no variant of monolith 'naiv'; did you mean 'naive'"):
        catalog.parse("monolith:naiv")


def test_a_far_miss_lists_what_there_is() -> None:
    with pytest.raises(CatalogError, match=r"There are: .*null_service"):
        catalog.find("xyzzy")


def join(monkeypatch: pytest.MonkeyPatch, directory: Path, source: str) -> None:
    """Install a third party's architecture as its entry point would."""
    (directory / "third_party.py").write_text(source)
    monkeypatch.syspath_prepend(str(directory))
    monkeypatch.delitem(sys.modules, "third_party", raising=False)
    point = EntryPoint("theirs", "third_party:ARCHITECTURE", catalog.ENTRY_POINT_GROUP)
    monkeypatch.setattr(catalog, "entry_points", lambda **_: [point])


def test_third_parties_join_by_entry_point(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    join(
        monkeypatch,
        tmp_path,
        "from architectures.spec import *\n"
        "ARCHITECTURE = Architecture('theirs', 's', (Variant('v', 's'),), lambda launch: None)\n",
    )
    assert catalog.parse("theirs")[1].name == "v"
    assert "theirs" in catalog.names()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_framework", "no_such_framework.*install what it needs"),
        ("", "ARCHITECTURE.*install what it needs"),
        ("ARCHITECTURE = 3", "is a int, not an Architecture"),
    ],
)
def test_one_that_cannot_be_loaded_says_why_and_breaks_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, said: str
) -> None:
    join(monkeypatch, tmp_path, source)
    with pytest.raises(CatalogError, match=said):
        catalog.find("theirs")
    assert catalog.find("monolith").name == "monolith"
