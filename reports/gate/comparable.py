"""May two sides be compared at all, and what must be known to read what comes of it?

Refused is what would make the two answers to different questions: other requests, other arrivals,
another machine or share of it, other backends, another objective. Noted is what may be the very
thing that is compared, or moves with it: weights, libraries, the harness, the scenario.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from harness.record import RunRecord, Step
from reports.gate.same_load import same_contents
from reports.slo import slo_of

MACHINE = (
    "machine",
    "cpu_model",
    "machine_cores",
    "sut_cores",
    "sut_memory_bytes",
    "cgroup_limits",
)
"""Entries of the fingerprint that say where a side ran, and on how much of it."""

WEIGHTS = "weights_digest"
_ASKED = ("payloads*.parquet", "trace.*", "plans/*.parquet")
_UNSAID = (
    "name", "summary", "suts", "gate", "load", "slo", "budget", "backends", "remote", "events",
)  # fmt: skip
_PATHS = ("ensemble.search_path",)
"""Sections of a scenario that say nothing new: other rows do, or they are the sides' names. Paths
differ between two checkouts of one ensemble."""

Folders = tuple[Path, Path]


def refusals(
    baseline: RunRecord, candidate: RunRecord, folders: Folders | None = None
) -> tuple[str, ...]:
    """Why two sides may not be compared at all, a reason a row; empty if they may.

    Args:
        baseline: the one side's run.
        candidate: the other's.
        folders: both runs', where they are at hand. Files of other bytes are then compared by what
            they say: another version of a library writes the same plan otherwise.
    """
    return (
        *_machines(baseline, candidate),
        *_steps(baseline.steps, candidate.steps),
        *_requests(baseline.digests, candidate.digests, folders),
        *_backends(baseline.backends, candidate.backends),
        *_objectives(baseline.scenario, candidate.scenario),
    )


def notes(baseline: RunRecord, candidate: RunRecord) -> tuple[str, ...]:
    """What a reader must know of two sides that may be compared, a sentence a row."""
    apart = differs(baseline, candidate)
    libraries = [key for key in apart if key not in (*MACHINE, WEIGHTS)]
    found = []
    if WEIGHTS in apart:
        found.append(
            f"the weights differ ({' and '.join(_short(part) for part in apart[WEIGHTS])}): each "
            "side's answers are checked against its own, and what an answer costs may differ for "
            "them alone"
        )
    if libraries:
        named = ", ".join(f"{key} ({' and '.join(apart[key])})" for key in libraries)
        found.append(f"library versions differ, so they are compared too: {named}")
    found += _instruments(baseline, candidate)
    found += _scenarios(baseline.scenario, candidate.scenario)
    if bool(baseline.backends) != bool(candidate.backends):
        which = "baseline" if not baseline.backends else "candidate"
        found.append(f"which backends the {which} had is not recorded: it is older than that")
    return tuple(found)


def agreed(baseline: RunRecord, candidate: RunRecord) -> dict[str, str]:
    """The fingerprint's entries in which both sides agree."""
    mine, theirs = _fingerprints(baseline, candidate)
    return {key: value for key, value in mine.items() if theirs.get(key) == value}


def differs(baseline: RunRecord, candidate: RunRecord) -> dict[str, tuple[str, str]]:
    """The entries in which they do not: key -> (baseline's, candidate's)."""
    mine, theirs = _fingerprints(baseline, candidate)
    keys = [*mine, *(key for key in theirs if key not in mine)]
    both = {key: (mine.get(key, "not recorded"), theirs.get(key, "not recorded")) for key in keys}
    return {key: pair for key, pair in both.items() if pair[0] != pair[1]}


def _fingerprints(
    baseline: RunRecord, candidate: RunRecord
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    return baseline.environment.fingerprint, candidate.environment.fingerprint


def _machines(baseline: RunRecord, candidate: RunRecord) -> Iterator[str]:
    for key, (mine, theirs) in differs(baseline, candidate).items():
        if key in MACHINE:
            yield (
                f"{key} is {mine!r} of the baseline and {theirs!r} of the candidate: give both "
                "the same machine and budget"
            )


def _steps(baseline: tuple[Step, ...], candidate: tuple[Step, ...]) -> Iterator[str]:
    mine, theirs = (
        [(step.offered_rps, step.concurrency) for step in steps] for steps in (baseline, candidate)
    )
    if mine != theirs:
        words = " and ".join(_load(side) for side in (mine, theirs))
        yield f"the load differs: {words}; offer both the same (gate.rate_rps)"


def _load(steps: list[tuple[float, int | None]]) -> str:
    return ", ".join(
        f"{rate:g} rps" if clients is None else f"{clients} at once" for rate, clients in steps
    )


def _requests(
    mine: Mapping[str, str], theirs: Mapping[str, str], folders: Folders | None
) -> Iterator[str]:
    names = [
        name for name in sorted({*mine, *theirs}) if any(fnmatch(name, kind) for kind in _ASKED)
    ]
    if not (mine and theirs):
        yield (
            "a side has no digests of what it was asked, being recorded by a version without "
            "them: compare revisions that have them"
        )
        return
    for name in names:
        if name not in mine or name not in theirs:
            which = "baseline" if name in mine else "candidate"
            yield f"only the {which} was asked {name}: let both scenarios ask for the same"
        elif mine[name] != theirs[name] and not same_contents(name, folders):
            yield (
                f"{name} differs ({_short(mine[name])} and {_short(theirs[name])}): the sides are "
                "asked for other things; let both have the same [load] and the same corpus"
            )


def _backends(mine: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[str]:
    if not (mine and theirs):  # older than the record of them; a note says so
        return
    for part in sorted({*mine, *theirs}):
        here, there = mine.get(part, "none"), theirs.get(part, "none")
        if here != there:
            yield (
                f"the {part} is {here} of the baseline and {there} of the candidate: give both the "
                "same backends"
            )


def _objectives(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    here, there = (slo_of(side) for side in (mine, theirs))
    if here != there:
        words = " and ".join(side.words if side else "none" for side in (here, there))
        yield f"the objective differs ({words}): goodput would be two things; give both one [slo]"
    if (mine.get("events") or []) != (theirs.get("events") or []):
        yield "[[events]] differ: other things are done to each side; give both the same"


def _instruments(baseline: RunRecord, candidate: RunRecord) -> Iterator[str]:
    """The harness is of the checkout it measures; where that differs, so does what measures."""
    mine, theirs = (
        (side.version, side.environment.description.get("revision", "unknown"))
        for side in (baseline, candidate)
    )
    if mine != theirs:
        words = " and ".join(f"{version} ({_short(name)})" for version, name in (mine, theirs))
        yield (
            f"each side was measured by its own revision of this program, {words}: a change of "
            "the instrument looks like one of the SUT"
        )


def _scenarios(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    here, there = dict(_flat(mine)), dict(_flat(theirs))
    known = (key for key in here if key in there and key not in _PATHS)
    apart = [key for key in known if here[key] != there[key]]
    if apart:
        named = ", ".join(f"{key} ({here[key]} and {there[key]})" for key in apart)
        yield f"the scenarios differ, so that is compared too: {named}"


def _flat(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """``section.key`` -> value."""
    for section, value in document.items():
        if section in _UNSAID:
            continue
        if isinstance(value, Mapping):
            yield from ((f"{section}.{key}", inner) for key, inner in value.items())
        else:
            yield section, value


def _short(digest: str) -> str:
    return digest[:10]
