"""Deployment effort in tables: what the run knows, and what was measured of it beside the run."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from reports.deployment import Deployed
from reports.deployment_beside import Beside
from reports.effort import tables as effort_tables
from reports.results import Results
from reports.tables import Shown, Table, shown, swatch
from reports.wording import DASH, inside


def deployed(results: Results, every: Sequence[Deployed]) -> Table | None:
    """A row a SUT: what runs, how soon it is ready, and what it holds."""
    rows = [
        [
            Shown(one.sut, swatch=swatch(results, one.sut)),
            Shown(str(len(one.components)), _named(one.components)),
            _count(one.processes),
            _count(one.threads),
            _hops(one.over_hops),
            shown(one.start_up_s, "s"),
            shown(one.idle_cores, "cores"),
            shown(one.pss_peak_mb, "MB"),
        ]
        for one in every
    ]
    head = [
        Shown("SUT"),
        Shown("Components", "started and watched"),
        Shown("Processes", "most under load"),
        Shown("Threads", "most under load"),
        Shown("Stages over a hop"),
        Shown("Start-up", "s \N{DOWNWARDS ARROW}"),
        Shown("Idle draw", "cores \N{DOWNWARDS ARROW}"),
        Shown("Peak PSS", "MB, any step \N{DOWNWARDS ARROW}"),
    ]
    note = (
        "Each block deploys afresh: n is deployments. Lines of wiring, settings and what growing "
        "takes are measured apart, with nox -s effort."
    )
    return Table("What each SUT is made of", head, rows, note, wide=True) if rows else None


def _named(components: Sequence[str]) -> str:
    """Those that were started by name; what a component started itself is counted."""
    below = Counter(name.partition("/")[0] for name in components if "/" in name)
    return ", ".join(
        f"{name} with {below[name]} below it" if below[name] else name
        for name in components
        if "/" not in name
    )


def _count(count: int | None) -> Shown:
    return Shown(DASH, tone="muted") if count is None else Shown(str(count))


def _hops(stages: tuple[str, ...] | None) -> Shown:
    if stages is None:
        return Shown(DASH, "not told", tone="muted")
    return Shown(str(len(stages)), ", ".join(stages))


def beside(results: Results, found: Beside | None) -> list[Table]:
    """The effort that was measured of these SUTs, its source named; nothing where none lies by."""
    if found is None:
        return []
    record = found.effort.record
    other = (
        ""
        if record.environment.fingerprint == results.record.environment.fingerprint
        else " That was another machine or environment than this run's."
    )
    source = (
        f"From {record.run_id}, measured {record.created_utc[:10]} with servebench "
        f"{record.version}.{other}"
    )
    return [
        Table(
            f"Effort measured apart: {inside(table.caption)}",
            table.head,
            [
                [replace(row[0], swatch=swatch(results, row[0].text)), *row[1:]]
                for row in table.rows
                if row[0].text in found.suts
            ],
            f"{source} {table.note}".strip(),
            table.wide,
        )
        for table in effort_tables.deployments(found.effort)
    ]
