"""The stage that asks an external moderation API: one time limit, few retries, a circuit breaker.

Its API: ``POST /v1/moderate`` with the image as the body answers ``{"verdict": "approved"}`` or
``"rejected"``.
"""

import asyncio
import json
from random import Random
from time import monotonic_ns
from typing import NamedTuple

import aiohttp

from architectures import deadline
from architectures.graph import Inputs, Outputs
from architectures.patterns.items.availability import Availability, UnavailableError
from architectures.patterns.items.breaker import Breaker, BreakerLimits
from architectures.patterns.items.graph import VERDICTS
from architectures.patterns.items.retry_budget import MOST_ATTEMPTS, RetryBudget
from architectures.patterns.items.settings import ModerationPart

PATH = "/v1/moderate"
PENDING = "pending"
_RESERVE_NS = 100_000_000
"""Left of the caller's time for what comes after: the row is worth more than the verdict."""

_BACK_OFF_S = (0.005, 0.025)
_MOST_ANSWER_BYTES = 4096
_BROKEN_FROM = 500


class _FailedError(Exception):
    """An attempt that failed at once, so that another may be worth its while."""


class _Outcome(NamedTuple):
    verdict: str
    attempts: int


class Moderate:
    """``body``, ``due_ns`` to ``verdict`` and the ``attempts`` it took; 0 where none was made.

    Budget and breaker are this process's: several workers each find out for themselves.

    Args:
        part: the API, and this process's limits; without a URL every item is pending.
    """

    def __init__(self, part: ModerationPart) -> None:
        self._part = part
        self._breaker = Breaker(BreakerLimits(open_s=part.open_s))
        self._budget = RetryBudget(part.retry_ratio)
        self._session: aiohttp.ClientSession | None = None
        self._availability = Availability("the moderation API")
        self._draw = Random()

    async def __call__(self, member: Inputs) -> Outputs:
        """Never refuses: an item nobody could moderate now is moderated later."""
        outcome = _Outcome(PENDING, 0)
        if self._part.url is not None:
            outcome = await self._moderated(member["body"], self._end_ns(member["due_ns"]))
        return outcome._asdict()

    def _end_ns(self, due_ns: int | None) -> int:
        """When to stop asking: at the API's own limit, or earlier where the caller has less."""
        own_ns = monotonic_ns() + int(self._part.timeout_s * 1e9)
        door_ns = deadline.ends_ns()  # of the policy too, where the door is in this process
        return min(own_ns, (door_ns if due_ns is None else min(door_ns, due_ns)) - _RESERVE_NS)

    async def _moderated(self, body: bytes, end_ns: int) -> _Outcome:
        self._budget.request()
        for attempt in range(1, MOST_ATTEMPTS + 1):
            ticket = self._breaker.admit(monotonic_ns())
            if ticket is None or monotonic_ns() >= end_ns:
                if ticket is not None:
                    self._breaker.drop(ticket)
                return _Outcome(PENDING, attempt - 1)
            try:
                return _Outcome(await self._settled(ticket, body, end_ns), attempt)
            except UnavailableError:
                return _Outcome(PENDING, attempt)
            except _FailedError:
                if attempt == MOST_ATTEMPTS or not self._budget.retry():
                    return _Outcome(PENDING, attempt)
            # Drawn, or those that failed together would come again together.
            await asyncio.sleep(self._draw.uniform(*_BACK_OFF_S))
        return _Outcome(PENDING, MOST_ATTEMPTS)

    async def _settled(self, ticket: int, body: bytes, end_ns: int) -> str:
        """One attempt, of which the breaker is told.

        Raises:
            _FailedError: worth another attempt.
            UnavailableError: the time is up, or asking again would change nothing.
        """
        try:
            async with asyncio.timeout((end_ns - monotonic_ns()) / 1e9):
                verdict = await self._ask(body)
        except (aiohttp.ClientError, OSError, _FailedError, UnavailableError, ValueError) as error:
            self._breaker.settle(ticket, monotonic_ns(), ok=False)
            unavailable = self._availability.lost(error)
            # A time limit that has passed leaves no time to try again, and the slow need no more.
            again = not isinstance(error, TimeoutError | UnavailableError | ValueError)
            raise _FailedError if again else unavailable from None
        except BaseException:  # its caller left; or a mistake, which must not keep a probe's place
            self._breaker.drop(ticket)
            raise
        self._breaker.settle(ticket, monotonic_ns(), ok=True)
        self._availability.back()
        return verdict

    async def _ask(self, body: bytes) -> str:
        async with self._opened().post(
            f"{self._part.url}{PATH}",
            data=body,
            headers={"Content-Type": "application/octet-stream"},
            allow_redirects=False,
        ) as reply:
            if reply.status >= _BROKEN_FROM:
                raise _FailedError
            if reply.status != 200:  # noqa: PLR2004 - HTTP's own number
                raise UnavailableError
            document = json.loads(await reply.content.read(_MOST_ANSWER_BYTES))
        verdict = document.get("verdict") if isinstance(document, dict) else None
        if verdict not in VERDICTS or verdict == PENDING:
            raise ValueError
        return str(verdict)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._part.pool),
                timeout=aiohttp.ClientTimeout(total=None),  # the stage keeps its own
            )
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
