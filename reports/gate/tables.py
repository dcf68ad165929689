"""A verdict in tables: for the page, and one for a terminal."""

from rich import box
from rich.table import Table as Terminal
from rich.text import Text

from reports.gate import phrases
from reports.gate.verdict import Row, Verdict, Word
from reports.tables import Shown, Table, Tone
from reports.wording import DASH, plural

TONES: dict[Word, Tone] = {"pass": "good", "regression": "bad", "inconclusive": "doubt"}
_COLOURS = {"pass": "green", "regression": "bold red", "inconclusive": "yellow"}


def terminal(verdict: Verdict) -> Terminal:
    """The ruling on each metric, for a command line."""
    table = Terminal(
        box=box.SIMPLE_HEAD, pad_edge=False, show_header=bool(phrases.spoken_of(verdict))
    )
    table.add_column("Metric")
    for name in ("Worse by", "between", "margin", "could have seen"):
        table.add_column(name, justify="right")
    table.add_column("Ruling")
    for row in phrases.spoken_of(verdict):
        table.add_row(
            Text(row.name),
            phrases.worse_by(row, row.estimate),
            phrases.bounds(row) or DASH,
            phrases.margin(row),
            phrases.worse_by(row, row.detectable),
            Text(phrases.standing(row), style=_COLOURS[row.word] if row.gating else "dim"),
            style=None if row.gating else "dim",
        )
    return table


def rulings(verdict: Verdict) -> Table | None:
    """The answer, a metric a row; None where nothing was judged."""
    rows = [
        [
            Shown(row.name),
            Shown(phrases.sides(row).replace(" ", "\N{NO-BREAK SPACE}")),
            Shown(phrases.worse_by(row, row.estimate), phrases.bounds(row)),
            Shown(phrases.margin(row), row.margin_note),
            Shown(phrases.worse_by(row, row.detectable)),
            _word(row),
            Shown(phrases.sentence(row), tone="text"),
        ]
        for row in phrases.in_order(verdict)
    ]
    head = [
        Shown("Metric"),
        Shown("Sides", f"baseline {phrases.ARROW} candidate"),
        Shown("Worse by", "bounds below"),
        Shown("Margin"),
        Shown("Could have seen"),
        Shown("Ruling"),
        Shown("In words", tone="text"),
    ]
    note = (
        f"Each bound is one-sided at {verdict.nominal:.3g}; what could have been seen, with "
        "probability .8. Below zero the candidate is better, "
        "whichever way a metric runs. Sides are geometric means over the counted pairs, so that "
        "their ratio is the estimate; of shares they are means."
    )
    return Table("Every metric", head, rows, note, wide=True) if rows else None


def evidence(verdict: Verdict) -> Table | None:
    """What each ruling rests on; None where nothing was judged."""
    rows = [
        [
            Shown(row.name),
            Shown(str(row.n)),
            Shown(phrases.worse_by(row, row.low)),
            Shown(phrases.worse_by(row, row.high)),
            Shown(phrases.level(row.p)),
            _holm(row),
            Shown(phrases.worse_by(row, row.holm_low)),
            Shown(phrases.spread(row, row.spread)),
            Shown(DASH if row.pairs_needed is None else f"{row.pairs_needed:,}"),
            _robust(row),
        ]
        for row in phrases.spoken_of(verdict)
    ]
    head = [
        Shown("Metric"),
        Shown("Pairs"),
        Shown("Low", f"at {verdict.nominal:.3g}"),
        Shown("High", f"at {verdict.nominal:.3g}"),
        Shown("p", "not worse"),
        Shown("Holm rank", "level it is left"),
        Shown("Deciding low", "at that level"),
        Shown("Spread", "between pairs"),
        Shown("Pairs needed", "about"),
        Shown("Robust line", "estimate, p"),
    ]
    note = (
        "Low at Holm's level decides on regression, high on pass. Pairs needed would settle it at "
        "this margin and spread with probability .8. The robust line is Hodges and Lehmann's "
        "estimate with an exact sign-flip p, which few pairs cannot make small enough for any "
        "regression; where it disagrees for another reason, look at the pairs."
    )
    return Table("Bounds, chances and spread", head, rows, note, wide=True) if rows else None


def pairs(verdict: Verdict, row: Row) -> Table:
    """Every pair of one metric, in the order they were played; redone ones without values."""
    known = {pair.block: pair for pair in row.pairs}
    rows = []
    for place, pair in enumerate(verdict.pairs, 1):
        values = known.get(pair.block)
        cells = [Shown(str(place)), Shown(str(pair.block)), Shown(pair.first, tone="text")]
        if pair.contaminated:
            cells += [Shown(DASH, tone="muted")] * 3 + [Shown("redone", tone="text")]
        elif values is None or phrases.oriented(row, values) is None:
            before, after = (
                (values.baseline, values.candidate) if values is not None else (None, None)
            )
            cells += [Shown(phrases.amount(row, before)), Shown(phrases.amount(row, after))]
            cells += [Shown(DASH, tone="muted"), Shown("a block cannot carry it", tone="text")]
        else:
            change = phrases.worse_by(row, phrases.oriented(row, values))
            cells += [Shown(phrases.amount(row, v)) for v in (values.baseline, values.candidate)]
            cells += [Shown(change), Shown("counted", tone="text")]
        rows.append(cells)
    head = [
        Shown("Played"), Shown("Block"), Shown("First", tone="text"), Shown("Baseline"),
        Shown("Candidate"), Shown("Worse by"), Shown("Pair", tone="text"),
    ]  # fmt: skip
    return Table(f"{row.name}, every pair", head, rows)


def looks(verdict: Verdict) -> Table | None:
    """Each look that was planned: its outcome and every metric's ruling there."""
    keys = [row for row in phrases.in_order(verdict) if row.gating]
    if not verdict.looks or not keys:
        return None
    taken = {look.pairs: look for look in verdict.looks}
    rows = []
    for at in sorted({*verdict.planned_looks, *taken}):
        look = taken.get(at)
        if look is None:
            cells = [Shown("not taken", tone="muted"), *[Shown("", tone="muted")] * len(keys)]
        else:
            words = [look.words.get(row.key) for row in keys]
            cells = [
                _ruling(look.outcome),
                *(Shown(DASH, tone="muted") if word is None else _ruling(word) for word in words),
            ]
        rows.append([Shown(plural(at, "pair")), *cells])
    head = [Shown("Look"), Shown("Gate"), *(Shown(row.name) for row in keys)]
    note = (
        f"Nominal level of each look: {verdict.nominal:.3g}, one-sided. Nobody looked in between."
    )
    return Table("Rulings at each look", head, rows, note, wide=True)


def _word(row: Row) -> Shown:
    if row.gating:
        return _ruling(row.word)
    return Shown(DASH if row.estimate is None else row.word, "informational", tone="muted")


def _ruling(word: Word) -> Shown:
    return Shown(word, tone=TONES[word])


def _holm(row: Row) -> Shown:
    if row.holm_rank is None:
        return Shown(DASH, "" if row.gating else "informational", tone="muted")
    return Shown(str(row.holm_rank), phrases.level(row.holm_level))


def _robust(row: Row) -> Shown:
    if row.robust is None:
        return Shown(DASH, tone="muted")
    text = f"{phrases.worse_by(row, row.robust.estimate)}, {phrases.level(row.robust.p)}"
    if row.robust.agrees is None:
        return Shown(text, "too few pairs to agree", tone="muted")
    if row.robust.agrees:
        return Shown(text, "agrees")
    return Shown(text, "disagrees", tone="doubt")
