"""What a damaged recording is told as: words, where a library would raise what only it knows."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from reports.frames import NotARun


@contextmanager
def in_words(directory: Path) -> Iterator[None]:
    """Turn what a table's reader raises into the error of a run that cannot be read.

    Raises:
        NotARun: a table of the run is cut short, of another kind, or lacks a column.
    """
    try:
        yield
    except (pa.ArrowException, KeyError) as error:
        first = str(error).splitlines()[0] if str(error) else repr(error)
        raise NotARun(
            f"{directory}: one of its tables cannot be read ({first}); it was damaged or edited: "
            "restore it, or run the scenario again"
        ) from error
