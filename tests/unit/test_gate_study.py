"""The gate study: its series are what they say, its gate is the gate, its plants do as told."""

import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from harness.pairs.section import GateSection
from harness.scenario_file import read_scenario
from tests.gate_study import table
from tests.gate_study.blocks import Block, Evidence, Pair
from tests.gate_study.live import EQUAL_MONOLITH, EQUAL_NULL, KEPT, PLANTS, SCENARIOS, plan
from tests.gate_study.methods import methods, rank_sum_p
from tests.gate_study.ours import gate, judged_in_full
from tests.gate_study.profiles import DRIFT_S, PROFILES
from tests.gate_study.recorded import stretched
from tests.gate_study.series import BLOCK_S, evidence, machine
from tests.gate_study.simulate import interval, judged

ROOT = Path(__file__).parents[2]
SECTION = GateSection(looks=(6, 8, 10))
FILES = sorted((ROOT / SCENARIOS).glob("*.toml"))


def of(profile: str, truth: float, number: int = 0, *, other_ways: bool = False) -> Evidence:
    return evidence((7, number), PROFILES[profile], truth, other_ways=other_ways)


def means(pairs: list[Pair], key: str) -> float:
    """The candidate's over the baseline's."""
    return float(
        np.exp(np.mean([np.log(p.candidate.values[key] / p.baseline.values[key]) for p in pairs]))
    )


def test_a_truth_is_what_it_says_and_touches_nothing_else() -> None:
    pairs = [pair for number in range(8) for pair in of("S1", 1.2, number).pairs]
    assert means(pairs, "response_p95_ms") == pytest.approx(1.2, rel=0.02)
    assert means(pairs, "cpu_ms") == pytest.approx(1.2, rel=0.01)
    assert means(pairs, "pss_peak_mb") == pytest.approx(1.0, rel=0.01)
    assert means(pairs, "start_up_s") == pytest.approx(1.0, rel=0.02)


def test_one_seed_gives_one_machine_whatever_the_truth() -> None:
    same, slower = of("S4", 1.0), of("S4", 1.1)
    assert [pair.flagged for pair in same.pairs] == [pair.flagged for pair in slower.pairs]
    for a, b in zip(same.pairs, slower.pairs, strict=True):
        np.testing.assert_allclose(a.baseline.responses_ms, b.baseline.responses_ms)
        np.testing.assert_allclose(a.candidate.responses_ms * 1.1, b.candidate.responses_ms)


def test_a_machine_drifts_slowly_and_forgets() -> None:
    draw, profile = np.random.default_rng(5), PROFILES["S5"]
    speeds = np.array([machine(draw, profile, 24).speed for _ in range(600)])
    beside, apart = (np.std(speeds[:, gap] - speeds[:, 0]) for gap in (1, 16))
    for gap, seen in ((1, beside), (16, apart)):
        kept = np.exp(-gap * BLOCK_S / DRIFT_S)
        assert seen == pytest.approx(profile.drift * np.sqrt(2 * (1 - kept)), rel=0.1)
    assert np.std(speeds) == pytest.approx(np.hypot(profile.drift, profile.day), rel=0.1)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("truth", [1.0, 1.1])
def test_the_studys_gate_says_what_the_gate_says(profile: str, truth: float) -> None:
    for number in range(3):
        pairs = of(profile, truth, number).pairs
        assert gate(pairs, SECTION) == judged_in_full(pairs, SECTION)


def test_redone_pairs_count_as_played_and_too_many_are_unfit() -> None:
    pairs = [replace(pair, flagged=False) for pair in of("S1", 1.0).pairs]
    plain = gate(pairs, SECTION)
    pairs[1] = replace(pairs[1], flagged=True)
    assert gate(pairs, SECTION).pairs == plain.pairs + 1
    flagged = [replace(pair, flagged=True) for pair in pairs]
    assert (gate(flagged, SECTION).word, gate(flagged, SECTION).pairs) == ("unfit", 4)


def test_every_method_has_its_say_and_finds_a_gross_slowdown() -> None:
    tallies = judged([of("S1", 1.5, other_ways=True)], methods(SECTION))
    assert {name: tally.said["regression"] for name, tally in tallies.items()} == dict.fromkeys(
        methods(), 1
    )


def test_this_gate_cries_wolf_seldom_where_others_often_do() -> None:
    tallies = judged([of("S4", 1.0, number) for number in range(30)])
    assert tallies["this gate"].said["regression"] <= 4
    assert tallies["Mann-Whitney, stored"].said["regression"] >= 6


def test_rank_sum_is_scipys() -> None:
    draw = np.random.default_rng(3)
    before, after = draw.exponential(1, 80).round(1), draw.exponential(1.2, 90).round(1)
    wanted = mannwhitneyu(after, before, alternative="greater", use_continuity=False).pvalue
    assert rank_sum_p(before, after) == pytest.approx(wanted, rel=0.02)


