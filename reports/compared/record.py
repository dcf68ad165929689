"""``compared.json``: two runs beside each other, as every page and table of them says it."""

from typing import Literal, TypeAlias

from harness.record import Record
from reports.estimate import Estimate

COMPARED_VERSION = 1
"""History of the format.

1  2026-11: first.
"""

COMPARED_FILE = "compared.json"
EXIT_COMPARED, EXIT_MISTAKE, EXIT_NOT_COMPARABLE = 0, 2, 4
"""What the command ends with: the last two are a gate's own numbers for the same."""

Word: TypeAlias = Literal["better", "worse", "cannot tell"]
SideName: TypeAlias = Literal["baseline", "candidate"]


class ComparedSide(Record):
    """One run as it was chosen.

    Attributes:
        asked: what the command line named.
        chosen: in a sentence, which run that was taken to mean.
        revision: of the source, as recorded; ``changed_files`` of it had been changed.
        blocks: scheduled.
    """

    name: SideName
    asked: str
    chosen: str
    run_id: str
    path: str
    created_utc: str
    scenario: str
    version: str
    revision: str
    changed_files: int
    status: str
    blocks: int


class Differing(Record):
    """A key in which the runs differ though they may be compared."""

    key: str
    baseline: str
    candidate: str


class Control(Record):
    """Something that no change of the SUTs can move: if it moved, the machine did.

    Attributes:
        change: candidate / baseline, its interval at ``level``.
        moved: whether that interval leaves out no change; None where there is no interval.
    """

    name: str
    unit: str
    baseline: Estimate
    candidate: Estimate
    change: Estimate
    moved: bool | None


class StepPair(Record):
    """A load step that both runs play, by its words.

    Attributes:
        apart: the candidate's offered rate over the baseline's; 1 where they are the same, and of
            a closed loop.
    """

    asked: str
    baseline_rps: float
    candidate_rps: float
    concurrency: int | None
    apart: float


class Row(Record):
    """One figure of both runs.

    Attributes:
        step: in words; ``at capacity`` for what belongs to a capacity search.
        kind: whether ``change`` is candidate / baseline or candidate less baseline.
        change: None where the runs are only shown side by side.
        p: two-sided, that the change is within the margin; None where the row carries no word.
        level: what Holm leaves for it.
        margin: that a change must exceed to be called one: what was asked for, or what the
            control cannot rule out, whichever is larger.
        word: None where the figure carries none, and ``why`` says why.
        within: whether the whole interval lies within a margin that was asked for.
    """

    sut: str
    step: str
    metric: str
    name: str
    unit: str
    better: Literal["higher", "lower", "none"]
    kind: Literal["ratio", "difference"]
    baseline: Estimate
    candidate: Estimate
    change: Estimate | None
    p: float | None = None
    level: float | None = None
    margin: float = 0.0
    word: Word | None = None
    within: bool = False
    why: str = ""


class Compared(Record):
    """The whole comparison.

    Attributes:
        comparable: whether both answer the same question.
        refusals: why not, in words, where they were shown side by side all the same.
        cautions: what a reader must know first.
        differs: what differs and need not agree.
        only: what only one of both has, in words.
        error: chance of any false word, over all words together.
        words: the answer in a few sentences.
    """

    compared_version: int = COMPARED_VERSION
    comparable: bool
    refusals: tuple[str, ...] = ()
    sides: tuple[ComparedSide, ComparedSide]
    cautions: tuple[str, ...] = ()
    differs: tuple[Differing, ...] = ()
    answers_equal: str = ""
    controls: tuple[Control, ...] = ()
    steps: tuple[StepPair, ...] = ()
    only: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    level: float
    error: float
    words: tuple[str, ...] = ()
    decide: str = ""

    def at(self, step: str) -> tuple[Row, ...]:
        """The rows of one step."""
        return tuple(row for row in self.rows if row.step == step)

    @property
    def places(self) -> tuple[str, ...]:
        """The steps that have rows, in order."""
        return tuple(dict.fromkeys(row.step for row in self.rows))
