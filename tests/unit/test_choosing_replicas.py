"""Two processes choose and learn: with shared state they believe the same, apart they do not."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from architectures.backends import DIRECTORY_VARIABLE

REWARDS = 40

REPLICA = """
import asyncio, json, sys
import numpy as np
from architectures.patterns.choosing.stages import ChooseArm, LearnChoice
from architectures.state import open_store

state, rewards, wanted, right = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
found = {"category": {"value": "shoe"}}
label = {"category": right}

async def main():
    choosing, learning = ChooseArm(open_store(), apart=state == "apart"), LearnChoice(open_store())
    draw = np.random.default_rng(len(right))
    for _ in range(rewards):
        context = [1.0, *draw.uniform(-1, 1, 8).tolist()]
        chosen = await choosing({"context": context})
        answer = {"tags": found, "cost": 0.5, **chosen["choice"]}
        await learning({"answer": answer, "label": label})
    while (await choosing({"context": context}))["choice"]["state_version"] < wanted:
        await asyncio.sleep(0.01)
    belief = await choosing._sums.current()
    print(json.dumps({"mean": belief.mean.tolist(), **chosen["choice"], "version": belief.version}))
    await choosing.close()
    await learning.close()

asyncio.run(main())
"""


def both(folder: Path, state: str, wanted: int) -> list[dict[str, Any]]:
    """What two replicas know at the end, one of which is always right and one always wrong."""
    replicas = [
        subprocess.Popen(
            [sys.executable, "-c", REPLICA, state, str(REWARDS), str(wanted), right],
            env={**os.environ, DIRECTORY_VARIABLE: str(folder)},
            stdout=subprocess.PIPE,
        )
        for right in ("shoe", "hat")
    ]
    try:
        return [json.loads(replica.communicate(timeout=60)[0]) for replica in replicas]
    finally:
        for replica in replicas:
            replica.kill()
            replica.wait()


def test_replicas_that_share_know_the_same_sums(tmp_path: Path) -> None:
    first, second = both(tmp_path, "shared", 2 * REWARDS)
    assert first["version"] == second["version"] == 2 * REWARDS
    assert first["mean"] == second["mean"]
    assert first["replica"] != second["replica"]


def test_replicas_apart_know_only_what_they_met(tmp_path: Path) -> None:
    first, second = both(tmp_path, "apart", REWARDS)
    assert first["version"] == second["version"] == REWARDS
    right, wrong = (max(row[0] for row in each["mean"]) for each in (first, second))
    assert wrong < right  # of each arm's loss, at the middle of all contexts
    assert first["mean"] != second["mean"]