def test_an_injected_slowdown_stretches_times_and_cpu_and_costs_goodput() -> None:
    block = Block(
        {"cpu_ms": 2.0, "response_p50_ms": 30.0, "goodput_rps": 3.0, "pss_peak_mb": 9.0},
        np.array([20.0, 30.0, 45.0]),
        3,
        0,
    )
    slower = stretched(block, 1.2, 50.0)
    assert slower.values == pytest.approx(
        {"cpu_ms": 2.4, "response_p50_ms": 36.0, "goodput_rps": 2.0, "pss_peak_mb": 9.0}
    )


def test_an_interval_of_a_share_holds_it() -> None:
    low, high = interval(5, 100)
    assert low == pytest.approx(0.0215, abs=1e-3)
    assert high == pytest.approx(0.1118, abs=1e-3)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_its_scenarios_parse_and_carry_their_p95(path: Path) -> None:
    scenario = read_scenario(path)
    assert scenario.name == path.stem
    assert scenario.gate is not None
    assert scenario.gate.rate_rps is not None
    assert scenario.gate.capacity_rps is not None
    assert scenario.gate.rate_rps <= 0.65 * scenario.gate.capacity_rps
    planned = scenario.gate.rate_rps * scenario.load.steady_s
    assert planned - 3 * planned**0.5 > 200


@pytest.mark.parametrize("planned", PLANTS, ids=lambda planned: planned.name)
def test_a_planted_side_differs_from_its_baseline_in_the_plant_alone(planned: object) -> None:
    baseline, candidate = (
        read_scenario(ROOT / SCENARIOS / f"{name}.toml").model_dump(
            exclude={"name", "summary", "ensemble"}
        )
        for name in (planned.scenario, planned.plant)
    )
    assert baseline == candidate


def test_the_plan_counts_its_gates_and_begins_with_some_of_each_kind() -> None:
    gates = plan()
    assert len({gate.name for gate in gates}) == EQUAL_NULL + EQUAL_MONOLITH + len(PLANTS)
    assert EQUAL_NULL + EQUAL_MONOLITH >= 20
    assert [bool(gate.plant) for gate in gates[:6]] == [False, False, True] * 2


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "gate_study" / "planted"))
    yield importlib.import_module("planted_tags")
    sys.modules.pop("planted_tags", None)


def fake(planted: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage that only costs 2 ms of CPU a batch."""

    def stage(batch: list[object]) -> list[dict[str, bool]]:
        planted._burn(2_000_000)
        return [{"ok": True} for _ in batch]

    monkeypatch.setattr(planted.ensemble, "load_stage", lambda *_: stage)


def test_a_dearer_stage_burns_its_share_of_a_request(
    planted: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(planted, monkeypatch)
    burnt: list[int] = []
    stages = {t: planted.load_stage(planted.DEARER_STAGE, t) for t in ("plain", "dearer_20")}
    monkeypatch.setattr(planted, "_burn", lambda ns, own=planted._burn: (burnt.append(ns), own(ns)))
    for tier, share in (("plain", 0.0), ("dearer_20", 0.2)):
        burnt.clear()
        stages[tier]([{}])
        own, extra = burnt
        assert extra >= own * share * planted.REQUEST_OVER_STAGE
        assert bool(extra) == bool(share)


def test_errors_come_by_the_payload_and_never_at_first(
    planted: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planted.ensemble, "load_stage", lambda *_: lambda b: [{"ok": 1}] * len(b))
    members = [{"body": bytes([number])} for number in range(100)]

    def served() -> list[list[int]]:
        stage = planted.load_stage(planted.FAILING_STAGE, "errors")
        passes = [stage(members) for _ in range(21)]
        return [[getattr(answer, "status", 200) for answer in answers] for answers in passes]

    first, *rest = served()
    assert first == [200] * 100
    assert 0.01 < sum(answers.count(500) for answers in rest) / 2000 < 0.03
    assert served() == [first, *rest]


def test_tables_tell_what_was_kept(tmp_path: Path) -> None:
    equal = {
        "name": "a",
        "scenario": "null_service",
        "plant": "",
        "minutes": 1.0,
        "outcome": "pass",
        "pairs": 6,
        "others": {"t": "regression"},
    }
    row = {"gating": True, "word": "regression", "estimate": 1.12}
    fault = equal | {
        "name": "b",
        "plant": "leak",
        "outcome": "regression",
        "rows": {"pss_peak_mb": row},
    }
    stopped = equal | {"name": "c", "outcome": "stopped", "others": {}}
    lines = "".join(json.dumps(one) + "\n" for one in (equal, fault, stopped))
    (tmp_path / KEPT).write_text(lines)
    shown = table.document(tmp_path)
    assert "| null_service | 2 | 1 | 0 | 0 | 0 | 1 | 6.0 | 1.0 | 1 of 1 |" in shown
    assert "| leak | regression | pss_peak_mb +12.0 % | 6 | - | 1.0 | regression |" in shown
