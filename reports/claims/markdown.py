"""Judged claims as Markdown that can stand in documentation."""

from collections.abc import Iterable, Iterator, Sequence

from reports.claims import phrases
from reports.claims.record import Claims, JudgedClaim, JudgedHypothesis, Measured
from reports.gate.markdown import escaped, noted
from reports.wording import DASH, figure

MARKDOWN = "claims.md"
_HEAD = ("part", "hypothesis", "verdict", "claimed", "found", "this", "against")


_DOCUMENT = (
    (
        "*Explanation* · [all documents](../README.md) · made of "
        "[judged claims](../evidence/claims.json) by `python -m reports claims`"
    ),
    "",
)
"""Where it stands among the documents, as each of them says in its third line."""


def markdown(claims: Claims, *, document: bool = False) -> str:
    """Every claim: one table of all, then each with its parts and what it rests on.

    Args:
        claims: what to say.
        document: whether it is to stand in ``docs/claims``.
    """
    lines = [
        "# Claims: what is said, and what was measured",
        "",
        *(_DOCUMENT if document else ()),
        f"{escaped(phrases.tally(claims))} {escaped(phrases.chance(claims))}",
        "",
        *_apart(claims),
        *_table(("claim", "verdict", "found, part by part"), map(_row, claims.claims)),
        *(line for claim in claims.claims for line in _claim(claim)),
        *_runs(claims),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _row(claim: JudgedClaim) -> Sequence[str]:
    parts = "<br>".join(_found(one) for one in claim.hypotheses)
    return (f"[{escaped(claim.statement)}](#{_anchor(claim)})", _verdict(claim), parts)


def _anchor(claim: JudgedClaim) -> str:
    """As GitHub makes anchors of headings: letters, digits and hyphens."""
    kept = (c for c in claim.statement.lower() if c.isalnum() or c in " -_")
    return "".join(kept).replace(" ", "-")


def _found(one: JudgedHypothesis) -> str:
    known = one.effect is not None and one.effect.point is not None
    text = f" {phrases.effect(one)}" if known else f": {phrases.standing(one)}"
    return f"{phrases.MARKS[one.word]} {escaped(one.metric_name + text)}"


def _verdict(one: JudgedClaim | JudgedHypothesis) -> str:
    return f"{phrases.MARKS[one.word]} **{one.word}**"


def _claim(claim: JudgedClaim) -> Iterator[str]:
    yield from (f"## {escaped(claim.statement)}", "", _verdict(claim), "")
    yield "Said, in substance, in:"
    yield ""
    yield from (f"- [{escaped(one.where)}](<{one.url}>)" for one in claim.said)
    yield ""
    rows = (_part(number, one) for number, one in enumerate(claim.hypotheses, 1))
    yield from _table(_HEAD, rows)
    yield f"Intervals at {phrases.level(claim)}{_ways(claim)}."
    yield ""
    for number, one in enumerate(claim.hypotheses, 1):
        if one.word == "not tested":
            yield from (f"Part {number} is not tested. {noted(phrases.needs(one))}", "")


def _ways(claim: JudgedClaim) -> str:
    found = dict.fromkeys(phrases.way(one) for one in claim.hypotheses if one.way)
    return f"; {'; '.join(found)}" if found else ""


def _part(number: int, one: JudgedHypothesis) -> Sequence[str]:
    return (
        str(number),
        f"{escaped(one.words)}<br>{escaped(phrases.compared(one))}",
        _verdict(one) + (f": {escaped(one.why)}" if one.why else ""),
        escaped(phrases.claimed(one)),
        escaped(phrases.effect(one)),
        _side(one.this),
        _side(one.other),
    )


def _side(measured: Measured | None) -> str:
    return DASH if measured is None else escaped(figure(measured.figure.estimate, measured.unit))


def _apart(claims: Claims) -> Iterator[str]:
    if claims.apart:
        keys = ", ".join(claims.apart)
        yield from (f"> The runs were not all made in one environment: {escaped(keys)} differ.", "")


def _runs(claims: Claims) -> Iterator[str]:
    yield from ("## The runs it rests on", "")
    rows = (
        (
            f"`{run.run_id}`",
            escaped(run.summary or run.scenario),
            f"{run.created_utc[:10]}",
            f"`{run.revision[:10]}`",
            f"{run.trials - run.left_out} of {run.trials}",
        )
        for run in claims.runs
    )
    yield from _table(("run", "what", "made", "source", "can be trusted"), rows)
    for key, value in claims.fingerprint.items():
        if key in ("cpu_model", "machine_cores", "python"):
            yield f"- {escaped(key)}: {escaped(value)}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    found = list(rows)
    if not found:
        return
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in found)
    yield ""
