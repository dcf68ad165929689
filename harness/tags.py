"""Tags: words given to a run, by which it is found again among many."""

import re
from collections.abc import Iterable

MOST_LETTERS = 40
_TAG = re.compile(r"[a-z0-9][a-z0-9._-]*")


class TagError(Exception):
    """A word that cannot be a tag; the message says what can."""


def tags_of(words: Iterable[str]) -> tuple[str, ...]:
    """Words as tags, each once, in the order given.

    Raises:
        TagError: one of them cannot be a tag.
    """
    return tuple(dict.fromkeys(_checked(word) for word in words))


def _checked(word: str) -> str:
    if _TAG.fullmatch(word) and len(word) <= MOST_LETTERS:
        return word
    like = re.sub(r"[^a-z0-9._-]+", "-", word.lower()).strip("-._")[:MOST_LETTERS]
    hint = f"; {like!r} would do" if _TAG.fullmatch(like) else ""
    raise TagError(
        f"{word!r} cannot be a tag: a tag is 1 to {MOST_LETTERS} lower-case letters, digits, "
        f"'-', '_' and '.', and begins with a letter or a digit{hint}"
    )
