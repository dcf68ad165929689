"""A verdict for a pull request's comment and a job's summary, in GitHub's Markdown."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from reports.gate import phrases
from reports.gate.verdict import Row, Verdict
from reports.wording import DASH, number

_MEANS_SOMETHING = re.compile(r"(?<![^\W_])_|_(?![^\W_])|[!-/:-@\[-^`{-~]")
_PLAIN = frozenset(".,:;()/%+=?'-")
"""Punctuation that means nothing inside a line or a table's cell; so does ``_`` inside a word."""
_MOST_REASONS = 12
_HEAD = ("metric", "baseline", "candidate", "worse by", "bounds", "margin", "could have seen",
         "ruling")  # fmt: skip


def marker(name: str) -> str:
    """The hidden first line by which a gate's comment is found again, to be updated.

    Args:
        name: the gate's; what cannot stand inside a comment of HTML becomes a hyphen.
    """
    safe = re.sub(r"[^A-Za-z0-9_.:]+", "-", name).strip("-")
    return f"<!-- servebench-gate: {safe or 'gate'} -->"


def markdown(verdict: Verdict, *, link: str | None = None) -> str:
    """The verdict in one screen; what it rests on is folded.

    Args:
        verdict: what to say.
        link: where the page or the job's artifacts are; absent: no link.
    """
    title = phrases.TITLES[verdict.outcome]
    kind = "A/A gate" if verdict.kind == "aa" else "Gate"
    mark = phrases.MARKS[verdict.outcome]
    parts = [
        marker(verdict.name),
        f"### {mark} {title}: {noted(verdict.words)}",
        *(f"- {noted(why)}" for why in phrases.reasons(verdict)),
        "",
        *_table(_HEAD, [_cells(row) for row in phrases.spoken_of(verdict)]),
        *_facts(verdict, kind),
        "",
        *(f"> {noted(note)}" + "\n" for note in verdict.notes),
        *_folded("What each ruling says", _sentences(verdict)),
        *_folded("Pairs played again", _redone(verdict)),
        *_folded("Fingerprint and host pressure", _surroundings(verdict)),
    ]
    if link:
        parts.append(f"[Every pair, look by look]({_target(link)})")
    return "\n".join(parts).rstrip() + "\n"


def escaped(text: str) -> str:
    """Text as it stands, in a paragraph or a table's cell: nothing in it is markup or a mention.

    Markup's characters become numeric references, which CommonMark never takes for structure;
    an ``@`` is kept from naming anybody by a word joiner after it.
    """
    line = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text)
    joined = " ".join(line.split()).replace("@", "@\N{WORD JOINER}")
    return _MEANS_SOMETHING.sub(_reference, joined)


def noted(text: str) -> str:
    """A note likewise, its code as code."""
    return "".join(f"`{part}`" if code else _spaced(part) for part, code in phrases.parts(text))


def _reference(found: re.Match[str]) -> str:
    return found[0] if found[0] in _PLAIN else f"&#{ord(found[0])};"


def _spaced(part: str) -> str:
    """Escaped, with the spaces at its ends that divide it from code."""
    before, after = part[: len(part) - len(part.lstrip())], part[len(part.rstrip()) :]
    return f"{' ' if before else ''}{escaped(part)}{' ' if after and part.strip() else ''}"


def _cells(row: Row) -> Sequence[str]:
    word = f"**{row.word}**" if row.gating and row.word != "pass" else row.word
    return (
        escaped(row.name),
        escaped(phrases.amount(row, phrases.middle(row, "baseline"))),
        escaped(phrases.amount(row, phrases.middle(row, "candidate"))),
        phrases.worse_by(row, row.estimate),
        phrases.bounds(row) or DASH,
        phrases.margin(row),
        phrases.worse_by(row, row.detectable),
        word if row.gating else f"{word} (informational)",
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    yield f"| {' | '.join(head)} |"
    middle = "---:" if head is _HEAD else "---"
    yield f"|---{f'|{middle}' * (len(head) - 2)}|---|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _facts(verdict: Verdict, kind: str) -> Iterator[str]:
    yield f"- {kind} **{escaped(verdict.name)}** `{verdict.gate_id}`"
    for name, text in phrases.facts(verdict):
        yield f"- {name}: {escaped(text)}"
    if verdict.rows:
        yield (
            "- Worse by: minus is better, whichever way a metric runs; bounds are "
            f"one-sided at {verdict.nominal:.3g}; could have seen: with probability .8"
        )


def _folded(summary: str, lines: Iterable[str]) -> Iterator[str]:
    inside = list(lines)
    if inside:
        yield from (f"<details><summary>{summary}</summary>", "", *inside, "</details>", "")


def _sentences(verdict: Verdict) -> Iterator[str]:
    for row in phrases.in_order(verdict):
        disagrees = row.robust is not None and row.robust.agrees is False
        doubt = " The robust line disagrees: look at the pairs." if disagrees else ""
        yield f"- {escaped(row.name)}: {escaped(phrases.sentence(row))}{doubt}"
    if verdict.rows:
        yield ""


def _redone(verdict: Verdict) -> Iterator[str]:
    found = [pair for pair in verdict.pairs if pair.contaminated]
    for pair in found[:_MOST_REASONS]:
        yield f"- block {pair.block}: {escaped('; '.join(pair.contaminated))}"
    if len(found) > _MOST_REASONS:
        yield f"- and {len(found) - _MOST_REASONS} more"
    if found:
        yield ""


def _surroundings(verdict: Verdict) -> Iterator[str]:
    differs = [
        (escaped(key), escaped(before), escaped(after))
        for key, (before, after) in verdict.fingerprint_differs.items()
    ]
    yield from _table(("differs", "baseline", "candidate"), differs)
    pressure = [(escaped(key), number(value)) for key, value in verdict.pressure.items()]
    yield from _table(("pressure", "largest"), pressure)
    same = [(escaped(key), escaped(value)) for key, value in verdict.fingerprint.items()]
    yield from _table(("same on both", "value"), same)


def _target(link: str) -> str:
    """A link's target, which may hold neither spaces nor brackets."""
    return re.sub(r"[\s()<>]", lambda found: f"%{ord(found[0]):02X}", link)
