"""Is a recorded run one of this very scenario, or of one that was written otherwise then?

A name does not tell: a scenario may have been edited since, or run with some of its SUTs only. What
would make it answer another question must be equal; what merely describes may differ.
"""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.effort.plan import EffortPlan
from harness.effort.record import EffortRecord
from harness.record import RunRecord
from harness.scenario import Scenario
from harness.scenario_file import ScenarioError, parse
from reports.claims.evidence import Evidence

_OF_A_RUN = ("ensemble", "policy", "budget", "load", "slo", "remote", "backends", "events")
_OF_EFFORT = ("module", "tier", "deployments", "repeats", "requests", "seed", "policy", "budget")
_MERELY = ("search_path", "trace", "start_up_limit_s")
"""Keys that two checkouts write differently, or that change no figure; traces have digests."""

_TIMES = ("load.blocks", "repeats")
"""How often it is played: more of it answers the same question."""

_NAMED = 3


def why_not(evidence: Evidence, record: RunRecord | EffortRecord, folder: Path) -> str:
    """Why a finished run is none of this scenario, in words; empty where it is one.

    Args:
        evidence: the scenario as it is now.
        record: the run's, of the same name.
        folder: where it lies.
    """
    lacking = [sut for sut in evidence.suts if sut not in _suts(record)]
    if lacking:
        return f"it was run without {', '.join(lacking)}"
    try:
        apart = list(_apart(evidence, record, folder))
    except (ScenarioError, ValidationError, OSError, UnicodeDecodeError):
        return "the scenario it was made with cannot be read by this version"
    if not apart:
        return ""
    more = f" and {len(apart) - _NAMED} more" if len(apart) > _NAMED else ""
    return f"its scenario was another then: {'; '.join(apart[:_NAMED])}{more}"


def _suts(record: RunRecord | EffortRecord) -> tuple[str, ...]:
    if isinstance(record, EffortRecord):
        return record.suts
    return tuple(sut.key for sut in record.suts)


def _apart(evidence: Evidence, record: RunRecord | EffortRecord, folder: Path) -> Iterator[str]:
    if isinstance(record, EffortRecord):
        text = (folder / "scenario.toml").read_text(encoding="utf-8")
        then: Scenario | EffortPlan = parse(text, "scenario.toml", EffortPlan)
        sections = _OF_EFFORT
    else:
        then = Scenario.model_validate_json(json.dumps(record.scenario))
        yield from _trace(evidence, record)
        sections = _OF_A_RUN
    mine, theirs = (
        dict(_flat(one.model_dump(mode="json"), sections)) for one in (then, evidence.section)
    )
    for key in dict.fromkeys((*mine, *theirs)):
        if key in _TIMES and mine[key] >= theirs[key]:
            continue
        if mine.get(key) != theirs.get(key):
            yield f"{key} was {_short(mine.get(key))}, is {_short(theirs.get(key))}"


def _trace(evidence: Evidence, record: RunRecord) -> Iterator[str]:
    """A replayed trace, by what is in it."""
    if not isinstance(evidence.section, Scenario) or evidence.section.load.trace is None:
        return
    now = sha256(Path(evidence.section.load.trace).read_bytes()).hexdigest()
    then = [digest for name, digest in record.digests.items() if name.startswith("trace.")]
    if then != [now]:
        yield "load.trace is another file"


def _flat(document: Mapping[str, Any], sections: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """``section.key`` -> value, of the sections that matter."""
    for section in sections:
        value = document[section]
        if isinstance(value, Mapping):
            yield from (
                (f"{section}.{key}", one) for key, one in value.items() if key not in _MERELY
            )
        else:
            yield section, value


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - a line's worth
