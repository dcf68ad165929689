"""What somebody asks for in the web UI's form: checked, in words, and drawn into a load plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from workloads.arrivals import ARRIVALS, WorkloadError
from workloads.meant import did_you_mean
from workloads.payloads import read_labels, rows_by_label
from workloads.plan import LoadPlan, PlanHeader, build_plan

DRAWN = tuple(name for name, process in ARRIVALS.items() if not process.replays)
"""The arrival processes that need no recording."""

MOST_REQUESTS = 1_000_000
"""Of one attempt: more would hold up the page for seconds while they are drawn."""

_MOST_RPS = 1e6
_MOST_S = 86_400.0
"""A day: what plays longer is a scenario."""

_MOST_KINDS = 30
"""A field with more values, as a caption, parts payloads into no kinds."""

_MOST_WEIGHT = 1e6
_MOST_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Mix:
    """Which payloads are sent how often.

    Attributes:
        by: the field of the payloads' labels; empty where the values tell it.
        weights: a value of that field -> its weight; empty sends all alike.
    """

    by: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """One attempt as it was asked for.

    Attributes:
        header: of the plan, its mix included.
        mix_by: the label's field the mix is by; empty where the mix's values tell it.
        max_in_flight: of each load worker; an arrival beyond it is dropped.
    """

    header: PlanHeader
    mix_by: str
    max_in_flight: int


def asked(
    form: Mapping[str, Any], graphs: Sequence[str], most_in_flight: int, most_rows: int
) -> Asked:
    """Read the form's fields: text from the page, or numbers from the command line.

    Args:
        form: ``rate``, ``arrivals``, ``graph``, ``mix``, ``warm_up``, ``duration``, ``seed`` and
            ``max_in_flight``.
        graphs: those that may be chosen; empty allows any.
        most_in_flight: that a load worker can carry.
        most_rows: requests that are drawn for one attempt.

    Raises:
        WorkloadError: a value cannot be meant; says which and what to give.
    """
    mix = read_mix(str(form["mix"]))
    header = PlanHeader(
        workload=_choice(form, "arrivals", DRAWN),
        graphs=(_choice(form, "graph", graphs),),
        rate_rps=_number(form, "rate", "requests a second", most=_MOST_RPS, above=0.0),
        warm_up_s=_number(form, "warm_up", "seconds", most=_MOST_S),
        steady_s=_number(form, "duration", "seconds", most=_MOST_S, above=0.0),
        seed=_whole(form, "seed", 0, _MOST_SEED),
        mix=mix.weights,
    )
    about = header.rate_rps * (header.warm_up_s + header.steady_s)
    if about > most_rows:
        raise WorkloadError(
            f"rate = {form['rate']} for {header.warm_up_s + header.steady_s:g} s is about "
            f"{about:,.0f} requests; the web UI draws at most {most_rows:,} for one attempt: "
            "ask for less, or write a scenario"
        )
    in_flight = _whole(form, "max_in_flight", 1, most_in_flight)
    return Asked(header, mix.by, in_flight)


def read_mix(text: str) -> Mix:
    """``cat=3, dog=1``, or ``category: cat=3, dog=1``; empty text sends all payloads alike.

    Raises:
        WorkloadError: it is neither.
    """
    by, colon, pairs = text.rpartition(":")
    weights: dict[str, float] = {}
    for pair in filter(None, map(str.strip, pairs.split(","))):
        value, _, weight = (part.strip() for part in pair.rpartition("="))
        if not value or value in weights:
            raise WorkloadError(
                f"mix: {pair!r} is {'a second weight' if value else 'no weight'} of a kind of "
                "payload; write each kind once, as in cat=3, dog=1, or leave the field empty to "
                "send all alike"
            )
        weights[value] = _number({"mix": weight}, "mix", "weight", most=_MOST_WEIGHT, above=0.0)
    if colon and not (by.strip() and weights):
        raise WorkloadError(
            f"mix = {text!r} is half a mix; write category: cat=3, dog=1, or leave it empty"
        )
    return Mix(by.strip(), weights)


def draw(header: PlanHeader, payloads: Path, mix_by: str = "") -> LoadPlan:
    """Draw the plan that a header asks for, of the payloads in a file.

    Args:
        header: what to draw; a ``mix`` in it is of the payloads' labels.
        payloads: the payload file.
        mix_by: the label's field the mix is by; empty where its values tell it.

    Raises:
        OSError: there is no such file.
        WorkloadError: it cannot be drawn, or has no request.
    """
    rows: Mapping[str, Sequence[int]] = {}
    if header.mix:
        labels = read_labels(payloads)
        by = mix_by or _field_of(labels, header.mix)
        rows = rows_by_label(labels, by, header.mix)
    plan = build_plan(header, pq.read_metadata(payloads).num_rows, rows=rows)
    if not len(plan.offsets_ns):
        raise WorkloadError(
            f"rate = {header.rate_rps:g} for {plan.duration_s:g} s leaves no request to send with "
            f"seed {header.seed}; ask for a higher rate or more seconds"
        )
    return plan


def example_of_mix(labels: Sequence[Mapping[str, Any]]) -> str:
    """A mix of these payloads, to be shown as one; nothing where they have no kinds."""
    for name, values in _values(labels).items():
        if 1 < len(values) <= _MOST_KINDS:
            one, other, *_ = sorted(values)
            return f", as in {name}: {one}=3, {other}=1"
    return ""


def with_mix(header: PlanHeader, text: str) -> tuple[PlanHeader, str]:
    """A header with a mix as it is written, and the label's field it names."""
    mix = read_mix(text)
    return replace(header, mix=mix.weights), mix.by


