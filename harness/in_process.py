"""The ensemble run with no server, on the SUT's cores: reference answers and the ceiling."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic_ns

from architectures.backends import DIRECTORY_VARIABLE, given
from architectures.in_process import COMMAND, InProcessRequest
from architectures.server_config import process_environment
from architectures.spec import ResourceClaim
from harness.deploy import NO_STATE
from harness.kept import Keeper, clean_environment, last_lines, scratch_directory
from harness.record import CeilingPoint

BATCH_SIZES = (1, 2, 4, 8, 16, 32)
SEARCH = -1
"""The block number of the readings that the best batch size is chosen from."""

_NAME = "in_process"
_LIMIT_S = 1800.0


class InProcessFailedError(Exception):
    """The ensemble cannot be run in-process; the message ends in what to do."""


def make_references(
    request: InProcessRequest,
    claim: ResourceClaim,
    path: Path,
    logs: Path,
    state: Mapping[str, str] = NO_STATE,
) -> None:
    """Write the reference answers to ``path``, one line a payload.

    ``state`` is as in ``harness.deploy.deploy``.

    Raises:
        InProcessFailedError: the ensemble cannot be loaded or run.
    """
    _run(replace(request, task="references", out=str(path.resolve())), claim, logs, state)


def measure_ceiling(
    request: InProcessRequest,
    claim: ResourceClaim,
    logs: Path,
    *,
    block: int,
    batch_sizes: Sequence[int],
    seconds: float,
    state: Mapping[str, str] = NO_STATE,
) -> tuple[CeilingPoint, ...]:
    """Measure the ensemble's rate with no server and no queue, one point a batch size.

    One process a core, as a SUT would have; the readings of all are added. ``state`` is as in
    ``harness.deploy.deploy``.

    Raises:
        InProcessFailedError: the ensemble cannot be loaded or run.
    """
    asked = replace(
        request,
        task="ceiling",
        processes=len(claim.cores),
        batch_sizes=tuple(batch_sizes),
        seconds=seconds,
    )
    lines = _run(asked, claim, logs, state)
    readings = [json.loads(line) for line in lines if line.startswith("{")]
    return tuple(CeilingPoint(block=block, **reading) for reading in readings)


def best_batch(points: Sequence[CeilingPoint], most: int) -> int:
    """The smallest batch size within a hundredth of the best rate, and within ``policy.max_batch``.

    A maximum of noisy readings would wander among sizes that are equal.
    """
    allowed = [point for point in points if point.batch_size <= most] or list(points)
    fastest = max(point.rate_rps for point in allowed)
    return min(point.batch_size for point in allowed if point.rate_rps >= 0.99 * fastest)


def _run(
    request: InProcessRequest, claim: ResourceClaim, logs: Path, state: Mapping[str, str]
) -> list[str]:
    """Run the module under a keeper: pinned from its first instruction, gone when we are."""
    log = logs / f"{_NAME}.log"
    log.unlink(missing_ok=True)
    directory = scratch_directory()
    # As a SUT's processes are started: a ceiling with a slower allocator would flatter them all.
    own = {
        **process_environment(request.torch_threads),
        DIRECTORY_VARIABLE: str(directory),
        **given(os.environ),
        **state,
    }
    env = clean_environment(directory, request.ensemble.search_path, own)
    keeper = Keeper(directory, logs, claim)
    try:
        (directory / "request.json").write_bytes(request.to_json())
        keeper.start(_NAME, ("sh", "-c", 'exec "$@" < request.json', "sh", *COMMAND), env)
        status = _await_end(keeper)
    finally:
        keeper.stop(0.0)
    if status != 0:
        raise InProcessFailedError(
            f"the ensemble cannot be run in-process (exit code {status}).\n"
            f"{last_lines(logs, _NAME)}\nMend what the log names, then run again"
        )
    return log.read_text(encoding="utf-8").splitlines()


def _await_end(keeper: Keeper) -> int:
    end_ns = monotonic_ns() + int(_LIMIT_S * 1e9)
    while not keeper.exits:
        if monotonic_ns() > end_ns:
            raise InProcessFailedError(
                f"the ensemble did not end within {_LIMIT_S:g} s in-process; "
                "use a smaller tier or fewer load.payloads"
            )
        keeper.listen(0.2)
    return keeper.exits[0].status
