"""API keys at rest and in comparison.

A key holds 256 random bits, so one round of SHA-256 hides it as well as any slow hash: slowness
protects passwords, which can be guessed, and would cost every request milliseconds of CPU time.
"""

import hashlib
import hmac
import re
from typing import NamedTuple

_KEY = re.compile(r"sbk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")

NOBODY = hashlib.sha256(b"no key hashes to the hash of nothing sent").digest()
"""Compared with where there is no such key, so that both refusals take equally long."""


class KeyDigest(NamedTuple):
    """What is known of a key once it is read: its public name and its hash, never itself."""

    key_id: str
    key_sha256: bytes


def digest(key: str) -> KeyDigest | None:
    """A key's digest; None where it has not the form of one."""
    found = _KEY.fullmatch(key)
    return KeyDigest(found[1], hashlib.sha256(key.encode()).digest()) if found else None


def opens(sent: bytes, kept: bytes | None) -> bool:
    """Whether a sent key's hash is the kept one, in a time that does not tell how much of it is."""
    return hmac.compare_digest(sent, NOBODY if kept is None else kept) and kept is not None
