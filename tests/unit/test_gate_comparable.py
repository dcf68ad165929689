"""Two sides are refused where they answer different questions, and explained where they may."""

import re
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from harness.record import RunRecord
from reports.gate.comparable import agreed, differs, notes, refusals
from workloads.plan import LoadPlan, read_plan, write_plan

RECORDED = Path(__file__).parents[1] / "golden" / "record" / "version-3"
RUN = RunRecord.read(RECORDED)
PLAN = "plans/b00-s00.parquet"


def changed(**fields: Any) -> RunRecord:
    return RUN.model_copy(update=fields)


def elsewhere(**entries: str) -> RunRecord:
    fingerprint = RUN.environment.fingerprint | entries
    environment = RUN.environment.model_copy(update={"fingerprint": fingerprint})
    return changed(environment=environment)


def asked(section: str, **entries: Any) -> RunRecord:
    return changed(scenario=RUN.scenario | {section: RUN.scenario[section] | entries})


def by(version: str, revision: str) -> RunRecord:
    description = RUN.environment.description | {"revision": revision}
    environment = RUN.environment.model_copy(update={"description": description})
    return changed(version=version, environment=environment)


def test_a_run_may_be_compared_with_its_equal_and_there_is_nothing_to_say() -> None:
    assert refusals(RUN, RUN) == ()
    assert notes(RUN, RUN) == ()
    assert agreed(RUN, RUN) == RUN.environment.fingerprint
    assert differs(RUN, RUN) == {}


@pytest.mark.parametrize(
    ("candidate", "says"),
    [
        (elsewhere(cpu_model="Another"), "cpu_model is 'AMD EPYC' of the baseline and 'Another'"),
        (elsewhere(sut_cores="2"), "sut_cores is '1'"),
        (elsewhere(sut_memory_bytes="1"), "sut_memory_bytes"),
        (elsewhere(cgroup_limits="cpu 100000"), "cgroup_limits"),
        (changed(steps=(RUN.steps[0].model_copy(update={"offered_rps": 41.0}),)), "40 rps and 41"),
        (changed(digests=RUN.digests | {"payloads.parquet": "0" * 64}), "payloads.parquet differs"),
        (changed(digests=RUN.digests | {PLAN: "0" * 64}), f"{PLAN} differs"),
        (changed(digests=RUN.digests | {"payloads-x.parquet": "0"}), "only the candidate was"),
        (changed(digests={}), "no digests"),
        (changed(backends=RUN.backends | {"state": "redis"}), "the state is sqlite .* redis"),
        (asked("slo", response_time_s=0.5), "objective differs .*2,000 ms.*500 ms"),
        (changed(scenario=RUN.scenario | {"events": []}), "events"),
    ],
)
def test_another_question_is_refused(candidate: RunRecord, says: str) -> None:
    baseline = RUN.model_copy(update={"backends": RUN.backends | {"state": "sqlite"}})
    if not candidate.backends.get("state"):
        candidate = candidate.model_copy(update={"backends": baseline.backends})
    (said,) = refusals(baseline, candidate)
    assert re.search(says, said), said
    assert ":" in said  # and what to do


@pytest.mark.parametrize(
    ("candidate", "says"),
    [
        (elsewhere(weights_digest="f" * 64), "the weights differ (25dc46a98e and ffffffffff)"),
        (elsewhere(torch="3.0", uvloop="1.0"), "torch (2.13.0+cpu and 3.0), uvloop (0.23.0 and"),
        (elsewhere(python="CPython 3.13.0"), "python (CPython 3.11.7 and CPython 3.13.0)"),
        (by("0.2.0", "c" * 40), "and 0.2.0 (cccccccccc): a change of the instrument"),
        (asked("policy", max_batch=8), "policy.max_batch (16 and 8)"),
        (asked("ensemble", tier="other"), "ensemble.tier (plain and other)"),
        (changed(backends={"state": "sqlite"}), "older than that"),
    ],
)
def test_what_may_be_compared_is_said_to_differ(candidate: RunRecord, says: str) -> None:
    baseline = changed(backends={}) if "older" in says else RUN
    assert refusals(baseline, candidate) == ()
    (said,) = notes(baseline, candidate)
    assert says in said


def test_two_checkouts_of_one_ensemble_are_no_difference() -> None:
    assert notes(RUN, asked("ensemble", search_path=["/elsewhere/second_ensemble"])) == ()


def test_the_fingerprint_is_parted_into_what_agrees_and_what_does_not() -> None:
    candidate = elsewhere(torch="3.0", new_library="1.0")
    apart = {"torch": ("2.13.0+cpu", "3.0"), "new_library": ("not recorded", "1.0")}
    assert differs(RUN, candidate) == apart
    assert agreed(RUN, candidate).keys() == RUN.environment.fingerprint.keys() - {"torch"}


def copies(folder: Path) -> tuple[Path, Path]:
    found = folder / "baseline", folder / "candidate"
    for copy in found:
        shutil.copytree(RECORDED, copy, ignore=shutil.ignore_patterns("trials"))
    return found


def digested(folder: Path) -> RunRecord:
    new = {name: sha256((folder / name).read_bytes()).hexdigest() for name in RUN.digests}
    return changed(digests=new)


def test_the_same_load_written_as_other_bytes_is_the_same_load(tmp_path: Path) -> None:
    here, there = copies(tmp_path)
    for name in (PLAN, "payloads.parquet"):
        pq.write_table(pq.read_table(there / name), there / name, compression="snappy")
    baseline, candidate = digested(here), digested(there)
    assert len(refusals(baseline, candidate)) == 2
    assert refusals(baseline, candidate, (here, there)) == ()


def test_another_load_is_found_in_its_rows(tmp_path: Path) -> None:
    here, there = copies(tmp_path)
    plan = read_plan(there / PLAN)
    payloads = np.roll(plan.payloads, 1)
    write_plan(there / PLAN, LoadPlan(plan.header, plan.offsets_ns, payloads, plan.graphs))
    (said,) = refusals(digested(here), digested(there), (here, there))
    assert said.startswith(f"{PLAN} differs")


def test_a_plan_that_is_gone_is_not_taken_for_the_same(tmp_path: Path) -> None:
    here, there = copies(tmp_path)
    candidate = changed(digests=RUN.digests | {PLAN: "0" * 64})
    (there / PLAN).unlink()
    assert len(refusals(RUN, candidate, (here, there))) == 1
