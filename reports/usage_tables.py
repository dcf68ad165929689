"""Tables of what SUTs used: their components, what a request moves, and their GPUs."""

from collections.abc import Sequence

from harness.record import Step
from reports.metrics import BY_KEY, GPU
from reports.results import Results
from reports.tables import Shown, Table, column, named, offered, seen, shown
from reports.wording import inside


def components(results: Results, step: Step) -> Table | None:
    """Each component of each SUT: CPU per request and PSS when the sum was highest."""
    rows = [
        [
            Shown(cell.sut.key),
            Shown(name, tone="text"),
            shown(cell.cpu_ms.get(name), "CPU-ms"),
            shown(cell.pss_mb.get(name), "MB"),
        ]
        for cell in [*results.at(step.index), *results.at(step.index, answers=False)]
        for name in dict.fromkeys([*cell.cpu_ms, *cell.pss_mb])
    ]
    head = [
        Shown("SUT"),
        Shown("Component", tone="text"),
        Shown("CPU per request", "CPU-ms"),
        Shown("PSS at the peak", "MB"),
    ]
    return Table(f"Components, {inside(offered(step))}", head, rows) if rows else None


_MOVED = (
    ("voluntary_switches_per_request", "Waits for something"),
    ("involuntary_switches_per_request", "Pushed off a core"),
    ("read_bytes_per_request", "Read from storage"),
    ("written_bytes_per_request", "Written to storage"),
    ("sent_bytes_per_request", "Sent over TCP"),
    ("received_bytes_per_request", "Received over TCP"),
)


def moved(results: Results, step: Step) -> Table | None:
    """Context switches and bytes of each SUT, per request; absent in runs that recorded none."""
    return _rows(results, step, "Switches and bytes of a request", _MOVED)


def gpus(results: Results, step: Step) -> Table | None:
    """What the GPUs did; absent where none was read."""
    return _rows(results, step, "GPUs", [(key, BY_KEY[key].name) for key in GPU])


def _rows(results: Results, step: Step, what: str, keys: Sequence[tuple[str, str]]) -> Table | None:
    """A row a SUT, of those metrics; nothing where no trial has any of them."""
    cells = [*results.at(step.index), *results.at(step.index, answers=False)]
    trials = [trial for cell in cells for trial in cell.trials if trial.values]
    if not any(isinstance(trial.values[key], float) for trial in trials for key, _ in keys):
        return None
    rows = [[named(results, cell), *(seen(cell, BY_KEY[key]) for key, _ in keys)] for cell in cells]
    head = [Shown("SUT"), *(column(BY_KEY[key], name) for key, name in keys)]
    return Table(f"{what}, {inside(offered(step))}", head, rows, wide=True)
