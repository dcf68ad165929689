"""What a verdict was reached under: sides, redone pairs, machine, environment, exit codes."""

from harness.pairs.record import SIDES
from reports.gate import phrases
from reports.gate.verdict import Verdict
from reports.tables import Shown, Table
from reports.wording import DASH, number, plural


def redone(verdict: Verdict) -> Table | None:
    """The pairs that were played again, and why."""
    rows = [
        [
            Shown(f"block {pair.block}"),
            Shown(pair.first, tone="text"),
            Shown("", tone="text", items=[_by_side(why) for why in pair.contaminated]),
            Shown(number(pair.wall_s)),
        ]
        for pair in verdict.pairs
        if pair.contaminated
    ]
    head = [Shown("Pair"), Shown("First", tone="text"), Shown("Why", tone="text"), Shown("s")]
    return Table("Disturbed pairs", head, rows) if rows else None


def machine(verdict: Verdict) -> Table | None:
    """This machine's A/A record, for each metric."""
    named = {row.key: row for row in verdict.rows}
    rows = []
    for cited in verdict.machine:
        if not cited.gates:
            continue
        row = named.get(cited.key)
        seen = (DASH, DASH)
        if row is not None:
            seen = (phrases.spread(row, cited.spread), phrases.worse_by(row, cited.detectable))
        name = Shown(row.name if row is not None else cited.key)
        alarms = Shown(f"{cited.false_alarms} of {cited.gates}")
        rows.append([name, alarms, *(Shown(text) for text in seen)])
    head = [
        Shown("Metric"),
        Shown("False alarms", "of A/A gates"),
        Shown("Spread", "between pairs, median"),
        Shown("Could see", f"with {plural(phrases.counted(verdict), 'pair')}"),
    ]
    return Table("A/A gates on record", head, rows) if rows else None


def compared(verdict: Verdict) -> Table:
    """Both sides."""
    rows = [
        [
            Shown(side.name.capitalize()),
            Shown(side.label, side.revision or "", tone="text"),
            Shown(side.kind, tone="text"),
            Shown(side.sut, tone="text"),
            Shown(side.scenario, tone="text"),
            Shown("fresh each block" if side.fresh else "not fresh: it kept running", tone="text"),
        ]
        for side in verdict.sides
    ]
    names = ("What", "Kind", "SUT", "Scenario", "Deployment")
    return Table("Sides", [Shown("Side"), *(Shown(n, tone="text") for n in names)], rows)


def surroundings(verdict: Verdict) -> list[Table]:
    """What differs between the sides, host pressure, and the fingerprint both share."""
    differs = [
        [Shown(key), Shown(before, tone="text"), Shown(after, tone="text")]
        for key, (before, after) in verdict.fingerprint_differs.items()
    ]
    pressure = [[Shown(key), Shown(number(value))] for key, value in verdict.pressure.items()]
    same = [[Shown(key), Shown(value, tone="text")] for key, value in verdict.fingerprint.items()]
    text = [Shown(name, tone="text") for name in ("Baseline", "Candidate", "Value")]
    every = (
        Table("What differs", [Shown("Key"), *text[:2]], differs),
        Table("Host pressure", [Shown("Reading"), Shown("Largest", "over the counted blocks")],
              pressure),
        Table("Fingerprint", [Shown("Key"), text[2]], same),
    )  # fmt: skip
    return [table for table in every if table.rows]


def endings(verdict: Verdict) -> Table:
    """The exit codes, and which one this gate ended with."""
    rows = [
        [
            Shown(str(code)),
            Shown(word, "this gate" if code == verdict.exit_code else "", tone="text"),
            Shown(meaning, tone="text"),
        ]
        for code, word, meaning in phrases.EXIT_MEANINGS
    ]
    head = [Shown("Exit code"), Shown("Word", tone="text"), Shown("Meaning", tone="text")]
    return Table("What each exit code means", head, rows)


def _by_side(why: str) -> tuple[str, str]:
    """A reason's side, where it begins with one, and the rest."""
    side, found, rest = why.partition(": ")
    return (side, rest) if found and side in SIDES else ("", why)
