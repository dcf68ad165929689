"""A file that travels in pieces: what it must be when whole, and putting it together again."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

PIECE_BYTES = 1 << 20
"""Of one message: large enough that a round trip is cheap, small enough to delay no heartbeat."""


class ParcelError(Exception):
    """A file did not arrive as it was sent."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a file must be when it has arrived.

    Attributes:
        size_bytes: its length.
        sha256: of its content, in hexadecimal.
    """

    size_bytes: int
    sha256: str

    def __post_init__(self) -> None:
        """It becomes part of a file's name, and comes from another machine.

        Raises:
            ParcelError: it is no SHA-256.
        """
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise ParcelError(f"{self.sha256!r} is no SHA-256; the other side is none of ours")


def parcel(path: Path) -> Parcel:
    """Describe a file before it is sent.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return Parcel(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def piece(path: Path, offset: int) -> bytes:
    """The piece that begins at ``offset``, at most :data:`PIECE_BYTES`; empty at the end.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(PIECE_BYTES)


class Arriving:
    """A file being put together from its pieces, in order.

    Args:
        path: where it will lie; a half or a wrong one is never left under this name.
        expected: what it must be.

    Attributes:
        wanted: the offset of the next piece; None when all have come.
    """

    def __init__(self, path: Path, expected: Parcel) -> None:
        self._path = path
        self._partial = path.with_name(f"{path.name}.partial")
        self._expected = expected
        self._digest = hashlib.sha256()
        self._partial.write_bytes(b"")
        self.wanted: int | None = 0 if expected.size_bytes else None

    def add(self, data: bytes) -> None:
        """Take the piece at ``wanted``.

        Raises:
            ParcelError: there is more or less than was announced.
        """
        came = (self.wanted or 0) + len(data)
        if not data or came > self._expected.size_bytes:
            raise ParcelError(
                f"{self._path.name}: {came} of {self._expected.size_bytes} bytes came; "
                "the connection to the other machine is at fault: play the trial again"
            )
        self._digest.update(data)
        with self._partial.open("ab") as file:
            file.write(data)
        self.wanted = came if came < self._expected.size_bytes else None

    def finish(self) -> None:
        """Check the whole and give it its name.

        Raises:
            ParcelError: its SHA-256 is not the announced one.
        """
        if self._digest.hexdigest() != self._expected.sha256:
            self._partial.unlink()
            raise ParcelError(
                f"{self._path.name} came with another SHA-256 than was announced; "
                "it changed on its way or under our hands: play the trial again"
            )
        self._partial.rename(self._path)
