"""A fault proxy in front of a backend, as the harness uses it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from harness import with_parent
from harness.http import ask

_ENDS_WITHIN_S = 10.0


class FaultError(Exception):
    """A fault could not be made."""


@dataclass(frozen=True, slots=True)
class Between:
    """A proxy that runs.

    Attributes:
        url: the backend's own URL, by way of the proxy; may hold credentials, so it is in no repr.
    """

    url: str = field(repr=False)
    control: str

    def tell(self, **faults: object) -> Mapping[str, Any]:
        """Change the faults; what is in force then.

        Raises:
            FaultError: they cannot be meant, or the proxy does not answer.
        """
        try:
            reply = ask(f"{self.control}/control", json.dumps(faults).encode(), "application/json")
            document: Mapping[str, Any] = reply.json()
        except (OSError, ValueError) as error:
            raise FaultError(f"the fault proxy does not answer: {error}") from error
        if "error" in document:
            raise FaultError(str(document["error"]))
        return document


def backend_of(url: str) -> str:
    """``HOST:PORT`` of the backend at a URL.

    Raises:
        FaultError: it does not name both; the message repeats nothing of it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # whose message would repeat a part of it
        host, port = None, None
    if host is None or port is None:
        raise FaultError("a fault proxy needs the backend's host and port, both in its URL")
    return f"{host}:{port}"


@contextmanager
def between(url: str, cores: Sequence[int] = ()) -> Iterator[Between]:
    """Start a proxy in front of the backend at a URL; it ends with the block, or with us.

    Args:
        url: of the backend, its port included.
        cores: the proxy runs on these, none of the SUT's; ours where there are none.

    Raises:
        FaultError: it does not start, or the URL names no port.
    """
    backend, parts = backend_of(url), urlsplit(url)
    own = ",".join(map(str, cores or sorted(os.sched_getaffinity(0))))
    with_us = [sys.executable, "-I", "-S", with_parent.__file__, str(os.getpid()), own]
    proxy = subprocess.Popen(
        [*with_us, sys.executable, "-m", "harness.faults", "proxy", "--to", backend],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert proxy.stdout is not None  # noqa: S101 - it was opened as a pipe
        words = proxy.stdout.readline().split()
        if not words:
            raise FaultError("the fault proxy does not start; its words stand above")
        _, address, _, control = words
        user, at, _ = parts.netloc.rpartition("@")
        yield Between(parts._replace(netloc=f"{user}{at}{address}").geturl(), control)
    finally:
        proxy.terminate()
        proxy.wait(_ENDS_WITHIN_S)
