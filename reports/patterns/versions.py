"""How new versions reached a SUT's replicas.

Replicas say it themselves where they can: an answer carries when its version was published and
when the replica took it (``published_ns``, ``adopted_ns``), or an admin action tells the swaps it
knows of. Otherwise the first answer of a version stands for its arrival, late by up to the time
between a replica's answers.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import pandas as pd

from harness.record import PlayedEvent


@dataclass(frozen=True, slots=True)
class Adoption:
    """One replica taking one version; clock readings are CLOCK_MONOTONIC."""

    of: str
    version: str
    replica: str
    published_ns: int | None
    serving_ns: int


@dataclass(frozen=True, slots=True)
class Spread:
    """All versions after the first of one graph or slot, in one trial.

    Attributes:
        of: the graph whose answers say a version, or the slot that an admin action tells of.
        versions: that arrived.
        replicas: that took one.
        first_s / last_s: medians over versions, from the publication, or where that is unknown from
            the first arrival, to the first and to the last replica that ever took it.
        worst_s: the longest time to the last replica.
        mixed_s: the longest time in which answers of a version and of one before it came mixed.
        late_answers: of an earlier version, received after the first answer of a later one.
        published: whether every publication is known.
    """

    of: str
    versions: int
    replicas: int
    first_s: float
    last_s: float
    worst_s: float
    mixed_s: float
    late_answers: int
    published: bool


def spreads(answers: pd.DataFrame, events: Iterable[PlayedEvent]) -> list[Spread]:
    """Each graph's and each slot's versions.

    Args:
        answers: as ``reports.patterns.answers`` reads them.
        events: of the trial.
    """
    played = list(events)
    told = _published(played)
    said = answers[answers["version"].notna()]
    found: list[Spread | None] = []
    # A canary mixes slots on purpose: versions follow each other within one.
    slots = said["graph"] + (" " + said["slot"].astype("str")).where(said["slot"].notna(), "")
    for of, rows in said.groupby(slots, sort=False):
        named = rows.assign(
            version=_tenures(rows),
            replica=rows["replica"].fillna("the only one").astype(str),
        )
        adopted = list(_from_answers(str(of), named, told))
        found.append(_spread(str(of), adopted, *_mixed(named)))
    swaps = list(_from_swaps(played))
    told_of = dict.fromkeys(one.of for one in swaps)
    found += [_spread(of, [one for one in swaps if one.of == of], 0.0, 0) for of in told_of]
    return [one for one in found if one is not None]


def _tenures(rows: pd.DataFrame) -> "pd.Series[str]":
    """Version and publication: one that was rolled back and comes again is another tenure."""
    published = [_whole(value) for value in rows["published_ns"]]
    marks = ["" if at_ns is None else f" {at_ns}" for at_ns in published]
    return rows["version"].astype(str) + pd.Series(marks, rows.index, dtype=str)


def _published(events: Iterable[PlayedEvent]) -> dict[str, int]:
    """Version -> when an action's answer said that it had been published."""
    return {
        str(event.answer["version"]): event.received_ns
        for event in events
        if event.received_ns is not None
        and isinstance(event.answer, dict)
        and "version" in event.answer
    }


def _from_answers(graph: str, rows: pd.DataFrame, told: Mapping[str, int]) -> Iterator[Adoption]:
    """The first version is what the trial began with: nobody waited for it."""
    order = list(dict.fromkeys(rows["version"]))
    later = rows[rows["version"].isin(order[1:])]
    tell = rows["adopted_ns"].notna().any()
    for (version, replica), mine in later.groupby(["version", "replica"], sort=False):
        first = mine.iloc[0]
        if tell and _whole(first["adopted_ns"]) is None:
            continue  # this replica began with it, at its first request
        published = _whole(first["published_ns"])
        yield Adoption(
            graph,
            str(version),
            str(replica),
            told.get(str(version).partition(" ")[0]) if published is None else published,
            _whole(first["adopted_ns"]) or int(first["received_ns"]),
        )


def _whole(value: Any) -> int | None:
    return None if value is None or pd.isna(value) else int(value)


def _from_swaps(events: Iterable[PlayedEvent]) -> Iterator[Adoption]:
    """What the last action that tells swaps knew of."""
    telling = [
        event.answer["swaps"]
        for event in events
        if isinstance(event.answer, dict) and isinstance(event.answer.get("swaps"), list)
    ]
    for swap in telling[-1] if telling else ():
        if "serving_ns" in swap:
            yield Adoption(
                f"slot {swap['slot']}",
                str(swap["version"]),
                str(swap["replica"]),
                int(swap["published_ns"]),
                int(swap["serving_ns"]),
            )


def _mixed(rows: pd.DataFrame) -> tuple[float, int]:
    """The longest mixture of versions, and how many answers were late."""
    order = list(dict.fromkeys(rows["version"]))
    longest, late = 0.0, 0
    for place, version in enumerate(order[1:], 1):
        at_ns = int(rows[rows["version"] == version]["received_ns"].min())
        earlier = rows["version"].isin(order[:place]) & (rows["received_ns"] > at_ns)
        if earlier.any():
            late += int(earlier.sum())
            longest = max(longest, (int(rows[earlier]["received_ns"].max()) - at_ns) / 1e9)
    return longest, late


def _spread(of: str, adopted: list[Adoption], mixed_s: float, late: int) -> Spread | None:
    if not adopted:
        return None
    firsts, lasts = [], []
    for version in dict.fromkeys(one.version for one in adopted):
        mine = [one for one in adopted if one.version == version]
        known = [one.published_ns for one in mine if one.published_ns is not None]
        begun_ns = min(known) if known else min(one.serving_ns for one in mine)
        firsts.append((min(one.serving_ns for one in mine) - begun_ns) / 1e9)
        lasts.append((max(one.serving_ns for one in mine) - begun_ns) / 1e9)
    return Spread(
        of,
        len(firsts),
        len({one.replica for one in adopted}),
        median(firsts),
        median(lasts),
        max(lasts),
        mixed_s,
        late,
        all(one.published_ns is not None for one in adopted),
    )
