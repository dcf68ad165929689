"""Records as JSON, read as far as a row of the shelf needs them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)

_HEAD_BYTES = 1 << 18
"""Of a summary: its answer stands near its beginning, and all of it may be megabytes."""


class UnreadableError(Exception):
    """A record that cannot be read; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a summary says of the run.

    Attributes:
        answer: its first sentence; empty where there is none.
        status: the run's, when the summary was made.
    """

    answer: str = ""
    status: str = ""


def read_model(path: Path, shape: type[Model], key: str, newest: int) -> Model:
    """Read a record.

    Args:
        path: its file.
        shape: what it must hold.
        key: under which its format's number stands.
        newest: the newest format that this program reads.

    Raises:
        UnreadableError: it is damaged, or newer than this program.
    """
    try:
        document = json.loads(path.read_bytes())
        version = document.get(key, newest)
        if version > newest:
            raise UnreadableError(
                f"{path.name}: {key} is {version}, this program reads up to {newest}; use the "
                "version of servebench that made it, or newer"
            )
        return shape.model_validate(document)
    except OSError as error:
        raise UnreadableError(f"{path.name} cannot be opened: {error.strerror}") from error
    except (ValueError, AttributeError, TypeError) as error:
        why = str(error).splitlines()[0]
        raise UnreadableError(
            f"{path.name} cannot be read as a {shape.__name__} ({why}); it was damaged or edited: "
            "restore it, or remove its folder"
        ) from error


def read_said(path: Path) -> Said:
    """What a summary says; nothing where there is none, or it cannot be read."""
    try:
        with path.open(encoding="utf-8") as file:
            head = file.read(_HEAD_BYTES)
    except (OSError, ValueError):
        return Said()
    status = _at(head, "status")
    return Said(_first(_at(head, "answer")), status if isinstance(status, str) else "")


def _at(head: str, key: str) -> Any:
    """The value of a top-level key, without parsing what comes after it.

    A line break never stands inside a JSON string, so a line that begins so is the key itself.
    """
    mark = f'\n "{key}": '
    start = head.find(mark)
    if start < 0:
        return None
    try:
        return json.JSONDecoder().raw_decode(head, start + len(mark))[0]
    except ValueError:
        return None


def _first(sentences: Any) -> str:
    """The first sentence that answers; a caution where none does."""
    if not isinstance(sentences, list):
        return ""
    said = [one for one in sentences if isinstance(one, Mapping) and one.get("text")]
    answers = [one for one in said if one.get("kind") == "answer"]
    return next((str(one["text"]) for one in (*answers, *said)), "")
