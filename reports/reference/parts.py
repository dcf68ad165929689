"""Every generated part by its name, and the documents that hold them."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.effort.plan import EffortPlan
from harness.pairs.section import GateSection
from harness.scenario import Scenario
from reports.claims.written import ClaimSection
from reports.reference import commands, metrics, variants
from reports.reference.keys import sections, table_of
from reports.reference.reasons import reasons

PARTS: Mapping[str, Callable[[], str]] = {
    "scenario": lambda: sections(Scenario),
    "gate": lambda: table_of(GateSection),
    "effort": lambda: sections(EffortPlan),
    "claims": lambda: sections(ClaimSection),
    "metrics": metrics.of_a_trial,
    "gate metrics": metrics.of_a_gate,
    "validity": reasons,
    "variants": variants.listed,
    "harness": commands.of_the_harness,
    "reports": commands.of_the_reports,
    "sessions": commands.sessions,
}
"""A new part is a row; a document that names it holds it."""

_HELD = re.compile(r"(<!-- reference: ([a-z ]+) -->\n).*?(<!-- /reference -->)", re.DOTALL)


class NoSuchPart(Exception):  # noqa: N818 - what went wrong, in words
    """A document names a part that there is none of."""


def documents(folder: Path) -> list[Path]:
    """The Markdown files under a folder, in order."""
    return sorted(folder.rglob("*.md"))


def named(text: str) -> list[str]:
    """The parts that a document holds, in order."""
    return [found[2] for found in _HELD.finditer(text)]


def filled(text: str) -> str:
    """A document with its generated parts as they are now.

    Raises:
        NoSuchPart: it names one that there is none of.
    """
    return _HELD.sub(_part, text)


def _part(found: re.Match[str]) -> str:
    begin, name, end = found[1], found[2], found[3]
    if name not in PARTS:
        raise NoSuchPart(f"there is no part {name!r}; there are {', '.join(PARTS)}")
    return f"{begin}\n{PARTS[name]()}\n\n{end}"


def write(folder: Path) -> list[Path]:
    """Write every document's parts anew; which files were changed by that.

    Raises:
        NoSuchPart: a document names one that there is none of.
    """
    changed = []
    for path in documents(folder):
        text = path.read_text(encoding="utf-8")
        try:
            made = filled(text)
        except NoSuchPart as error:
            raise NoSuchPart(f"{path}: {error}") from error
        if made != text:
            path.write_text(made, encoding="utf-8")
            changed.append(path)
    return changed
