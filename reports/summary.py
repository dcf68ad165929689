"""``summary.json``: every number of the page, for programs."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

from reports.answer import answer
from reports.capacity import Capacity
from reports.cost_tables import KINDS, Spender, at_capacity, fitting, priced, spender
from reports.deployment import Deployed, deployments
from reports.estimate import LEVEL, Estimate, Missing
from reports.metrics import METRICS, Metric
from reports.patterns.facts import PatternFacts
from reports.results import Cell, Results
from reports.saturation import state
from reports.trial_result import TrialResult

SUMMARY_VERSION = 4
"""History of the summary.

1  2026-11: first.
2  2026-11: capacities, probes, prices and costs; concurrency and why a trial ended early.
3  2026-11: a stage's wait; of each trial its graphs, quality, events, versions and choices.
4  2026-11: cores and GPU memory by component; a graph's nodes; deployments.
"""

_CLOCKLIKE = {
    "wall_ms": "ms",
    "queue_ms": "ms",
    "compute_ms": "ms",
    "wait_ms": "ms",
    "hop_ms": "ms",
}


def write_summary(path: Path, results: Results) -> None:
    """Write the summary; a half-written file is never left under this name."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(summary(results), indent=1, allow_nan=False) + "\n")
    partial.rename(path)


def summary(results: Results) -> dict[str, Any]:
    """The whole summary as JSON values; an estimate has point, low, high, n, unit, note."""
    record = results.record
    return {
        "summary_version": SUMMARY_VERSION,
        "run_id": record.run_id,
        "status": record.status,
        "level": LEVEL,
        "slo": asdict(results.slo) if results.slo else None,
        "ensemble": record.ensemble.model_dump(),
        "environment": record.environment.model_dump(),
        "answer": [asdict(sentence) for sentence in answer(results)],
        "metrics": {m.key: _metric(m) for m in METRICS},
        "ceiling": [
            {
                "batch_size": ceiling.batch_size,
                "best": ceiling.best,
                "rate_rps": _estimate(ceiling.rate_rps, "rps"),
                "cpu_ms": _estimate(ceiling.cpu_ms, "CPU-ms"),
            }
            for ceiling in results.ceilings
        ],
        "prices": results.prices.model_dump(mode="json") if results.prices else None,
        "capacities": [_capacity(results, found) for found in results.capacities],
        "cells": [_cell(results, cell) for cell in results.cells],
        "comparisons": list(_comparisons(results)),
        "deployments": [_deployed(one) for one in deployments(results)],
        "trials": [_trial(trial) for cell in results.cells for trial in cell.trials],
        "probes": [_trial(probe) for probe in results.probes],
    }


def _metric(metric: Metric) -> dict[str, str]:
    return {name: getattr(metric, name) for name in ("name", "unit", "better", "formula")}


def _estimate(estimate: Estimate, unit: str) -> dict[str, Any]:
    return {**asdict(estimate), "unit": unit}


def _cell(results: Results, cell: Cell) -> dict[str, Any]:
    return {
        "sut": cell.sut.key,
        "step": cell.step.index,
        "asked": cell.step.asked,
        "offered_rps": cell.step.offered_rps if cell.step.concurrency is None else None,
        "concurrency": cell.step.concurrency,
        "state": state(results, cell),
        "recorded": len(cell.trials),
        "trusted": len(cell.trusted),
        "estimates": {m.key: _estimate(cell.estimates[m.key], m.unit) for m in METRICS},
        "stages": [
            {"stage": stage.stage, "batch_size": _estimate(stage.batch_size, "requests")}
            | {name: _estimate(getattr(stage, name), unit) for name, unit in _CLOCKLIKE.items()}
            for stage in cell.stages
        ],
        "cpu_ms": {name: _estimate(e, "CPU-ms") for name, e in cell.cpu_ms.items()},
        "cores": {name: _estimate(e, "cores") for name, e in cell.cores.items()},
        "pss_mb": {name: _estimate(e, "MB") for name, e in cell.pss_mb.items()},
        "gpu_mb": {name: _estimate(e, "MB") for name, e in cell.gpu_mb.items()},
        "usd_per_million": _costs(results, spender(cell.sut.key, cell.trusted)),
    }


def _capacity(results: Results, found: Capacity) -> dict[str, Any]:
    return {
        "sut": found.sut.key,
        "rps": _estimate(found.rps, "rps"),
        "efficiency": _estimate(found.efficiency, "share"),
        "estimates": {m.key: _estimate(found.estimates[m.key], m.unit) for m in METRICS},
        "usd_per_million": _costs(results, at_capacity(found)),
        "searches": [block.record.model_dump() for block in found.blocks],
    }


def _deployed(one: Deployed) -> dict[str, Any]:
    return {
        "sut": one.sut,
        "components": one.components,
        "over_hops": one.over_hops,
        "processes": one.processes,
        "threads": one.threads,
        "start_up_s": _estimate(one.start_up_s, "s"),
        "idle_cores": _estimate(one.idle_cores, "cores"),
        "pss_peak_mb": _estimate(one.pss_peak_mb, "MB"),
    }


def _costs(results: Results, spent: Spender) -> dict[str, Any]:
    """By every price row that prices a machine as the run's was."""
    if results.prices is None:
        return {}
    return {
        name: {
            kind: _estimate(estimate, "USD per million")
            for kind, estimate in zip(KINDS, priced(results.prices.price[name], spent), strict=True)
        }
        for name in fitting(results.prices, [spent])
    }


def _comparisons(results: Results) -> Iterator[dict[str, Any]]:
    for step in results.record.steps:
        for this, other in combinations(results.at(step.index), 2):
            for metric in METRICS:
                if metric.better == "none":
                    continue
                found = results.comparison(this, other, metric.key)
                yield {
                    "step": step.index,
                    "metric": metric.key,
                    "this": this.sut.key,
                    "other": other.sut.key,
                    "ratio": _estimate(found.ratio, "ratio"),
                    "word": found.word,
                }


def _trial(trial: TrialResult) -> dict[str, Any]:
    record = trial.record
    return {
        **record.place.model_dump(),
        "outcome": record.outcome,
        "error": record.error,
        "ended_early": record.ended_early,
        "valid": record.valid,
        "reasons": [reason.model_dump() for reason in record.reasons],
        "values": {
            key: None if isinstance(value, Missing) else value
            for key, value in trial.values.items()
        },
        "missing": {
            key: value.why for key, value in trial.values.items() if isinstance(value, Missing)
        },
        "patterns": _patterns(trial.patterns),
    }


def _patterns(facts: PatternFacts) -> dict[str, Any]:
    """A figure that is missing says why."""
    return {
        "graphs": {name: asdict(found) for name, found in facts.timings.items()},
        "quality": facts.quality,
        "scored": facts.scored,
        "events": [
            {
                **one.event.model_dump(),
                "at_s": one.at_s,
                "took_s": one.took_s,
                "seen": asdict(one.during),
            }
            for one in facts.events
        ],
        "no_event": asdict(facts.otherwise) if facts.otherwise else None,
        "segments": [asdict(one) for one in facts.segments],
        "versions": [asdict(one) for one in facts.spreads],
        "courses": [asdict(one) for one in facts.courses],
        "regrets": [asdict(one) for one in facts.regrets],
        "choices": [asdict(one) for one in facts.choices],
    }
