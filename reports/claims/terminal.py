"""Judged claims in a terminal."""

from rich import box
from rich.table import Table
from rich.text import Text

from reports.claims import phrases
from reports.claims.record import Claims, JudgedHypothesis
from reports.claims.rule import Word

_COLOURS: dict[Word, str] = {
    "supported": "green",
    "refuted": "bold red",
    "inconclusive": "yellow",
    "not tested": "dim",
}


def terminal(claims: Claims) -> Table:
    """A row a claim: its verdict, and what was found part by part."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=False)
    table.add_column("Claim", ratio=3)
    table.add_column("Verdict", no_wrap=True)
    table.add_column("Found, and what is claimed", ratio=3)
    for claim in claims.claims:
        found = Text("\n").join(_part(one) for one in claim.hypotheses)
        table.add_row(Text(claim.statement), _verdict(claim.word), found)
    return table


def _verdict(word: Word) -> Text:
    return Text(f"{phrases.MARKS[word]} {word}", style=_COLOURS[word])


def _part(one: JudgedHypothesis) -> Text:
    mark = Text(f"{phrases.MARKS[one.word]} ", style=_COLOURS[one.word])
    if one.effect is None or one.effect.point is None:
        return mark.append(f"{one.metric_name}: {phrases.standing(one)}", style="dim")
    of = f" of {one.against}" if one.against else ""
    return mark.append(f"{one.metric_name} {phrases.effect(one)}").append(
        f"{of}; claimed {phrases.claimed(one)}", style="dim"
    )
