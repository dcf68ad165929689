"""A verdict's numbers as a person reads them: every form says them alike."""

import math
import re
from collections.abc import Sequence
from typing import Final, TypeAlias

from harness.pairs.record import SideName
from reports.gate.verdict import EXIT_CODES, Outcome, PairValues, Row, Verdict
from reports.wording import DASH, MINUS, number, plural

Mark: TypeAlias = str

_CODE = re.compile(r"`([\w .,:=/-]+)`")
"""What stands between backticks in a note: a command or a key, nothing that could be markup."""

TITLES: Final[dict[Outcome, str]] = {
    "pass": "Pass",
    "regression": "Regression",
    "inconclusive": "Inconclusive",
    "unfit": "Unfit",
}
MARKS: Final[dict[Outcome, Mark]] = {
    "pass": "\N{CHECK MARK}",
    "regression": "\N{BALLOT X}",
    "inconclusive": "?",
    "unfit": "!",
}
EXIT_MEANINGS: Final[tuple[tuple[int, str, str], ...]] = (
    (0, "pass", "every gating metric passed; or inconclusive, where that was asked to warn only"),
    (
        1,
        "regression",
        "a gating metric is worse, more than chance explains, and maybe by its margin",
    ),
    (2, "error", "it could not be run: a mistake in the command or the scenario, or a fault"),
    (3, "inconclusive", "too much spread for this many pairs to say pass or regression"),
    (4, "unfit", "not comparable, or too many pairs disturbed: no verdict, whatever was measured"),
)
ABOUT = "\N{ALMOST EQUAL TO}"
ARROW = "\N{RIGHTWARDS ARROW}"


def none(row: Row) -> float:
    """No change, on the metric's scale."""
    return 1.0 if row.kind == "ratio" else 0.0


def limit(row: Row) -> float:
    """The margin, on the metric's scale."""
    return none(row) + row.margin


def oriented(row: Row, pair: PairValues) -> float | None:
    """One pair on the metric's scale, more being worse; None where a block cannot carry it.

    A ratio of a metric of which more is better is the baseline's value over the candidate's.
    """
    if pair.baseline is None or pair.candidate is None:
        return None
    good, bad = pair.baseline, pair.candidate
    if row.better == "higher":
        good, bad = bad, good
    if row.kind == "difference":
        return bad - good
    return bad / good if good > 0 and bad > 0 else None


def worse_by(row: Row, value: float | None) -> str:
    """A place on the metric's scale as a change: ``+12.3 %``, or ``+0.31 pp``; minus is better."""
    if value is None or not math.isfinite(value):
        return DASH
    percent = (value - none(row)) * 100
    if row.kind == "ratio":
        text = f"{percent:+.1f} %" if abs(percent) < 100 else f"{percent:+,.0f} %"  # noqa: PLR2004
    else:
        text = f"{percent:+.2f} pp"
    rounded_off = not any(digit in text for digit in "123456789")
    return text[1:] if rounded_off else text.replace("-", MINUS)


def margin(row: Row) -> str:
    """The margin as a change; where no worsening is allowed, that."""
    return worse_by(row, limit(row)) if row.margin else "none allowed"


def bounds(row: Row) -> str:
    """Both one-sided bounds: ``+8.1 % to +16.6 %``; empty without them."""
    if row.low is None or row.high is None:
        return ""
    return f"{worse_by(row, row.low)} to {worse_by(row, row.high)}"


def middle(row: Row, side: SideName) -> float | None:
    """A side's middle over pairs: geometric mean of a ratio's values, mean of shares."""
    used = [pair for pair in row.pairs if oriented(row, pair) is not None]
    values = [value for pair in used if (value := getattr(pair, side)) is not None]
    if not values:
        return None
    if row.kind == "difference":
        return math.fsum(values) / len(values)
    return math.exp(math.fsum(map(math.log, values)) / len(values))


def amount(row: Row, value: float | None) -> str:
    """A value in the metric's own unit; a share as a percentage."""
    if value is None:
        return DASH
    return f"{number(value * 100)} %" if row.unit == "share" else f"{number(value)} {row.unit}"


def sides(row: Row) -> str:
    """``12.3 -> 13.1 ms``, with an arrow: what the two sides came to over the pairs."""
    before, after = middle(row, "baseline"), middle(row, "candidate")
    if before is None or after is None:
        return DASH
    if row.unit == "share":
        return f"{number(before * 100)} {ARROW} {amount(row, after)}"
    return f"{number(before)} {ARROW} {amount(row, after)}"


