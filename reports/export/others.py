"""What is exported of an effort record and of a gate's verdict."""

from collections.abc import Iterator
from pathlib import Path

from harness.effort.record import EffortRow
from reports.effort.found import FIGURES, Found
from reports.estimate import LEVEL
from reports.export.run_sheets import sut_columns
from reports.export.sheet import (
    ESTIMATE,
    FLOAT,
    TEXT,
    WHOLE,
    YES,
    ExportError,
    Row,
    Sheet,
    schema,
    sheet,
)
from reports.gate.verdict import VERDICT_FILE, Verdict

_NAMED = {"run_id": TEXT, "scenario": TEXT}
_SUT = {"sut": TEXT, "architecture": TEXT, "variant": TEXT}
_COUNTED = ("repeat", "models", "processes", "ports", "pss_bytes", "settings")
_MEASURED = ("start_up_s", "stop_s", "hops", "moved_bytes", "response_s", "change_s")

EFFORT_ESTIMATES = schema(**_NAMED, **_SUT, deployment=TEXT, axis=TEXT, metric=TEXT, **ESTIMATE)
DEPLOYMENTS = schema(
    **_NAMED, **_SUT, deployment=TEXT, axis=TEXT, code_lines=WHOLE,
    **dict.fromkeys(_COUNTED, WHOLE), **dict.fromkeys(_MEASURED, FLOAT), error=TEXT,
)  # fmt: skip
RULINGS = schema(
    run_id=TEXT, scenario=TEXT, kind=TEXT, outcome=TEXT, baseline=TEXT, candidate=TEXT,
    baseline_sut=TEXT, candidate_sut=TEXT, rate_rps=FLOAT, metric=TEXT, unit=TEXT, better=TEXT,
    effect=TEXT, gating=YES, margin=FLOAT, point=FLOAT, low=FLOAT, high=FLOAT, n=WHOLE,
    one_sided_level=FLOAT, p=FLOAT, spread=FLOAT, detectable=FLOAT, word=TEXT, says=TEXT,
)  # fmt: skip
PAIRS = schema(
    run_id=TEXT, scenario=TEXT, block=WHOLE, first=TEXT, metric=TEXT, unit=TEXT, baseline=FLOAT,
    candidate=FLOAT,
)  # fmt: skip


def effort_estimates(found: Found) -> Sheet:
    """A row a SUT, deployment and figure: the mean over its repeats, which ``n`` counts."""
    return sheet(EFFORT_ESTIMATES, lambda: _effort(found))


def deployments(found: Found) -> Sheet:
    """A row a deployment and repeat, as measured, those that failed too."""
    return sheet(DEPLOYMENTS, lambda: _deployments(found))


def rulings(verdict: Verdict) -> Sheet:
    """A row a metric. Above 1 (of a difference: above 0) the candidate is worse."""
    return sheet(RULINGS, lambda: _rulings(verdict))


def pairs(verdict: Verdict) -> Sheet:
    """A row a counted pair and metric: its value on both sides."""
    return sheet(PAIRS, lambda: _pairs(verdict))


def read_verdict(folder: Path) -> Verdict:
    """What a gate found.

    Raises:
        ExportError: there is none that can be read.
    """
    try:
        return Verdict.model_validate_json((folder / VERDICT_FILE).read_bytes())
    except (OSError, ValueError) as error:
        raise ExportError(
            f"{folder} has no verdict that can be read; `python -m reports {folder}` makes one"
        ) from error


def _of(found: Found, sut: str, deployment: str) -> Row:
    record = found.record
    return {
        "run_id": record.run_id,
        "scenario": record.name,
        **sut_columns(sut),
        "deployment": deployment,
        "axis": record.axis,
    }


def _effort(found: Found) -> Iterator[Row]:
    record = found.record
    for sut in record.suts:
        for deployment in record.deployments:
            for figure in FIGURES:
                estimate = found.figure(sut, deployment, figure)
                if estimate is None:
                    continue
                yield {
                    **_of(found, sut, deployment),
                    "metric": figure.key,
                    "unit": figure.unit,
                    **{name: getattr(estimate, name) for name in ("point", "low", "high", "n")},
                    "level": LEVEL,
                    "note": estimate.note,
                }


def _deployments(found: Found) -> Iterator[Row]:
    lines = found.record.code_lines
    for row in found.record.rows:
        yield {
            **_of(found, row.sut, row.deployment),
            "code_lines": lines.get(row.sut),
            "error": row.error,
            **{name: _measured(row, name) for name in (*_COUNTED, *_MEASURED)},
        }


def _measured(row: EffortRow, name: str) -> float | int | None:
    """A field; of a deployment that failed, nothing but which repeat it was."""
    return getattr(row, name) if row.error is None or name == "repeat" else None


def _rulings(verdict: Verdict) -> Iterator[Row]:
    baseline, candidate = verdict.sides
    for row in verdict.rows:
        yield {
            "run_id": verdict.gate_id,
            "scenario": verdict.name,
            "kind": verdict.kind,
            "outcome": verdict.outcome,
            "baseline": baseline.label,
            "candidate": candidate.label,
            "baseline_sut": baseline.sut,
            "candidate_sut": candidate.sut,
            "rate_rps": verdict.rate_rps,
            "metric": row.key,
            "effect": row.kind,
            "point": row.estimate,
            "one_sided_level": verdict.nominal,
            **{
                name: getattr(row, name)
                for name in (
                    "unit", "better", "gating", "margin", "low", "high", "n", "p", "spread",
                    "detectable", "word", "says",
                )
            },
        }  # fmt: skip


def _pairs(verdict: Verdict) -> Iterator[Row]:
    first = {pair.block: pair.first for pair in verdict.pairs}
    for row in verdict.rows:
        for pair in row.pairs:
            yield {
                "run_id": verdict.gate_id,
                "scenario": verdict.name,
                "block": pair.block,
                "first": first.get(pair.block),
                "metric": row.key,
                "unit": row.unit,
                "baseline": pair.baseline,
                "candidate": pair.candidate,
            }
