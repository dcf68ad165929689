"""No document leads nowhere, and each is found from the map."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.documents import ROOT, documents, name, prose, tracked

DOCS = ROOT / "docs"
PICTURES = DOCS / "pictures"
KINDS = ("Tutorial", "How-to", "Reference", "Explanation")
MADE_ELSEWHERE = {"docs/model_card.md"}
"""Its whole text is a program's."""

MADE_BY_READERS = {
    "architectures/mine",
    "architectures/mine/__init__.py",
    "architectures/mine/server.py",
    "reports/baselines/machine",
}
"""What a document tells to make, or a command makes."""

_LINK = re.compile(r"\]\(([^()\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#{1,6} +(.*?) *$", re.MULTILINE)
_CODE = {".py", ".toml", ".j2", ".js", ".html", ".sh", ".yml", ".yaml", ".cfg", ".proto"}


def targets(path: Path) -> list[str]:
    """What a document links to, addresses of others left out."""
    text = re.sub(r"`[^`\n]*`", "", prose(path.read_text(encoding="utf-8")))
    found = (one or other for one, other in _LINK.findall(text))
    return [target for target in found if "://" not in target and not target.startswith("mailto:")]


@cache
def anchors(path: Path) -> frozenset[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    seen: dict[str, int] = {}
    made = set()
    for heading in _HEADING.findall(prose(path.read_text(encoding="utf-8"))):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        again = seen.get(slug, 0)
        seen[slug] = again + 1
        made.add(f"{slug}-{again}" if again else slug)
    return frozenset(made)


@pytest.mark.parametrize("path", documents(), ids=name)
def test_every_link_leads_somewhere(path: Path) -> None:
    # A fragment becomes part of CHANGELOG.md, which lies one folder up.
    folder = ROOT if path.parent.name == "changes" else path.parent
    lost = []
    for target in targets(path):
        file, _, anchor = unquote(target).partition("#")
        there = (folder / file).resolve() if file else path
        if there.parent == PICTURES and not PICTURES.exists():
            continue  # drawn from a run by `nox -s pictures`; a checkout may have none yet
        if not there.exists() or (
            anchor and there.suffix == ".md" and anchor not in anchors(there)
        ):
            lost.append(target)
    assert not lost


def test_links_are_found_at_all() -> None:
    assert sum(len(targets(path)) for path in documents()) > 100
    assert "how-often-is-it-wrong" in anchors(DOCS / "gate.md")


def test_every_document_that_code_names_exists() -> None:
    named = {
        (found, name(path))
        for path in tracked()
        if path.suffix in _CODE or path.parent.name == ".ci"
        for found in re.findall(
            r"\bdocs/[\w/-]+\.(?:md|py|png)", path.read_text(encoding="utf-8", errors="replace")
        )
    }
    assert len(named) > 20
    assert not [one for one in sorted(named) if not (ROOT / one[0]).exists()]


@pytest.mark.parametrize("path", documents(), ids=name)
def test_every_file_of_ours_that_a_document_names_exists(path: Path) -> None:
    rooms = "architectures|workloads|harness|reports|scenarios|tests|docs"
    text = path.read_text(encoding="utf-8")
    named = re.findall(rf"`((?:{rooms})/[\w./-]+)`", text)
    assert not [one for one in named if not _exists(one) and one not in MADE_BY_READERS]


def _exists(written: str) -> bool:
    """A file, a folder, or a module without its ending."""
    return (ROOT / written).exists() or (ROOT / f"{written}.py").exists()


def mapped() -> list[tuple[str, str]]:
    """What the map lists, each with the heading it stands under."""
    parts = (DOCS / "README.md").read_text(encoding="utf-8").split("\n## ")[1:]
    return [
        (target, part.partition("\n")[0])
        for part in parts
        for target in re.findall(r"\]\(([\w/]+\.md)\)", part)
    ]


def test_the_map_lists_nothing_twice() -> None:
    found = [target for target, _ in mapped()]
    assert sorted(found) == sorted(set(found))


def listed() -> list[Path]:
    """The documents that the map must list."""
    inside = [path for path in documents() if path.is_relative_to(DOCS)]
    return [
        path
        for path in inside
        if "decisions" not in path.parts and path != DOCS / "README.md"
    ]  # fmt: skip


@pytest.mark.parametrize("path", listed(), ids=name)
def test_the_map_lists_every_document_under_its_kind(path: Path) -> None:
    kind = dict(mapped()).get(str(path.relative_to(DOCS)))
    assert kind in KINDS, "docs/README.md does not list it"
    if name(path) in MADE_ELSEWHERE:
        return
    up = "../" * (len(path.relative_to(DOCS).parts) - 1)
    line = path.read_text(encoding="utf-8").splitlines()[2]
    assert line.startswith(f"*{kind}* · [all documents]({up}README.md)")
