"""The project's documents, and the code that stands in them."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]

_FENCED = re.compile(r"^ *```([a-z]*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"(?:^\n(?: {4}\S.*\n)+)+", re.MULTILINE)
_INLINE = re.compile(r"`([^`]+)`")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that git tracks, or would if it were added."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = (ROOT / name for name in listed.split("\0") if name)
    return tuple(sorted(path for path in found if path.is_file()))


def documents() -> list[Path]:
    """Every Markdown file of the project."""
    return [path for path in tracked() if path.suffix == ".md"]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def fenced(text: str, language: str) -> list[str]:
    """The blocks of one language."""
    return [body for said, body in _FENCED.findall(text) if said == language]


def prose(text: str) -> str:
    """A document without its fenced blocks."""
    return _FENCED.sub("", text)


def commands(text: str) -> Iterator[tuple[str, bool]]:
    """What a reader would type: lines of blocks, and code inside a sentence (then True)."""
    blocks = [body for _, body in _FENCED.findall(text)] + _INDENTED.findall(prose(text))
    for block in blocks:
        # A command goes on where a line ends in a backslash, or the next one begins with an option.
        whole = re.sub(r"\\\n|\n(?=\s+--)", " ", block)
        yield from ((line, False) for line in whole.splitlines())
    for span in _INLINE.findall(_INDENTED.sub("", prose(text))):
        yield " ".join(span.replace("\\|", "|").split()), True  # a table's cell escapes bars
