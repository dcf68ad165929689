"""Two processes choose and learn: with shared state they believe the same, apart they do not."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from architectures.backends import DIRECTORY_VARIABLE, STATE_VARIABLE
from architectures.patterns.arms import ARMS
from architectures.patterns.choosing.context import WIDTH
from architectures.patterns.choosing.stages import ChooseArm, LearnChoice
from architectures.state import open_store

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


@pytest.mark.parametrize("apart", [False, True])
def test_where_the_store_is_away_it_goes_on_with_what_it_knows(
    *, apart: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as nobody:  # bound and not listening: connections are refused
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv(STATE_VARIABLE, f"redis://:secret@127.0.0.1:{nobody.getsockname()[1]}")

        async def answers() -> list[dict[str, Any]]:
            choosing, learning = ChooseArm(open_store(), apart=apart), LearnChoice(open_store())
            given = []
            for _ in range(5):
                choice = (await choosing({"context": [1.0] * WIDTH}))["choice"]
                answer = {"tags": {}, "cost": 0.5, **choice}
                await learning({"answer": answer, "label": {}})
                given.append(choice)
            await choosing.close()
            await learning.close()
            return given

        given = asyncio.run(answers())
    assert {choice["model"] for choice in given} <= set(ARMS)
    assert {choice["state_version"] for choice in given} == {0}
    assert len(caplog.messages) == 1
    assert "secret" not in caplog.text


def test_replicas_apart_know_only_what_they_met(tmp_path: Path) -> None:
    first, second = both(tmp_path, "apart", REWARDS)
    assert first["version"] == second["version"] == REWARDS
    right, wrong = (max(row[0] for row in each["mean"]) for each in (first, second))
    assert wrong < right  # of each arm's loss, at the middle of all contexts
    assert first["mean"] != second["mean"]
