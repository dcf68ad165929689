"""Who runs on which core, and what identifies a machine."""

import os

import pytest

from architectures.spec import ResourceClaim
from harness.environment import (
    Cores,
    EnvironmentTooSmallError,
    assign_cores,
    package_version,
    pinned,
    read_environment,
    read_siblings,
)
from harness.record import EnsembleRecord

ENSEMBLE = EnsembleRecord(
    module="m", name="n", tier="t", device="cpu", models={}, weights_digest="abc", meaningful=True
)


def test_the_sut_gets_the_last_cores_and_the_generator_the_others() -> None:
    cores = assign_cores(2, {0, 1, 2, 5}, lambda core: {core})
    assert (cores.sut, cores.harness) == ((2, 5), (0, 1))
    assert cores.claim(1.5) == ResourceClaim((2, 5), 3 * 2**29)


def test_two_cores_are_one_each() -> None:
    cores = assign_cores(1, {0, 1}, lambda core: {core})
    assert (cores.sut, cores.harness) == ((1,), (0,))


def test_the_generator_stays_off_the_other_thread_of_the_suts_core() -> None:
    assert assign_cores(1, set(range(8)), lambda core: {core, (core + 4) % 8}).harness == (
        0, 1, 2, 4, 5, 6,
    )  # fmt: skip


def test_where_the_machine_is_one_core_of_two_threads_they_are_shared_out() -> None:
    cores = assign_cores(1, {0, 1}, lambda _: {0, 1})
    assert (cores.sut, cores.harness) == ((1,), (0,))


def test_the_kernel_is_read() -> None:
    core = max(os.sched_getaffinity(0))
    assert core in read_siblings(core)


def test_pinning_is_undone() -> None:
    before = os.sched_getaffinity(0)
    with pinned(Cores((), (min(before),))):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize(
    ("wanted", "allowed", "words"),
    [(2, {0, 1}, "ask for at most 1"), (1, {3}, "two cores or more")],
)
def test_too_few_cores_in_words(wanted: int, allowed: set[int], words: str) -> None:
    with pytest.raises(EnvironmentTooSmallError, match=f"budget.cores = {wanted}.*{words}"):
        assign_cores(wanted, allowed)


def test_environment_names_what_must_agree() -> None:
    claim = ResourceClaim((1,), 2**30)
    seen = read_environment(ENSEMBLE, claim)
    assert seen.fingerprint["weights_digest"] == "abc"
    assert seen.fingerprint["machine_cores"] == str(os.cpu_count())
    assert seen.fingerprint["torch"].startswith("2.13")
    assert "kernel" in seen.description
    assert "kernel" not in seen.fingerprint
    assert seen.fingerprint == read_environment(ENSEMBLE, claim).fingerprint
    assert read_environment(ENSEMBLE, ResourceClaim((0, 1), 2**30)).fingerprint != seen.fingerprint


def test_version_is_known_or_said_to_be_missing() -> None:
    assert package_version()
