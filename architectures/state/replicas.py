"""A name for this process that says nothing about it."""

import os
from functools import lru_cache
from hashlib import sha256
from secrets import token_bytes

_SALT = token_bytes(16)


def replica() -> str:
    """This process's own, also after a fork: answers tell replicas apart by it."""
    return _name(os.getpid())


@lru_cache(maxsize=1)
def _name(pid: int) -> str:
    return sha256(_SALT + str(pid).encode()).hexdigest()[:8]
