"""Claims judged by recorded runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.environment import now_utc, package_version
from reports.claims.checks import Hypothesis
from reports.claims.effect import Effect, alone, side_by_side, two_runs
from reports.claims.environments import apart, in_common
from reports.claims.evidence import Evidence, Known
from reports.claims.reading import Reading, of_effort, of_run
from reports.claims.record import (
    Claims,
    EvidenceRun,
    Figure,
    JudgedClaim,
    JudgedHypothesis,
    Measured,
    PassedOver,
    Said,
)
from reports.claims.rule import Bound, bound_of_ratio, bound_of_value, rule, shared_level, whole
from reports.claims.shelf import Recorded, Shelf
from reports.claims.written import Claim
from reports.effort.found import Found
from reports.wording import inside, plural


@dataclass(frozen=True, slots=True)
class Tested:
    """A hypothesis and the runs it is read from; ``runs`` is empty where one is lacking."""

    hypothesis: Hypothesis
    runs: tuple[Recorded, ...]
    passed: tuple[PassedOver, ...]
    lacking: tuple[Evidence, ...]


def judge(claims: Sequence[tuple[Claim, Sequence[Hypothesis]]], shelf: Shelf) -> Claims:
    """Judge claims by the newest runs there are.

    Args:
        claims: each with its hypotheses, their names looked up.
        shelf: the recorded runs.
    """
    used: dict[str, Recorded] = {}
    judged = []
    for claim, hypotheses in claims:
        tested = [look_up(hypothesis, shelf) for hypothesis in hypotheses]
        used.update({run.record.run_id: run for one in tested for run in one.runs})
        judged.append(_claim(claim, tested))
    environments = {key: run.environment for key, run in used.items()}
    return Claims(
        created_utc=now_utc().isoformat(timespec="seconds"),
        version=package_version(),
        claims=tuple(judged),
        runs=tuple(_evidence(used[key]) for key in sorted(used)),
        fingerprint=in_common(environments),
        apart=apart(environments),
    )


def look_up(hypothesis: Hypothesis, shelf: Shelf) -> Tested:
    """Find the runs that answer a hypothesis."""
    wanted = [hypothesis.evidence]
    if hypothesis.versus_evidence is None:
        choices = [shelf.newest(hypothesis.evidence)]
    else:
        wanted.append(hypothesis.versus_evidence)
        choices = list(shelf.alike(*wanted))
    found = [choice.run for choice in choices if choice.run is not None]
    lacking = [one for one, choice in zip(wanted, choices, strict=True) if choice.run is None]
    passed = tuple(one for choice in choices for one in choice.passed)
    return Tested(hypothesis, () if lacking else tuple(found), passed, tuple(lacking))


def _claim(claim: Claim, tested: Sequence[Tested]) -> JudgedClaim:
    level = shared_level(len(tested))
    hypotheses = tuple(_hypothesis(one, level) for one in tested)
    section = claim.section
    return JudgedClaim(
        key=claim.key,
        statement=section.statement,
        about=section.about,
        said=tuple(Said(where=one.where, url=one.url) for one in section.said),
        word=whole(one.word for one in hypotheses),
        level=level,
        hypotheses=hypotheses,
    )


def _hypothesis(tested: Tested, level: float) -> JudgedHypothesis:
    hypothesis, section = tested.hypothesis, tested.hypothesis.section
    known = hypothesis.evidence.metrics[section.metric]
    bound = _bound(hypothesis, known)
    untested = JudgedHypothesis(
        words=section.words,
        scenario=section.scenario,
        scenario_is_effort=hypothesis.evidence.kind == "effort",
        at=hypothesis.at,
        sut=hypothesis.sut,
        metric=section.metric,
        metric_name=known.name,
        against=_against(hypothesis),
        direction=section.direction,
        margin=section.margin,
        value=section.value,
        bound=bound.at,
        side=bound.side,
        word="not tested",
        unit=known.unit if section.value is not None else "",
        passed=tested.passed,
    )
    if not tested.runs:
        return untested.model_copy(update=_needs(tested))
    this, other = _read(tested)
    effect = _effect(hypothesis, this, other, level)
    word = rule(bound, effect.estimate)
    return untested.model_copy(
        update={
            "word": word,
            "way": effect.way,
            "effect": Figure.of(effect.estimate),
            "n_other": effect.n_other,
            "this": _measured(this),
            "other": _measured(other) if other else None,
            "why": _why(effect) if word == "inconclusive" else "",
            "runs": tuple(run.record.run_id for run in tested.runs),
        }
    )


def _bound(hypothesis: Hypothesis, known: Known) -> Bound:
    section = hypothesis.section
    if section.value is not None:
        return bound_of_value(section.direction, section.value * known.scale)
    assert section.margin is not None  # noqa: S101 - checked when it was read
    return bound_of_ratio(section.direction, section.margin)


def _against(hypothesis: Hypothesis) -> str:
    section, other = hypothesis.section, hypothesis.versus_evidence
    match section.against:
        case "versus":
            return hypothesis.versus
        case "versus_scenario":
            return f"its run of {other.name if other else section.versus_scenario}"
        case "versus_deployment":
            return f"its deployment {section.versus_deployment}"
        case "versus_metric":
            return f"its {inside(hypothesis.evidence.metrics[section.versus_metric or ''].name)}"
        case "value":
            return ""


def _needs(tested: Tested) -> dict[str, object]:
    needs, here, why = [], True, []
    for evidence in tested.lacking:
        seconds = evidence.expected_s
        long = f" (about {plural(max(1, round(seconds / 60)), 'minute')})" if seconds else ""
        needs.append(f"`python -m harness {evidence.kind} {evidence.written}`{long}")
        if evidence.lacking:
            here = False
            why.append(evidence.lacking)
    return {
        "needs": tuple(needs),
        "here": here,
        "why": "; ".join(dict.fromkeys(why)) or _none(tested.passed),
    }


def _none(passed: Sequence[PassedOver]) -> str:
    return "no run that can be used is on record" if passed else "no run is on record"


def _read(tested: Tested) -> tuple[Reading, Reading | None]:
    """What is compared, and with what; the second is None where a figure stands alone."""
    hypothesis, section = tested.hypothesis, tested.hypothesis.section
    here, there = tested.runs[0], tested.runs[-1]
    this = _reading(here, hypothesis.sut, hypothesis.at, section.metric)
    if section.against == "value":
        return this, None
    at = section.versus_deployment or hypothesis.at
    metric = section.versus_metric or section.metric
    return this, _reading(there, hypothesis.versus, at, metric)


def _reading(run: Recorded, sut: str, at: str, metric: str) -> Reading:
    if isinstance(run.content, Found):
        return of_effort(run.content, sut, at, metric)
    return of_run(run.content, sut, at, metric)


def _effect(hypothesis: Hypothesis, this: Reading, other: Reading | None, level: float) -> Effect:
    if other is None:
        return alone(this, level)
    if hypothesis.versus_evidence is not None:
        return two_runs(this, other, level)
    return side_by_side(this, other, level)


def _why(effect: Effect) -> str:
    if effect.estimate.low is None:
        return effect.estimate.note or "no interval"
    if effect.way == "exact":
        return "it is the bound itself"
    return "the interval holds the bound"


def _measured(reading: Reading) -> Measured:
    return Measured(
        metric=reading.name,
        unit=reading.unit,
        figure=Figure.of(reading.estimate),
        left_out=reading.left_out,
    )


def _evidence(run: Recorded) -> EvidenceRun:
    record, described = run.record, run.environment.description
    content = run.content
    if isinstance(content, Found):
        name, summary = content.record.name, content.record.summary
        trials, left_out = len(content.record.rows), len(content.errors())
    else:
        scenario = content.record.scenario
        name, summary = str(scenario.get("name", "")), str(scenario.get("summary", ""))
        trials, left_out = len(content.run.trials), len(content.left_out())
    return EvidenceRun(
        run_id=record.run_id,
        kind="effort" if isinstance(content, Found) else "run",
        scenario=name,
        summary=summary,
        created_utc=record.created_utc,
        version=record.version,
        revision=described.get("revision", "not recorded"),
        changed_files=described.get("changed_files", "0"),
        trials=trials,
        left_out=left_out,
    )
