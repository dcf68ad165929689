"""A gate's verdict as data: what ``verdict.json`` holds and every other form is made from."""

from typing import Literal, TypeAlias

from pydantic import Field

from harness.pairs.record import CapacityReading, PairRecord, SideRecord
from harness.record import Record

VERDICT_FILE = "verdict.json"
VERDICT_FORMAT = 1

Word: TypeAlias = Literal["pass", "regression", "inconclusive"]
Outcome: TypeAlias = Literal["pass", "regression", "inconclusive", "unfit"]

EXIT_CODES: dict[Outcome, int] = {"pass": 0, "regression": 1, "inconclusive": 3, "unfit": 4}
EXIT_ERROR = 2


class PairValues(Record):
    """One metric in one pair, in the metric's own unit; None where a block cannot carry it."""

    block: int
    baseline: float | None
    candidate: float | None


class Robust(Record):
    """The same question asked without assuming normal pairs.

    Attributes:
        estimate: Hodges-Lehmann, on the metric's scale (a ratio, or a difference).
        p: exact sign-flip, one-sided: that the candidate is not worse.
        agrees: whether it would come to the same word at this look; None where it could not: of n
            pairs no exact p is below 2^-n, and the level that decides is.
    """

    estimate: float
    p: float
    agrees: bool | None


class Row(Record):
    """One metric judged.

    Ratios are oriented: above 1 is worse, whichever way the metric is better. Differences (error
    rate) likewise: above 0 is worse.

    Attributes:
        kind: ``ratio``, or ``difference`` of shares.
        gating: whether it may fail the gate; ``why_not`` says why not.
        margin: how much worse is too much: .1 is a ratio of 1.1, or a difference of .1.
        margin_note: where the margin is wider than was asked, why (an absolute floor); else empty.
        pairs: its value in every counted pair.
        n: pairs it rests on.
        estimate: geometric mean of the pairs' ratios, or the difference of pooled shares; None
            where there is none, and ``says`` tells why.
        low / high: one-sided bounds, each at level ``nominal`` of the verdict; None likewise.
        holm_low: the bound that decides on regression: ``low`` at the level Holm leaves it.
        p: one-sided, that the candidate is not worse.
        holm_rank: 1 is the smallest p of all gating metrics; None where it is not gating.
        holm_level: the level that rank leaves it.
        spread: standard deviation of the pairs' log ratios (or of their differences).
        detectable: the smallest true ratio (or difference) that this many pairs with this spread
            find with probability .8; None where there is no spread to reckon with.
        pairs_needed: about how many pairs would settle it at this margin, with probability .8.
        word: the ruling.
        says: the ruling in one sentence, numbers included.
    """

    key: str
    name: str
    unit: str
    better: Literal["higher", "lower"]
    kind: Literal["ratio", "difference"]
    gating: bool
    why_not: str = ""
    margin: float
    margin_note: str = ""
    pairs: tuple[PairValues, ...]
    n: int
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    holm_low: float | None = None
    p: float | None = None
    holm_rank: int | None = None
    holm_level: float | None = None
    spread: float | None = None
    detectable: float | None = None
    pairs_needed: int | None = None
    robust: Robust | None = None
    word: Word
    says: str


class Look(Record):
    """What was seen at one look.

    Attributes:
        words: gating metric -> its word there.
    """

    pairs: int
    outcome: Word
    words: dict[str, Word]


class MachineCitation(Record):
    """What A/A gates have shown of this machine, for one metric.

    Attributes:
        gates: A/A gates on record, of this machine and, where there are any, this SUT.
        false_alarms: those of them that called a regression.
        spread: median over gates of the pairs' spread; None without any.
        detectable: at this verdict's number of pairs, from that spread.
    """

    key: str
    gates: int
    false_alarms: int
    spread: float | None = None
    detectable: float | None = None


class Verdict(Record):
    """Everything a gate found.

    Attributes:
        exit_code: what the command ended with, ``inconclusive`` taken into account.
        words: the outcome in one or two sentences.
        unfit: why there is no verdict, one reason a line; empty otherwise.
        notes: what a reader must know: differing environments, no fresh deployments, load.
        look_levels: nominal one-sided level of each look (all alike).
        nominal: of the look that ended it.
        looks: those taken, in order.
        pairs: every pair played, redone ones too.
        fingerprint: of the machine and software, where both sides agree.
        fingerprint_differs: key -> (baseline's, candidate's).
        pressure: largest reading of each kind over the counted blocks.
        machine: by gating metric; empty where no A/A gate is on record.
        wall_s: the whole gate.
    """

    verdict_format: int = VERDICT_FORMAT
    gate_id: str
    created_utc: str
    version: str
    name: str
    kind: Literal["gate", "aa"]
    outcome: Outcome
    exit_code: int
    inconclusive: Literal["fail", "warn"]
    words: str
    unfit: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sides: tuple[SideRecord, SideRecord]
    rate_rps: float | None = None
    capacity: CapacityReading | None = None
    error: float
    family: int
    planned_looks: tuple[int, ...]
    nominal: float
    looks: tuple[Look, ...] = ()
    rows: tuple[Row, ...] = ()
    pairs: tuple[PairRecord, ...] = ()
    fingerprint: dict[str, str] = Field(default_factory=dict)
    fingerprint_differs: dict[str, tuple[str, str]] = Field(default_factory=dict)
    pressure: dict[str, float] = Field(default_factory=dict)
    machine: tuple[MachineCitation, ...] = ()
    wall_s: float = 0.0

    def row(self, key: str) -> Row:
        """One metric's row."""
        return next(row for row in self.rows if row.key == key)
