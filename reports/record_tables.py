"""Tables of what was recorded rather than estimated: trials, checks, machine, definitions."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from harness.record import Probe, RunRecord, TrialPlace, TrialRecord
from reports.capacity_tables import verdict
from reports.estimate import Missing
from reports.metrics import BY_KEY, METRICS
from reports.results import Results
from reports.tables import Shown, Table, column, placed, spoken_of
from reports.trial_result import TrialResult
from reports.wording import DASH, number, plain

_SEEN = ("throughput_rps", "response_p50_ms", "error_share")


def validity(results: Results) -> Table:
    """Every trial in the order it was run, probes too, with every reason to doubt it."""
    measured = {trial.record.place: trial for cell in results.cells for trial in cell.trials}
    asked = {step.index: placed(step) for step in results.record.steps}
    rows = [
        (place, asked[place.step], _trial(measured.get(place)))
        for place in results.record.schedule
        if place.probe is None
    ]
    judged = {probe.place: probe for search in results.run.searches for probe in search.probes}
    for probe in results.probes:
        place = probe.record.place
        rows.append((place, _probed(probe), _trial(probe, judged.get(place))))
    rows.sort(key=lambda row: row[0].order)
    texts = ("SUT", "Step", "Verdict", "Why, and what to do")
    names = [Shown("#"), Shown("Block"), *(Shown(name, tone="text") for name in texts)]
    seen = (column(BY_KEY[key]) for key in _SEEN)
    note = "Trials that are not trusted are shown here and drawn dotted; no estimate rests on them."
    if results.probes:
        note += (
            " Probes belong to a capacity search, which judges them itself: it looks for the rate "
            "at which trust and objective give out."
        )
    shown = [
        [
            Shown(str(number + 1)),
            Shown(str(place.block)),
            Shown(place.sut, tone="text"),
            step,
            *found,
        ]
        for number, (place, step, found) in enumerate(rows)
    ]
    return Table("Every trial, in the order it was run", [*names, *seen], shown, note, wide=True)


def _probed(probe: TrialResult) -> Shown:
    record = probe.record
    return Shown(f"probe {record.place.probe}, {number(record.offered_rps)} rps", tone="text")


def _trial(trial: TrialResult | None, probe: Probe | None = None) -> list[Shown]:
    if trial is None:
        return [Shown("not run", tone="muted"), *[Shown("")] * (len(_SEEN) + 1)]
    seen = [_value(trial.values.get(key), BY_KEY[key].unit) for key in _SEEN]
    found = _verdict(trial.record) if probe is None else verdict(probe)
    return [found, _reasons(trial.record), *seen]


def _verdict(record: TrialRecord) -> Shown:
    link = record.place.directory
    if record.outcome == "failed":
        return Shown("failed", tone="bad", link=link)
    if record.valid:
        return Shown("trusted", tone="good", link=link)
    return Shown("not trusted", tone="bad", link=link)


def _reasons(record: TrialRecord) -> Shown:
    said = [
        (r.code, f"{r.seen}; fine would be {r.threshold}. To do: {r.remedy}.")
        for r in record.reasons
    ]
    if record.ended_early:
        said.insert(0, ("ended early", f"{record.ended_early}."))
    if record.error:
        said.insert(0, ("error", record.error))
    return Shown("", tone="text", items=said)


def _value(value: float | Missing | None, unit: str) -> Shown:
    if value is None or isinstance(value, Missing):
        return Shown(DASH, value.why if value else "", tone="muted")
    return Shown(plain(value, unit))


def trial_values(results: Results) -> Table | None:
    """Every metric of every trial that was played, trusted or not: what estimates are made of."""
    every = [*(trial for cell in results.cells for trial in cell.trials), *results.probes]
    trials = sorted((t for t in every if t.values), key=lambda trial: trial.record.place.order)
    metrics = spoken_of(results)
    rows = [
        [
            Shown(_place(trial.record.place)),
            _verdict(trial.record),
            *(_value(trial.values[metric.key], metric.unit) for metric in metrics),
        ]
        for trial in trials
    ]
    head = [Shown("Trial"), Shown("Verdict"), *(column(metric) for metric in metrics)]
    return Table("Every trial's figures", head, rows, wide=True) if rows else None


def accuracy(results: Results) -> Table:
    """Answers compared with the in-process reference, over all trials of a SUT."""
    rows = []
    for sut in results.record.suts:
        trials = (*results.run.trials, *results.run.probes)
        found = [t.verification for t in trials if t.place.sut == sut.key]
        checks = [check for check in found if check is not None]
        wrong = sum(c.before_different + c.under_load_different for c in checks)
        first = next((c.first_difference for c in checks if c.first_difference), "")
        rows.append(
            [
                Shown(sut.key, "" if sut.answers else "runs no model: nothing to compare"),
                Shown(str(sum(c.before for c in checks))),
                Shown(str(sum(c.before_different for c in checks))),
                Shown(str(sum(c.under_load for c in checks))),
                Shown(str(sum(c.under_load_different for c in checks))),
                Shown("", first, tone="bad") if wrong else Shown("none"),
            ]
        )
    names = ("SUT", "Before load", "different", "Under load", "different", "First difference")
    return Table("Answers checked against the reference", [*map(Shown, names)], rows)


def conditions(results: Results) -> Table | None:
    """What the load generator and the machine were doing in each trial."""
    trials = sorted((*results.run.trials, *results.run.probes), key=lambda t: t.place.order)
    generator = _keys(trial.generator for trial in trials)
    pressure = _keys(trial.pressure for trial in trials)
    rows = [
        [
            Shown(_place(trial.place)),
            *(_reading(trial.generator.get(key)) for key in generator),
            *(_reading(trial.pressure.get(key)) for key in pressure),
        ]
        for trial in trials
    ]
    head = [Shown("Trial"), *(Shown(key, "generator") for key in generator)]
    head += [Shown(key, "host") for key in pressure]
    return Table("Generator and host", head, rows, wide=True) if rows else None


def _keys(readings: Iterable[Mapping[str, float]]) -> list[str]:
    return list(dict.fromkeys(key for reading in readings for key in reading))


def _place(place: TrialPlace) -> str:
    part = f"step {place.step}" if place.probe is None else f"probe {place.probe}"
    return f"{place.sut}, block {place.block}, {part}"


def _reading(value: float | None) -> Shown:
    return Shown(DASH, tone="muted") if value is None else Shown(number(value))


def definitions() -> Table:
    """Every metric's formula."""
    rows = [
        [
            Shown(metric.name),
            Shown("" if metric.unit == "share" else metric.unit),
            Shown("" if metric.better == "none" else metric.better),
            Shown(metric.formula, tone="text"),
            Shown("geometric" if metric.scale == "log" else "arithmetic"),
        ]
        for metric in METRICS
    ]
    formula = Shown("Formula, per trial", tone="text")
    head = [Shown("Metric"), Shown("Unit"), Shown("Better"), formula, Shown("Mean over blocks")]
    return Table("What each figure means", head, rows)


