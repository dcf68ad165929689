"""Names in a hypothesis that are not there, and keys that cannot be meant together."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from architectures import catalog
from architectures.catalog import CatalogError
from reports.claims.evidence import (
    CODE_LINES,
    Evidence,
    find_file,
    read_evidence,
    step_asked,
    sut_key,
)
from reports.claims.written import AGAINST, Claim, ClaimError, HypothesisSection
from workloads.meant import did_you_mean


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A hypothesis whose every name has been found.

    Attributes:
        section: as written.
        sut / versus: keys, ``architecture:variant``; ``versus`` is the other SUT, or this one.
        at: the load step as records call it; of effort the deployment.
        evidence / versus_evidence: what tests it; the second where it is another run.
    """

    section: HypothesisSection
    sut: str
    versus: str
    at: str
    evidence: Evidence
    versus_evidence: Evidence | None = None


Row: TypeAlias = Callable[[HypothesisSection, Evidence], Iterator[str]]


def check(claim: Claim) -> tuple[Hypothesis, ...]:
    """Look up every name of a claim.

    Raises:
        ClaimError: a line a mistake: file, key, value, what was meant.
    """
    try:
        catalog.find(claim.section.about)
    except CatalogError as error:
        raise ClaimError(f"{claim.path}: about: {error}") from error
    read: dict[str, Evidence] = {}
    found, mistakes = [], []
    for number, section in enumerate(claim.section.hypotheses):
        try:
            found.append(_found(claim, section, read))
        except _Mistakes as error:
            where = f"{claim.path}: hypotheses.{number}"
            mistakes += [f"{where}.{line}" for line in error.lines]
    if mistakes:
        raise ClaimError("\n".join(mistakes))
    return tuple(found)


class _Mistakes(Exception):  # noqa: N818 - what is wrong with one hypothesis
    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def _found(claim: Claim, section: HypothesisSection, read: dict[str, Evidence]) -> Hypothesis:
    def evidence(written: str) -> Evidence:
        if written not in read:
            read[written] = read_evidence(written, find_file(written, claim.path))
        return read[written]

    tests = evidence(section.scenario)
    lines = [line for row in _ROWS for line in row(section, tests)]
    if lines:
        raise _Mistakes(lines)
    other = evidence(section.versus_scenario) if section.versus_scenario else None
    lines = list(_other(section, other)) if other else []
    if lines:
        raise _Mistakes(lines)
    sut = sut_key(section.sut, str(claim.path))
    versus = sut_key(section.versus, str(claim.path)) if section.versus else sut
    at = step_asked(section.at) if section.at is not None else section.deployment or ""
    return Hypothesis(section, sut, versus, at, tests, other)


def _one_comparison(section: HypothesisSection, _: Evidence) -> Iterator[str]:
    if len(section.comparisons) != 1:
        said = " and ".join(section.comparisons) or "none"
        known = ", ".join(AGAINST)
        yield f"direction = {section.direction!r}: than what? name one of {known}, not {said}"


def _margin(section: HypothesisSection, _: Evidence) -> Iterator[str]:
    if section.value is not None:
        if section.margin is not None:
            yield "margin stands beside value; a figure has no margin, leave it out"
        if section.direction.startswith("not"):
            yield (
                f"direction = {section.direction!r} stands beside value; "
                'say "higher" or "lower" than the figure'
            )
    elif section.margin is None:
        yield "'margin' is missing; meant is the share by which it must differ, such as 0.1"
    elif section.direction in ("lower", "not lower") and section.margin >= 1:
        yield (
            f"margin = {section.margin:g}: nothing is lower by that share; "
            "give one below 1, such as 0.5 for half"
        )


def _place(section: HypothesisSection, tests: Evidence) -> Iterator[str]:
    run = tests.kind == "run"
    wanted, other = ("at", "deployment") if run else ("deployment", "at")
    if getattr(section, wanted) is None:
        what = "a load step" if run else "a deployment"
        known = ", ".join(tests.steps or tests.deployments)
        yield f"{wanted!r} is missing; meant is {what} of {tests.written}: {known}"
    if getattr(section, other) is not None:
        what = "a scenario, which is played at load steps" if run else "a plan of effort"
        yield f"{other} = {getattr(section, other)!r}: {tests.written} is {what}; leave it out"
    alone = ("versus_deployment", "versus_metric") if run else ("versus_scenario",)
    for key in alone:
        if getattr(section, key) is not None:
            what = "a plan of effort" if run else "a scenario"
            yield f"{key} belongs to {what}, and {tests.written} is none; leave it out"


def _names(section: HypothesisSection, tests: Evidence) -> Iterator[str]:
    for key, name in (("sut", section.sut), ("versus", section.versus)):
        if name is not None:
            yield from _sut(key, name, tests)
    if section.at is not None and tests.steps:
        yield from _known("at", step_asked(section.at), tests.steps, tests)
    for key in ("deployment", "versus_deployment"):
        name = getattr(section, key)
        if name is not None and tests.deployments:
            yield from _known(key, name, tests.deployments, tests)
    for key in ("metric", "versus_metric"):
        name = getattr(section, key)
        if name is not None:
            yield from _known(key, name, tests.metrics, tests)


def _sut(key: str, name: str, tests: Evidence) -> Iterator[str]:
    try:
        found = sut_key(name, key)
    except ClaimError as error:
        yield str(error)
        return
    yield from _known(key, found, tests.suts, tests)


def _known(key: str, name: str, known: Collection[str], tests: Evidence) -> Iterator[str]:
    if name not in known:
        meant = did_you_mean(name, known)
        yield f"{key} = {name!r}: {tests.written} has none{meant}; it has {', '.join(known)}"


def _itself(section: HypothesisSection, tests: Evidence) -> Iterator[str]:
    pairs = (
        ("versus", section.sut), ("versus_scenario", section.scenario),
        ("versus_deployment", section.deployment), ("versus_metric", section.metric),
    )  # fmt: skip
    for key, name in pairs:
        if name is not None and getattr(section, key) == name:
            yield f"{key} = {name!r} is what is compared itself; name another"
    one, other = (tests.metrics.get(name or "") for name in (section.metric, section.versus_metric))
    if one is not None and other is not None and one.unit != other.unit:
        yield (
            f"versus_metric = {section.versus_metric!r} is in {other.unit!r}, the metric in "
            f"{one.unit!r}; compare what has one unit"
        )


def _a_share_of_what(section: HypothesisSection, _: Evidence) -> Iterator[str]:
    """Two runs measure two ceilings, so a share of them is two rates."""
    if section.versus_scenario is not None and section.at and section.at.endswith("ceiling"):
        yield (
            f"at = {section.at!r} is another rate in each of two runs; "
            "let both scenarios name requests per second"
        )


def _code(section: HypothesisSection, _: Evidence) -> Iterator[str]:
    if section.metric == CODE_LINES and section.versus_deployment is not None:
        yield "versus_deployment: lines of code are an architecture's, whatever it deploys"


_ROWS: tuple[Row, ...] = (
    _one_comparison,
    _margin,
    _place,
    _names,
    _itself,
    _a_share_of_what,
    _code,
)


def _other(section: HypothesisSection, other: Evidence) -> Iterator[str]:
    """What is wrong with the run that is compared with."""
    if other.kind == "effort":
        yield f"versus_scenario = {other.written!r} is a plan of effort; name a scenario"
        return
    yield from _sut("sut", section.sut, other)
    yield from _known("at", step_asked(section.at or ""), other.steps, other)
