"""The admin API of all rooms."""

from collections.abc import Iterable, Mapping
from typing import Any

from architectures.patterns.room import Room


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
        """Carry out one of ``actions``."""
        done: Mapping[str, Any] = await self._rooms[action].act(action, body)
        return done
