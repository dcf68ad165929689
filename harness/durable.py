"""Writing so that what is on disk stays there: through a kill, and through a power cut."""

import os
from pathlib import Path


def write_durably(path: Path, text: str) -> None:
    """Write a file whole or not at all: under another name, flushed to the disk, then renamed.

    A kill at any moment leaves the old file or the new one. Without the flush a power cut could
    leave the new name with nothing in it, on file systems that rename before they write.

    Raises:
        OSError: it cannot be written; the old file stands, and no half of the new one.
    """
    partial = path.with_suffix(".partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    _flush(path.parent)


def settle(folder: Path) -> None:
    """Flush what others have written in a folder, so that a record of it never outlives it.

    Done between trials: the disk is then quiet while load is played.
    """
    for path in folder.iterdir():
        if path.is_file():
            _flush(path)
    _flush(folder)


def point(link: Path, target: str) -> None:
    """Make a symbolic link say ``target``; at no moment is there none."""
    partial = link.with_name(f".{link.name}.partial")
    partial.unlink(missing_ok=True)
    partial.symlink_to(target)
    partial.replace(link)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
