"""Who leads, in words: only where the paired interval bears the word out.

The intervals of one answer share their error: each is taken at a level that keeps the chance of
any false word at most 5 % (Bonferroni).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reports.compare import compare
from reports.estimate import LEVEL, Estimate, Value
from reports.wording import figure, inside, interval, listed, number


@dataclass(frozen=True, slots=True)
class Sentence:
    """One claim, in words. A ``caution`` says what the reader must not forget."""

    text: str
    kind: Literal["answer", "caution"] = "answer"


@dataclass(frozen=True, slots=True)
class Contender:
    """One SUT's figure, and its value in each block."""

    name: str
    estimate: Estimate
    by_block: Mapping[int, Value]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the contenders.

    Attributes:
        where: under which conditions, as a sentence begins.
        noun: what is compared.
        verb: what is said of a leader that all others are shown to be behind.
        level: of each comparison (:func:`shared_level`).
    """

    where: str
    noun: str
    unit: str
    better: Literal["higher", "lower", "none"]
    verb: str
    level: float


def shared_level(suts: int, questions: int = 3) -> float:
    """The level of each comparison in an answer, so that all of them share one error of 5 %.

    Every pair counts, though only those with the leader are spoken of: which SUT leads is read
    from the same blocks.

    Args:
        suts: that are compared.
        questions: asked of them in one answer.
    """
    pairs = suts * (suts - 1) // 2
    return 1 - (1 - LEVEL) / max(questions * pairs, 1)


def lead(asked: Question, everyone: Sequence[Contender]) -> Iterator[Sentence]:
    """Say who leads and by how much, or that it cannot be told."""
    where, noun = asked.where, inside(asked.noun)
    absent = [c.name for c in everyone if c.estimate.point is None]
    if absent and len(absent) < len(everyone):
        yield Sentence(f"{where} there is no {noun} of {listed(absent)}.", "caution")
    known = [c for c in everyone if c.estimate.point is not None]
    known.sort(key=lambda c: c.estimate.point or 0.0, reverse=asked.better == "higher")
    if known:
        yield Sentence(f"{where} {_said(asked, known[0], known[1:])}")


def _said(asked: Question, leader: Contender, others: Sequence[Contender]) -> str:
    name, shown, noun = leader.name, figure(leader.estimate, asked.unit), inside(asked.noun)
    behind, alike = _ranked(asked, leader, others)
    more = f"; it was {listed(behind)}" if behind else ""
    if not others:
        return f"the {noun} of {name} was {shown}."
    if not alike:
        return f"{name} {asked.verb}, {shown}{more}."
    if behind:
        return f"the {noun} of {name} was {shown}{more}; {listed(alike)} cannot be told from it."
    rest = f"{name} reads best, {shown}, and {listed(alike)} cannot be told from it"
    return f"no difference in {noun} can be told: {rest}."


def _ranked(
    asked: Question, leader: Contender, others: Sequence[Contender]
) -> tuple[list[str], list[str]]:
    """The SUTs shown to be behind the leader, in words, and those that cannot be told from it."""
    worse = "lower" if asked.better == "higher" else "higher"
    behind, alike = [], []
    for other in others:
        found = compare(other.by_block, leader.by_block, asked.level)
        if found.word == worse:
            ratio = f"{number(found.ratio.point or 0)} times that ({interval(found.ratio, '')})"
            behind.append(f"{ratio} for {other.name}")
        else:
            alike.append(other.name)
    return behind, alike
