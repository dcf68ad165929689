"""Tables of capacity searches: what was found, block by block, and every probe."""

from collections.abc import Iterator

from harness.record import Probe
from reports.capacity import BlockCapacity, Capacity
from reports.estimate import Missing
from reports.metrics import BY_KEY
from reports.results import Results
from reports.saturation import trial_state
from reports.tables import Shown, Table, Tone, column, shown, swatch
from reports.wording import DASH, number, plain

WORD_JOINER = "\N{WORD JOINER}"

_AT_CAPACITY = (
    ("goodput_rps", "Goodput"),
    ("response_p95_ms", "Response p95"),
    ("cpu_ms", "CPU per request"),
    ("usd_per_million_reserved", "Cost, reserved"),
    ("usd_per_million_used", "Cost, used"),
)


def capacity(results: Results) -> Table | None:
    """A row a SUT: its capacity, and what its confirming trials read."""
    rows = [
        [
            Shown(found.sut.key, swatch=swatch(results, found.sut.key)),
            shown(found.rps, "rps"),
            _brackets(found),
            shown(found.efficiency, "share"),
            *(shown(found.estimates[key], BY_KEY[key].unit) for key, _ in _AT_CAPACITY),
            _above(results, found),
        ]
        for found in results.capacities
    ]
    head = [
        Shown("SUT"),
        Shown("Capacity", "rps \N{UPWARDS ARROW}"),
        Shown("Brackets", "rps, a block each"),
        Shown("Share of the ceiling"),
        *(column(BY_KEY[key], name) for key, name in _AT_CAPACITY),
        Shown("Right above it", tone="text"),
    ]
    objective = f"The objective: {results.slo.words}. " if results.slo else ""
    note = (
        f"{objective}Capacity is an offered rate; all else is read from the separate trial that "
        "confirmed it. The bracket's lower end held and its upper end did not, so the capacity "
        "lies between: it is the lower end, or below it where only a lower rate held again."
    )
    return Table("Capacity of each SUT", head, rows, note, wide=True) if rows else None


def _brackets(found: Capacity) -> Shown:
    return Shown(", ".join(_bracket(block) for block in found.blocks))


def _bracket(block: BlockCapacity) -> str:
    low, high = block.bracket
    ends = ("none" if end is None else number(end) for end in (low, high))
    return f"{WORD_JOINER}{DASH}{WORD_JOINER}".join(ends)


def _above(results: Results, found: Capacity) -> Shown:
    """What gives out above the capacity: the rate is not followed, or only the SLO is missed.

    The rule may refuse a rate whose share of misses, by itself, would have kept the SLO.
    """
    words = []
    for block in found.blocks:
        if block.record.cliff:
            words.append("collapses")
        elif block.above is not None and block.above.values:
            found_state = trial_state(block.above.values, results.slo)
            words.append("not granted" if found_state == "held" else found_state)
    return Shown(", ".join(dict.fromkeys(words)) or DASH, tone="text")


def searches(results: Results) -> Table | None:
    """A row a search: what each block found, and why it ended."""
    rows = [
        [
            Shown(found.sut.key),
            Shown(str(block.record.block)),
            _value(block),
            Shown(_bracket(block)),
            Shown(str(len(block.record.probes))),
            Shown(block.record.end, tone="text"),
        ]
        for found in results.capacities
        for block in found.blocks
    ]
    names = ("SUT", "Block", "Capacity", "Bracket", "Probes")
    head = [*map(Shown, names), Shown("Why it ended", tone="text")]
    return Table("Every search", head, rows, wide=True) if rows else None


def _value(block: BlockCapacity) -> Shown:
    if isinstance(block.rps, Missing):
        return Shown(DASH, tone="muted")
    return Shown(plain(block.rps, "rps"))


def probes(results: Results) -> Table | None:
    """A row a probe, in the order they were played."""
    rows = [
        [
            Shown(f"{found.sut.key}, block {block.record.block}"),
            Shown(str(probe.place.probe), link=probe.place.directory),
            Shown(probe.role, tone="text"),
            Shown(number(probe.offered_rps)),
            verdict(probe),
            *_counts(probe),
            Shown(probe.why, tone="text"),
        ]
        for found in results.capacities
        for block in found.blocks
        for probe in block.record.probes
    ]
    head = [
        Shown("Search"),
        Shown("Probe"),
        Shown("Asked for by", tone="text"),
        Shown("Offered", "rps"),
        Shown("Verdict", tone="text"),
        Shown("Requests"),
        Shown("Missed"),
        Shown("Failed"),
        Shown("Why", tone="text"),
    ]
    return Table("Every probe", head, rows, wide=True) if rows else None


_TONES: dict[str, Tone] = {"holds": "good", "fails": "bad", "undecided": "doubt"}


def verdict(probe: Probe) -> Shown:
    """A probe's verdict."""
    return Shown(probe.verdict, tone=_TONES[probe.verdict], link=probe.place.directory)


def _counts(probe: Probe) -> Iterator[Shown]:
    for count in (probe.planned, probe.missed, probe.failed):
        yield Shown(f"{count:,}")