def environment(results: Results) -> list[Table]:
    """The machine's fingerprint, what else describes it, the ensemble, and the scenario."""
    record = results.record
    ensemble = record.ensemble
    models = {f"model of {stage}": name for stage, name in ensemble.models.items()}
    who = ensemble.model_dump(exclude={"models"})
    return [
        _pairs("Fingerprint: must agree between compared runs", record.environment.fingerprint),
        _pairs("Description", {**record.environment.description, **_resumed(record)}),
        _pairs("Ensemble", {**who, **models}),
        _pairs("Scenario", dict(_flat(record.scenario))),
        _pairs("SUTs", {sut.key: sut.summary for sut in record.suts}),
    ]


def _resumed(record: RunRecord) -> dict[str, str]:
    """When a run was ended and taken up again: its blocks may lie far apart."""
    return {"resumed": ", ".join(record.resumed)} if record.resumed else {}


def _flat(scenario: Mapping[str, Any], above: str = "") -> Iterable[tuple[str, str]]:
    for key, value in scenario.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value if isinstance(value, str) else json.dumps(value)


def _pairs(caption: str, values: Mapping[str, object]) -> Table:
    rows = [[Shown(str(key)), Shown(str(value), tone="text")] for key, value in values.items()]
    return Table(caption, [Shown("Key"), Shown("Value", tone="text")], rows)
