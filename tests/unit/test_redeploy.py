"""The whole app replaced: same address, same state, other processes, and no exit to report."""

from pathlib import Path

import psutil
import pytest

from architectures import catalog
from architectures.contract import ADMIN_KEY_HEADER, ADMIN_PREFIX, graph_path
from architectures.spec import EnsembleChoice, ServingPolicy
from harness.deploy import Deployment, deploy
from harness.environment import assign_cores
from harness.http import ask

SECOND = str(Path(__file__).parents[1] / "second_ensemble")


@pytest.mark.parametrize("architecture", ["monolith", "microservices"])
def test_the_whole_app_is_replaced_where_it_was(architecture: str, tmp_path: Path) -> None:
    found = catalog.find(architecture)
    with deploy(
        found,
        found.variants[0],
        ensemble=EnsembleChoice("moods", "plain", search_path=(SECOND,)),
        policy=ServingPolicy(),
        claim=assign_cores(1).claim(4.0),
        log_directory=tmp_path,
    ) as up:
        body = b'{"mood": "glad"}'
        key = {ADMIN_KEY_HEADER: up.admin_key}
        assert ask(up.url + ADMIN_PREFIX + "cheer", body, headers=key).status == 200
        first = up.pids()
        took = up.redeploy()
        assert up.exited() == ()
        assert set(up.pids()) == set(first)
        assert not set(up.pids().values()) & set(first.values())
        assert not any(map(psutil.pid_exists, first.values()))
        assert took["replaced_s"] == took["ended_s"] + took["ready_s"] > 0
        assert mood(up) == "glad"


def mood(up: Deployment) -> str:
    said: str = ask(up.url + graph_path("hello"), b"{}", "application/json").json()["mood"]
    return said