def spread(row: Row, value: float | None) -> str:
    """Standard deviation between pairs: of log ratios as a percentage, of shares in points."""
    if value is None:
        return DASH
    return f"{number(value * 100)} {'%' if row.kind == 'ratio' else 'pp'}"


def level(value: float | None) -> str:
    """A probability in three figures; very small ones by their bound."""
    if value is None:
        return DASH
    return "< 0.0001" if value < 1e-4 else f"{value:.3g}"  # noqa: PLR2004


def standing(row: Row) -> str:
    """The word, and that it decides nothing where it does not."""
    if row.gating:
        return row.word
    return "informational" if row.estimate is None else f"{row.word}, informational"


def sentence(row: Row) -> str:
    """The ruling in one sentence; of a metric that decides nothing, why it does not."""
    if row.gating:
        return row.says
    why = f"informational: {row.why_not}" if row.why_not else "informational"
    return why if row.estimate is None or not row.says else f"{row.says} ({why})"


def spoken_of(verdict: Verdict) -> Sequence[Row]:
    """The rows that a short form has room for: not those that decide nothing and have no figure."""
    return [row for row in in_order(verdict) if row.gating or row.estimate is not None]


def counted(verdict: Verdict) -> int:
    """Pairs that count."""
    return sum(not pair.contaminated for pair in verdict.pairs)


def played(verdict: Verdict) -> str:
    """How many pairs, of how many that were planned at most, and how many were redone."""
    redone = len(verdict.pairs) - counted(verdict)
    most = f" of at most {verdict.planned_looks[-1]}" if verdict.planned_looks else ""
    return f"{plural(counted(verdict), 'pair')}{most}, {redone} redone"


def rate(verdict: Verdict) -> str:
    """What was offered, and how much of the capacity that is."""
    if verdict.rate_rps is None:
        return "not known"
    text = f"{number(verdict.rate_rps)} rps"
    if verdict.capacity is None:
        return f"{text} (the baseline's capacity is not known)"
    share = verdict.rate_rps / verdict.capacity.capacity_rps
    how = "as given" if verdict.capacity.how == "given" else "read in a closed loop"
    return (
        f"{text}, {share * 100:.0f} % of the baseline's capacity of "
        f"{number(verdict.capacity.capacity_rps)} rps, {how}"
    )


def ending(verdict: Verdict) -> str:
    """The exit code in words, with what was asked of an inconclusive gate."""
    asked = f"--inconclusive {verdict.inconclusive}"
    if verdict.outcome == "inconclusive":
        lets = "lets that pass" if verdict.inconclusive == "warn" else "makes that a failure"
        return f"Exit code {verdict.exit_code}: inconclusive, and {asked} {lets}."
    other = 0 if verdict.inconclusive == "warn" else EXIT_CODES["inconclusive"]
    return (
        f"Exit code {verdict.exit_code}: {verdict.outcome}. An inconclusive gate would have ended "
        f"with {other} ({asked})."
    )


def in_order(verdict: Verdict) -> Sequence[Row]:
    """Gating metrics first, each group as it stands in the verdict."""
    return sorted(verdict.rows, key=lambda row: not row.gating)


def facts(verdict: Verdict) -> Sequence[tuple[str, str]]:
    """What one asks next: compared, pairs, rate, time, the machine's record, the exit code."""
    baseline, candidate = verdict.sides
    kind = "Identical sides" if verdict.kind == "aa" else "Compared"
    return (
        (kind, f"{candidate.label} ({candidate.sut}) against {baseline.label} ({baseline.sut})"),
        ("Pairs", played(verdict)),
        ("Rate", rate(verdict)),
        ("Took", f"{number(verdict.wall_s / 60)} min"),
        ("This machine", record(verdict)),
        ("Ends with", ending(verdict)),
    )


def record(verdict: Verdict) -> str:
    """What A/A gates showed of this machine; where there is none, how to get it."""
    if not any(cited.gates for cited in verdict.machine):
        return "no A/A gate on record; nox -s aa plays one and writes the record"
    gates = max(cited.gates for cited in verdict.machine)
    alarms = max(cited.false_alarms for cited in verdict.machine)
    return (
        f"{plural(gates, 'A/A gate')} on record, at most {plural(alarms, 'false alarm')} a metric"
    )


def reasons(verdict: Verdict) -> Sequence[str]:
    """Why it is unfit, but for what its words say already."""
    return [why for why in verdict.unfit if why not in verdict.words]


def parts(text: str) -> Sequence[tuple[str, bool]]:
    """A note in pieces, and whether each is code: what backticks enclose."""
    pieces = _CODE.split(text)
    return [(piece, bool(place % 2)) for place, piece in enumerate(pieces) if piece]
