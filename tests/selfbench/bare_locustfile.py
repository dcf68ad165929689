"""Stock Locust at its fastest, closed loop: ``FastHttpUser`` posting one body, nothing else."""

import os
import sys
from typing import Any

from locust import FastHttpUser, events, task

_BODY = os.urandom(50_000)


class Bare(FastHttpUser):
    """Posts again as soon as the answer is there."""

    @task
    def post(self) -> None:
        """One request."""
        self.client.post("/", data=_BODY, name="bare")


@events.quitting.add_listener
def account(environment: Any, **_: Any) -> None:
    """Say how many were answered, and what this process spent on them."""
    times = os.times()
    answered = environment.stats.total.num_requests
    sys.stdout.write(f"BARE {answered} {times.user + times.system}\n")
