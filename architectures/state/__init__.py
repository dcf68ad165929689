"""State that a deployment's processes share: versions, counters, queues; SQLite or Redis."""

from architectures.backends import STATE_VARIABLE, directory, url
from architectures.state.follower import Follower
from architectures.state.replicas import replica
from architectures.state.store import KEPT_VERSIONS, Published, Store, SupersededError
from architectures.state.tally import Tally

__all__ = [
    "KEPT_VERSIONS",
    "Follower",
    "Published",
    "Store",
    "SupersededError",
    "Tally",
    "open_store",
    "replica",
]


def open_store() -> Store:
    """The deployment's store: what ``SERVEBENCH_STATE_URL`` names, else a file in its folder.

    Connects to nothing yet, so it may be called before a fork.

    Raises:
        BackendError: the URL cannot be read or is of another kind, or there is neither.
    """
    given = url(STATE_VARIABLE)
    if given is None:
        from architectures.state.sqlite import SqliteStore

        return SqliteStore(directory() / "state.sqlite3")
    from architectures.state.redis import open_redis

    return open_redis(given, STATE_VARIABLE)
