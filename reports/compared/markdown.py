"""Two runs beside each other in Markdown, for a pull request or a notebook."""

from collections.abc import Iterator, Sequence

from reports.compared import phrases
from reports.compared.record import Compared, Row
from reports.gate.markdown import escaped, noted
from reports.wording import DASH, figure


def markdown(compared: Compared) -> str:
    """The answer, what differs, the controls, and every figure that carries a word."""
    mine, theirs = compared.sides
    head = "compared" if compared.comparable else "side by side, not compared"
    lines = [
        f"### Two runs {head}",
        "",
        f"- A: {escaped(mine.chosen)}, revision `{mine.revision[:10]}`",
        f"- B: {escaped(theirs.chosen)}, revision `{theirs.revision[:10]}`",
        "",
        *(f"> Not comparable: {noted(why)}\n" for why in compared.refusals),
        *(f"{escaped(text)}\n" for text in compared.words),
        *(f"> {noted(text)}\n" for text in compared.cautions),
        *_table(
            ("differs", "A", "B"),
            [(escaped(d.key), escaped(d.baseline), escaped(d.candidate)) for d in compared.differs],
        ),
        *_table(("control", "A", "B", "B / A", "moved"), _controls(compared)),
    ]
    for step in compared.places:
        lines += _step(compared, step)
    lines += [
        escaped(compared.answers_equal),
        "",
    ]
    if compared.comparable:
        lines.append(f"{escaped(phrases.NOT_PAIRED)} To decide: `{compared.decide}`")
    return "\n".join(lines).rstrip() + "\n"


def _controls(compared: Compared) -> list[Sequence[str]]:
    said = {True: "**moved**", False: "no", None: "cannot tell"}
    return [
        (
            escaped(control.name),
            escaped(figure(control.baseline, control.unit)),
            escaped(figure(control.candidate, control.unit)),
            escaped(figure(control.change, "times")),
            said[control.moved],
        )
        for control in compared.controls
    ]


def _step(compared: Compared, step: str) -> Iterator[str]:
    rows = [row for row in compared.at(step) if row.word is not None or not compared.comparable]
    if not rows:
        return
    yield f"#### {escaped(step[0].upper() + step[1:])}"
    yield ""
    head = ("SUT", "figure", "A", "B", "B / A", "B is")
    yield from _table(
        head if compared.comparable else head[:4], [_cells(compared, r) for r in rows]
    )


def _cells(compared: Compared, row: Row) -> Sequence[str]:
    cells = (
        escaped(row.sut),
        escaped(row.name),
        escaped(figure(row.baseline, row.unit) or DASH),
        escaped(figure(row.candidate, row.unit) or DASH),
    )
    if not compared.comparable:
        return cells
    between = f" ({phrases.ends(row)})" if phrases.ends(row) else ""
    word = row.word if row.word == "cannot tell" else f"**{row.word}**"
    return (*cells, escaped(f"{phrases.ratio(row)}{between}"), str(word))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
