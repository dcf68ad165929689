"""What one asks to be compared: two words, read and checked before anything is made of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self, TypeAlias

from architectures import catalog
from harness.pairs.record import SIDES, SideName
from harness.scenario import RemoteSection
from workloads.meant import did_you_mean

Kind: TypeAlias = Literal["revision", "working tree", "variant", "scenario", "url"]

WORKING_TREE = "."
WORDS: dict[str, Kind] = {"sut": "variant", "scenario": "scenario", "url": "url"}
"""What stands before the ``=`` of a word; words without one are revisions or ``.``."""

_KEYED = re.compile(r"([a-z_]+)=(.*)", re.DOTALL)
_URL = re.compile(RemoteSection.model_fields["url"].metadata[0].pattern)
_EXAMPLES = "--baseline main, --baseline sut=monolith:naive, --baseline url=http://HOST:PORT"


class SideError(Exception):
    """A side that cannot be compared as asked; the message ends in what to do."""


@dataclass(frozen=True, slots=True)
class Word:
    """One side as it was named: ``kind`` and what stands behind the ``=``, or the whole word."""

    kind: Kind
    value: str

    @classmethod
    def parse(cls, text: str, side: SideName) -> Self:
        """Read ``sut=ARCH[:VARIANT]``, ``scenario=FILE``, ``url=URL``, ``.`` or a revision.

        Raises:
            SideError: it is none of them, or was meant to be another.
        """
        if text == WORKING_TREE:
            return cls("working tree", text)
        keyed = _KEYED.fullmatch(text)
        if keyed is None:
            return cls("revision", _revision(text, side))
        key, value = keyed.groups()
        if key not in WORDS:
            raise SideError(
                f"--{side} {text}: there is no kind {key!r}{did_you_mean(key, WORDS)}; write "
                "sut=ARCH:VARIANT, scenario=FILE, url=URL, . (the working tree) or a git revision"
            )
        if not value:
            raise SideError(f"--{side} {text}: nothing stands after the =; name the {key} there")
        if key == "url" and not _URL.fullmatch(value):
            raise SideError(f"--{side} {text}: is no URL; write url=http://HOST:PORT")
        return cls(WORDS[key], value.rstrip("/") if key == "url" else value)


def _revision(text: str, side: SideName) -> str:
    """A word that git is asked about, unless it is plainly another kind without its key."""
    meant = ""
    if _URL.fullmatch(text):
        meant = "url"
    elif text.endswith(".toml"):
        meant = "scenario"
    elif text.partition(":")[0] in catalog.names():
        meant = "sut"
    if meant:
        raise SideError(
            f"--{side} {text}: is no git revision; did you mean {meant}={text}? Write it so, or "
            f"refs/heads/{text} for a branch of that name"
        )
    if not text or text.startswith("-"):
        raise SideError(f"--{side} {text!r}: is no git revision; name one, such as {_EXAMPLES}")
    return text


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared, as words that make sense together.

    Attributes:
        scenario: what both sides are played with, where they do not name their own.
        baseline / candidate: words as :meth:`Word.parse` reads them.
        sut: the one SUT, where the scenario names several.
        restart: side -> a command that gives its running service a fresh start before each block.
        identical: both sides are the same on purpose: an A/A comparison.

    Raises:
        SideError: a word says nothing, or the two differ in more than one thing.
    """

    scenario: Path
    baseline: str
    candidate: str = WORKING_TREE
    sut: str | None = None
    restart: Mapping[SideName, str] = field(default_factory=dict)
    identical: bool = False

    def __post_init__(self) -> None:
        """Check what can be checked without git and without reading a file."""
        differ_in = self.differ_in
        if self.identical and self.baseline != self.candidate:
            raise SideError(
                f"identical sides are asked for, and --baseline {self.baseline} is not "
                f"--candidate {self.candidate}; name one of them"
            )
        if not self.identical and self.baseline == self.candidate:
            raise SideError(
                f"both sides are {self.baseline}: there is nothing to compare; name two, or "
                "compare identical sides on purpose with `nox -s aa`"
            )
        named = WORKING_TREE not in (self.baseline, self.candidate)
        if self.sut and (differ_in == "url" or (differ_in == "variant" and named)):
            raise SideError(
                f"--sut {self.sut} names one SUT, and both sides name theirs; leave it out"
            )

    @classmethod
    def of(
        cls,
        scenario: Path,
        baseline: str | None = None,
        candidate: str | None = None,
        sut: str | None = None,
        restart: Mapping[SideName, str] | None = None,
        *,
        identical: bool = False,
    ) -> Self:
        """What was given on a command line, with what it leaves out.

        The candidate is the working tree; the baseline of ``sut=`` and ``scenario=`` is the
        scenario as it stands; identical sides are both the one that is named, or the working tree.

        Raises:
            SideError: it makes no sense.
        """
        given = restart or {}
        if identical:
            one = baseline or candidate or WORKING_TREE
            return cls(scenario, one, candidate or one, sut, given, identical=True)
        if baseline is None:
            if candidate is None or Word.parse(candidate, "candidate").kind not in _OF_A_SCENARIO:
                raise SideError(f"there is no baseline; name what to compare with: {_EXAMPLES}")
            baseline = WORKING_TREE
        return cls(scenario, baseline, candidate or WORKING_TREE, sut, given)

    def word(self, side: SideName) -> Word:
        """One of the two, read."""
        return Word.parse(self.baseline if side == "baseline" else self.candidate, side)

    @property
    def differ_in(self) -> Kind:
        """The one thing in which the sides differ: revision (the working tree may be one of them),
        variant, scenario or url.

        Raises:
            SideError: it would be more than one thing.
        """  # noqa: D205 - one sentence
        kinds = {self.word(side).kind for side in SIDES}
        for kind in ("revision", *_OF_A_SCENARIO):
            if kinds <= {kind, "working tree"}:
                return kind
        if kinds == {"url"}:
            return "url"
        raise SideError(
            f"--baseline {self.baseline} and --candidate {self.candidate} differ in more than one "
            "thing, and nobody could tell which of them a difference comes from; compare two "
            "revisions, two sut=, two scenario= or two url=" + _remedy(kinds)
        )


_OF_A_SCENARIO: tuple[Kind, Kind] = ("variant", "scenario")


def _remedy(kinds: set[Kind]) -> str:
    if kinds == {"revision", "variant"}:
        return "; to compare two revisions of one SUT, name the SUT with --sut"
    if "url" in kinds:
        return "; a running service is compared with a running service"
    return ""
