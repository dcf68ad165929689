"""Hops over HTTP/1.1: ``POST /stages/<stage>``, a message of ``architectures.wire`` each way."""

from typing import Final

STAGE_PREFIX: Final = "/stages/"
