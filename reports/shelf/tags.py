"""Tags given or taken after a run: they lie beside its record, which stays as it was measured."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.durable import write_durably
from harness.record import Record
from harness.tags import TagError, tags_of

TAGS_FILE = "tags.json"
TAGS_FORMAT = 1


class LaterTags(Record):
    """``tags.json``: what was added to the tags in a record, and what was taken from them."""

    tags_format: int = TAGS_FORMAT
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def over(self, recorded: Iterable[str]) -> tuple[str, ...]:
        """The tags that hold: those recorded and those added, without those removed."""
        whole = dict.fromkeys((*recorded, *self.added))
        return tuple(word for word in whole if word not in self.removed)

    def changed(self, add: Iterable[str], remove: Iterable[str]) -> "LaterTags":
        """After some more words were given and taken; the last word on a tag counts."""
        gone, new = tuple(remove), tuple(add)
        added = [word for word in (*self.added, *new) if word not in gone]
        removed = [word for word in (*self.removed, *gone) if word not in new]
        return LaterTags(added=tuple(dict.fromkeys(added)), removed=tuple(dict.fromkeys(removed)))


def read_later(folder: Path) -> LaterTags:
    """What was said of a folder's tags later; nothing where nobody did.

    Raises:
        TagError: the file is damaged, or newer than this program.
    """
    path = folder / TAGS_FILE
    if not path.is_file():
        return LaterTags()
    try:
        document = json.loads(path.read_bytes())
        version = document.get("tags_format", TAGS_FORMAT)
        if version > TAGS_FORMAT:
            raise TagError(
                f"{path}: tags_format is {version}, this program reads up to {TAGS_FORMAT}; "
                "use the version of servebench that wrote it, or newer"
            )
        return LaterTags.model_validate(document)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise TagError(
            f"{path} cannot be read as tags: {error}; mend it, or remove it: the tags that the "
            "run was started with stand in its record"
        ) from error


def retag(folder: Path, orders: Sequence[str]) -> LaterTags:
    """Give and take tags: ``+word`` gives one, ``-word`` takes one. The file is written whole.

    Args:
        folder: of a run, an effort record or a gate.
        orders: each a sign and a word.

    Raises:
        TagError: an order has no sign, a word cannot be a tag, or the file cannot be used.
        OSError: it cannot be written.
    """
    for order in orders:
        if order[:1] not in {"+", "-"}:
            raise TagError(f"{order!r}: say +{order} to give the tag, -{order} to take it away")
    given = tags_of(order[1:] for order in orders if order[0] == "+")
    taken = tags_of(order[1:] for order in orders if order[0] == "-")
    both = [word for word in given if word in taken]
    if both:
        raise TagError(f"{both[0]!r} is both given and taken; say one of +{both[0]} and -{both[0]}")
    later = read_later(folder).changed(given, taken)
    write_durably(folder / TAGS_FILE, later.model_dump_json(indent=1) + "\n")
    return later