def _field_of(labels: Sequence[Mapping[str, Any]], mix: Mapping[str, float]) -> str:
    """The one field of the labels that has every value of a mix.

    Raises:
        WorkloadError: none has, or several have.
    """
    values = _values(labels)
    found = [name for name, known in values.items() if set(mix) <= known]
    if len(found) == 1:
        return found[0]
    if found:
        raise WorkloadError(
            f"mix: {', '.join(mix)} may be of {' or '.join(found)}; say which, as in "
            f"{found[0]}: {'=1, '.join(mix)}=1"
        )
    known = sorted({value for of_field in values.values() for value in of_field})
    unknown = next((value for value in mix if value not in known), "")
    if unknown:
        raise WorkloadError(
            f"mix: no payload is labelled {unknown!r}{did_you_mean(unknown, known)}; "
            f"there are {_some(known)}"
        )
    raise WorkloadError(
        f"mix: {', '.join(mix)} are of several fields of the labels; name values of one of "
        f"{', '.join(values)}"
    )


def _values(labels: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    """The values of each field of the labels, of those that are words."""
    values: dict[str, set[str]] = {}
    for label in labels:
        for name, value in label.items():
            if isinstance(value, str):
                values.setdefault(name, set()).add(value)
    return values


def _some(known: Sequence[str]) -> str:
    shown = 20
    more = f" and {len(known) - shown} more" if len(known) > shown else ""
    return (", ".join(known[:shown]) or "no labels that are words") + more


def _choice(form: Mapping[str, Any], key: str, known: Sequence[str]) -> str:
    value = str(form[key]).strip()
    if known and value not in known:
        raise WorkloadError(
            f"{key} = {value!r} is not known{did_you_mean(value, known)}; "
            f"choose from {', '.join(known)}"
        )
    return value


def _number(
    form: Mapping[str, Any], key: str, meant: str, *, most: float, above: float | None = None
) -> float:
    try:
        value = float(str(form[key]))
    except ValueError:
        value = nan
    if not 0 <= value <= most or (above is not None and value <= above):
        least = "from 0" if above is None else f"above {above:g}"
        raise WorkloadError(
            f"{key} = {str(form[key])!r} is no number of {meant} {least} to {most:,.0f}"
        )
    return value


def _whole(form: Mapping[str, Any], key: str, least: int, most: int) -> int:
    text = str(form[key]).strip()
    # Digits alone: int() would take 1_0 and digits of other scripts too.
    if not (text.isascii() and text.isdigit()) or not least <= int(text[:20]) <= most:
        raise WorkloadError(f"{key} = {text!r} is no whole number from {least} to {most}")
    return int(text)
