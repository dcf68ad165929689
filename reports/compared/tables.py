"""Two runs in tables: for the page, and one for a terminal."""

from dataclasses import replace

from rich import box
from rich.table import Table as Terminal
from rich.text import Text

from reports.compared import phrases
from reports.compared.record import Compared, Control, Row, Word
from reports.estimate import Estimate
from reports.tables import Shown, Table, Tone, shown
from reports.wording import DASH, number, plain

TONES: dict[Word, Tone] = {"better": "good", "worse": "bad", "cannot tell": "muted"}
_COLOURS = {"better": "green", "worse": "bold red", "cannot tell": "dim"}
_BOTH = (Shown("A", "baseline"), Shown("B", "candidate"))


def terminal(compared: Compared, step: str) -> Terminal:
    """What carries a word at one step, for a command line; side by side where nothing does."""
    spoken = (row for row in compared.at(step) if row.word is not None or not compared.comparable)
    rows = [row for row in spoken if _any(row)]
    table = Terminal(title=step, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("SUT", no_wrap=True)
    table.add_column("Figure", no_wrap=True)
    names = ("A", "B", "B / A", "between", "n") if compared.comparable else ("A", "B", "n")
    for name in names:
        table.add_column(name, justify="right")
    if compared.comparable:
        table.add_column("B is")
    last = ""
    for row in rows:
        name, last = ("" if row.sut == last else row.sut), row.sut
        unit = "" if row.unit == "share" else f", {row.unit}"
        cells = [Text(name), Text(f"{row.name}{unit}"), *(_point(e, row.unit) for e in _of(row))]
        if compared.comparable:
            cells += [Text(phrases.ratio(row)), Text(phrases.ends(row) or DASH)]
        cells.append(Text(_both(row)))
        if compared.comparable and row.word is not None:
            within = " (within the margin)" if row.within else ""
            cells.append(Text(row.word + within, style=_COLOURS[row.word]))
        table.add_row(*cells)
    return table


def _of(row: Row) -> tuple[Estimate, Estimate]:
    return row.baseline, row.candidate


def _point(estimate: Estimate, unit: str) -> Text:
    return Text(DASH if estimate.point is None else plain(estimate.point, unit))


def sides(compared: Compared) -> Table:
    """Which runs these are."""
    rows = [
        [
            Shown("A" if side.name == "baseline" else "B", side.name),
            Shown(side.chosen, tone="text"),
            Shown(side.scenario, tone="text"),
            Shown(side.created_utc[:16].replace("T", " "), "UTC"),
            Shown(side.revision[:10], "" if not side.changed_files else
                  f"{side.changed_files} files changed since"),
            Shown(side.version),
            Shown(str(side.blocks), "" if side.status == "complete" else side.status),
        ]
        for side in compared.sides
    ]  # fmt: skip
    head = [
        Shown("Side"), Shown("Run", tone="text"), Shown("Scenario", tone="text"), Shown("Begun"),
        Shown("Revision"), Shown("servebench"), Shown("Blocks"),
    ]  # fmt: skip
    return Table("The two runs", head, rows)


def differing(compared: Compared) -> Table | None:
    """What differs and need not agree; None where nothing does."""
    rows = [
        [Shown(one.key), Shown(one.baseline, tone="text"), Shown(one.candidate, tone="text")]
        for one in compared.differs
    ]
    head = [Shown("Key"), *(Shown(cell.text, cell.under, tone="text") for cell in _BOTH)]
    return Table("What need not agree, and does not", head, rows) if rows else None


def controls(compared: Compared) -> Table | None:
    """What no change of a SUT moves; None where neither run has any."""
    said: dict[bool | None, tuple[str, Tone]] = {
        True: ("moved", "bad"),
        False: ("was not seen to move", "muted"),
        None: ("cannot tell", "doubt"),
    }
    rows: list[list[Shown]] = []
    for control in compared.controls:
        word, tone = said[control.moved]
        rows.append(
            [
                Shown(*_named(control)),
                shown(control.baseline, control.unit),
                shown(control.candidate, control.unit),
                replace(shown(control.change, ""), beside=f"n = {_both(control)}"),
                Shown(word, tone=tone),
            ]
        )
    head = [Shown("Control"), *_BOTH, Shown("B / A"), Shown("Between the runs it")]
    note = (
        "A control moved if the interval of its ratio leaves out 1; these intervals share one "
        f"error of {(1 - compared.level) * 100:.2g} %. If one moved, nothing is called better or "
        "worse."
    )
    return Table("The controls", head, rows, note) if rows else None


def _both(of: Row | Control) -> str:
    """The blocks of either side."""
    return f"{of.baseline.n}+{of.candidate.n}"


def _named(control: Control) -> tuple[str, str]:
    what, _, figure = control.name.partition(": ")
    return what, f"{figure}, {control.unit}"


def steps(compared: Compared) -> Table | None:
    """The steps asked for by words whose rates are not the same; None where all are."""
    rows = [
        [
            Shown(pair.asked),
            Shown(number(pair.baseline_rps), "rps"),
            Shown(number(pair.candidate_rps), "rps"),
            Shown(number(pair.apart)),
        ]
        for pair in compared.steps
        if pair.apart != 1.0
    ]
    head = [Shown("Step"), *_BOTH, Shown("B / A")]
    note = "Each run measures its own ceiling first and offers a share of that."
    return Table("Rates behind the same words", head, rows, note) if rows else None


def spoken(compared: Compared, step: str) -> Table | None:
    """What carries a word at one step; None where nothing does."""
    rows = [_line(row) for row in compared.at(step) if row.word is not None and _any(row)]
    head = [
        Shown("SUT"), Shown("Figure", tone="text"), *_BOTH, Shown("B / A", "or B less A"),
        Shown("B is"), Shown("Because", tone="text"),
    ]  # fmt: skip
    return Table(f"What carries a word, {step}", head, rows, wide=True) if rows else None


def _line(row: Row) -> list[Shown]:
    word = row.word or "cannot tell"
    why = row.why or _because(row)
    under = "within the margin" if row.within else ""
    kept = word.replace(" ", "\N{NO-BREAK SPACE}")
    return [*_begin(row), _change(row), Shown(kept, under, tone=TONES[word]),
            Shown(why, tone="text")]  # fmt: skip


def _begin(row: Row) -> list[Shown]:
    unit = "" if row.unit == "share" else row.unit
    return [
        Shown(row.sut),
        Shown(row.name, unit, tone="text"),
        shown(row.baseline, row.unit),
        shown(row.candidate, row.unit),
    ]


def _change(row: Row) -> Shown:
    if row.change is None or row.change.point is None:
        note = row.change.note if row.change else ""
        return Shown(DASH, note, tone="muted")
    if row.kind == "ratio":
        return Shown(number(row.change.point), phrases.ends(row), beside=f"n = {_both(row)}")
    return Shown(phrases.ratio(row), phrases.ends(row), beside=f"n = {_both(row)}")


def _because(row: Row) -> str:
    if row.p is None or row.level is None:
        return ""
    beyond = f"beyond {row.margin * 100:.2g} %, " if row.margin else ""
    return f"{beyond}p {_chance(row.p)}, below {row.level:.2g} that Holm leaves it"


def _chance(p: float) -> str:
    return "below .0001" if p < 1e-4 else f"{p:.2g}"  # noqa: PLR2004 - four digits are enough


def silent(compared: Compared, step: str) -> Table | None:
    """What is shown without a word at one step; None where nothing is."""
    rows = [row for row in compared.at(step) if row.word is None or not _any(row)]
    if not compared.comparable:
        head = [Shown("SUT"), Shown("Figure", tone="text"), *_BOTH]
        return Table(f"Every figure, {step}", head, [_begin(row) for row in rows], wide=True)
    lines = [[*_begin(row), _change(row), Shown(row.why, tone="text")] for row in rows]
    head = [
        Shown("SUT"), Shown("Figure", tone="text"), *_BOTH, Shown("B / A", "or B less A"),
        Shown("No word, for", tone="text"),
    ]  # fmt: skip
    note = "Each interval stands alone: of twenty, one leaves out no change by chance."
    caption = f"Every other figure, {step}"
    return Table(caption, head, lines, note, wide=True) if lines else None


def _any(row: Row) -> bool:
    return row.baseline.point is not None or row.candidate.point is not None
