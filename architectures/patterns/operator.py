"""The admin API of all rooms."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from architectures.backends import BackendError
from architectures.contract import Problem
from architectures.patterns.room import Room

_LOG = logging.getLogger("servebench.operator")


class Operator:
    """An :class:`architectures.plugin.Admin`: each action goes to the room that offers it.

    Args:
        rooms: of the patterns.
        tier: that is served.
    """

    def __init__(self, rooms: Iterable[Room], tier: str) -> None:
        self.tier = tier
        self._rooms: dict[str, Any] = {
            action: room for room in rooms for action in getattr(room, "ACTIONS", ())
        }
        self.actions: Mapping[str, str] = {
            action: room.ACTIONS[action] for action, room in self._rooms.items()
        }

    async def act(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Carry out one of ``actions``.

        Raises:
            Problem: 503, what the action stands on is away; or what the action itself refuses.
        """
        try:
            done: Mapping[str, Any] = await self._rooms[action].act(action, body)
        except BackendError as error:
            _LOG.warning("%s was not carried out: %s", action, error)
            raise Problem(
                "backend-away",
                503,
                "What keeps this deployment's state does not answer; mend it, then order again.",
            ) from error
        return done
