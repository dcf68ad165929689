"""Real gates, one after the other: equal sides, and sides with a planted fault.

Each is a subprocess, as people run it. What it said is kept in a line of JSON as it ends, with what
other methods would have said of the very same blocks. Gates that came to an outcome are not played
again.
Equal and planted ones alternate, so that a study stopped halfway still shows both.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from reports.frames import NotARun
from reports.gate.verdict import EXIT_CODES, VERDICT_FILE, Row, Verdict
from tests.gate_study.blocks import Evidence
from tests.gate_study.methods import methods
from tests.gate_study.recorded import load

Kept: TypeAlias = dict[str, Any]

KEPT = "live.jsonl"
SCENARIOS = Path("scenarios/gate_study")
MOST_GATE_S = 600.0
STOP_S = 60.0
_OTHERS = ("+10 % of stored p95", "+10 % of p95, interleaved", "Mann-Whitney, stored",
           "Mann-Whitney, interleaved")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Planned:
    """One gate.

    Attributes:
        name: unique; a number after equal sides.
        scenario: the baseline's, by its file's stem.
        plant: the candidate's; empty where both sides are equal.
    """

    name: str
    scenario: str
    plant: str = ""

    def words(self, out: Path, seed: int) -> tuple[str, ...]:
        """The command that plays it; its A/A record stays beside the study."""
        path = SCENARIOS / f"{self.scenario}.toml"
        kind = ("gate", str(path), "--candidate", f"scenario={SCENARIOS / self.plant}.toml")
        common = ("--out", str(out / "gates"), "--machine", str(out / "machine"))
        chosen = kind if self.plant else ("aa", str(path))
        return (sys.executable, "-m", "reports", *chosen, *common, "--seed", str(seed))


PLANTS = (
    Planned("dearer_20", "monolith", "dearer_20"),
    Planned("unpooled", "pooled", "unpooled"),
    Planned("leak", "monolith", "leak"),
    Planned("dearer_10", "monolith", "dearer_10"),
    Planned("errors", "monolith", "errors"),
    Planned("dearer_05", "monolith", "dearer_05"),
)

EQUAL_NULL, EQUAL_MONOLITH = 12, 8


def plan() -> list[Planned]:
    """All gates in their order: equal, equal, planted, and again."""
    null = [Planned(f"null_service_{n + 1:02}", "null_service") for n in range(EQUAL_NULL)]
    monolith = [Planned(f"monolith_{n + 1:02}", "monolith") for n in range(EQUAL_MONOLITH)]
    ordered: list[Planned] = []
    for number in range(EQUAL_NULL):
        for kind in (null, monolith, PLANTS):
            ordered += kind[number : number + 1]
    return ordered


def run(out: Path, minutes: float, only: Sequence[str], seed: int) -> Iterator[str]:
    """Play what is not kept yet; a line a gate.

    Args:
        out: gets ``live.jsonl``, and a folder ``gates`` with every gate's own.
        minutes: no gate begins after these, and the last is stopped two later.
        only: names; all where empty.
        seed: of orders and loads; each gate has its own.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    end = time.monotonic() + minutes * 60
    out.mkdir(parents=True, exist_ok=True)
    done = {kept["name"] for kept in read(out / KEPT) if kept["outcome"] in EXIT_CODES}
    for number, planned in enumerate(plan()):
        if planned.name in done or (only and planned.name not in only):
            continue
        left = end - time.monotonic()
        if left <= 0:
            yield f"the time is over: {planned.name} and what follows is not played"
            return
        kept = _play(planned, out, seed + number, min(MOST_GATE_S, left + 120))
        with (out / KEPT).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(kept) + "\n")
        yield f"{planned.name}: {kept['outcome']}, {kept['minutes']:.1f} min: {kept['words']}"


def read(path: Path) -> list[Kept]:
    """Gates that are kept; of one that was played again, the last."""
    lines = path.read_text().splitlines() if path.is_file() else []
    return list({kept["name"]: kept for kept in map(json.loads, lines)}.values())


def _play(planned: Planned, out: Path, seed: int, limit_s: float) -> Kept:
    started = time.monotonic_ns()
    code, said = _finished(planned.words(out, seed), limit_s)
    kept: Kept = {
        "name": planned.name,
        "scenario": planned.scenario,
        "plant": planned.plant,
        "seed": seed,
        "exit_code": code,
        "minutes": (time.monotonic_ns() - started) / 6e10,
    }
    directory = Path(said.splitlines()[-1]) if said.strip() else Path()
    if not (directory / VERDICT_FILE).is_file():
        return {**kept, "outcome": "stopped" if code < 0 else "error", "words": said[-300:]}
    verdict = Verdict.model_validate_json((directory / VERDICT_FILE).read_text())
    kept |= {"directory": str(directory), **summed(verdict)}
    try:
        return {**kept, "others": _others(directory, out, kept)}
    except (NotARun, OSError) as error:  # a gate that ended before its blocks were played
        return {**kept, "others": {}, "words": f"{verdict.words} (blocks not read: {error})"}


def _finished(words: Sequence[str], limit_s: float) -> tuple[int, str]:
    """Its exit code and output; told to stop after so many seconds, and then -1."""
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as gate:
        try:
            said, _ = gate.communicate(timeout=limit_s)
        except (subprocess.TimeoutExpired, KeyboardInterrupt) as stopped:
            gate.send_signal(signal.SIGINT)
            said, _ = gate.communicate(timeout=STOP_S)
            if isinstance(stopped, KeyboardInterrupt):
                raise
            return -1, said
        return gate.returncode, said


def summed(verdict: Verdict) -> Kept:
    """What tables want of a verdict."""
    counted = [pair for pair in verdict.pairs if not pair.contaminated]
    return {
        "outcome": verdict.outcome,
        "words": verdict.words,
        "pairs": len(counted),
        "redone": len(verdict.pairs) - len(counted),
        "looks": [look.pairs for look in verdict.looks],
        "rows": {row.key: _row(row) for row in verdict.rows},
    }


def _row(row: Row) -> Kept:
    names = ("gating", "word", "margin", "estimate", "low", "high", "p", "spread", "detectable")
    return {name: getattr(row, name) for name in names}


def _others(directory: Path, out: Path, kept: Kept) -> Kept:
    """Other methods on the same blocks, disturbed ones too: only our gate asks for that.

    ``stored`` is the last baseline of this scenario that was kept before.
    """
    pairs = load(directory).pairs
    before = [k for k in read(out / KEPT) if k["scenario"] == kept["scenario"] and "directory" in k]
    earlier = load(Path(before[-1]["directory"])).pairs if before else ()
    stored = [pair.baseline for pair in earlier]
    evidence = Evidence(pairs, stored, ((), [pair.candidate for pair in pairs]))
    by = methods()
    words = {name: by[name](evidence) if pairs else None for name in _OTHERS}
    return {name: said and said.word for name, said in words.items()}
