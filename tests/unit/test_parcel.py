"""A file that travels in pieces arrives as it was, or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest

from workloads.parcel import PIECE_BYTES, Arriving, Parcel, ParcelError, parcel, piece


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, 2 * PIECE_BYTES + 3])
def test_a_file_arrives_whole(tmp_path: Path, size: int) -> None:
    sent = tmp_path / "sent"
    sent.write_bytes(bytes(i % 251 for i in range(size)))
    arriving = Arriving(tmp_path / "came", parcel(sent))
    pieces = 0
    while arriving.wanted is not None:
        arriving.add(piece(sent, arriving.wanted))
        pieces += 1
    arriving.finish()
    assert (tmp_path / "came").read_bytes() == sent.read_bytes()
    assert pieces == -(-size // PIECE_BYTES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["came", "sent"]


def test_a_changed_file_leaves_nothing(tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    sent.write_bytes(b"as announced")
    arriving = Arriving(tmp_path / "came", parcel(sent))
    arriving.add(b"as announceD")
    with pytest.raises(ParcelError, match="another SHA-256"):
        arriving.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["sent"]


@pytest.mark.parametrize("data", [b"", b"too much"])
def test_less_or_more_than_announced(tmp_path: Path, data: bytes) -> None:
    sent = tmp_path / "sent"
    sent.write_bytes(b"four")
    with pytest.raises(ParcelError, match="of 4 bytes came"):
        Arriving(tmp_path / "came", parcel(sent)).add(data)


def test_a_name_made_of_what_another_machine_says_stays_in_its_folder(tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    sent.write_bytes(b"")
    with pytest.raises(ParcelError, match="is no SHA-256"):
        replace(parcel(sent), sha256="../../etc/passwd")
    with pytest.raises(ParcelError, match="is no SHA-256"):
        Parcel(1, parcel(sent).sha256 + "\n")
