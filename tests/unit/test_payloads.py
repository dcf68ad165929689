from pathlib import Path

import pytest

from architectures.plugin import Example
from workloads.arrivals import WorkloadError
from workloads.mix import interleaved, mixed_payloads
from workloads.payloads import (
    payload_order,
    read_labels,
    read_payloads,
    rows_by_label,
    write_payloads,
)


def test_payloads_come_back_from_disk_in_order(tmp_path: Path) -> None:
    examples = [
        Example(
            2**40, b"\xff\xd8", "image/jpeg", {"category": "fish", "box": [0.1, 0.2, 0.3, 0.4]}
        ),
        Example(1, b"", "image/png", {}),
    ]
    write_payloads(tmp_path / "payloads.parquet", examples)
    assert read_payloads(tmp_path / "payloads.parquet") == tuple(examples)
    assert [path.name for path in tmp_path.iterdir()] == ["payloads.parquet"]


def test_the_order_of_a_seed_is_written_down() -> None:
    assert payload_order(12, 5, 1).tolist() == [3, 0, 2, 1, 4, 0, 1, 2, 4, 3, 4, 2]


LABELS = [{"kind": "cat", "n": 1}, {"kind": "dog", "n": 2}, {"kind": "cat", "n": True}]


def test_payloads_are_found_by_a_field_of_their_labels(tmp_path: Path) -> None:
    path = tmp_path / "payloads.parquet"
    write_payloads(path, [Example(i, b"x", "t/p", label) for i, label in enumerate(LABELS)])
    labels = read_labels(path)
    assert labels == LABELS
    assert rows_by_label(labels, "kind", ["dog", "cat"]) == {"dog": [1], "cat": [0, 2]}
    assert rows_by_label(labels, "n", ["true", "2"]) == {"true": [2], "2": [1]}


def test_what_no_label_has_is_named() -> None:
    with pytest.raises(WorkloadError, match=r"'kin' is no field .*mean 'kind'\?\); they have"):
        rows_by_label(LABELS, "kin", ["cat"])
    with pytest.raises(WorkloadError, match=r"'dogs', .*none of 3 .*mean 'dog'\?\); there are"):
        rows_by_label(LABELS, "kind", ["cat", "dogs"])


def test_the_order_of_a_mix_is_written_down() -> None:
    weights, rows = {"cat": 3.0, "dog": 1.0}, {"cat": [0, 2], "dog": [1]}
    assert interleaved(12, (3.0, 1.0, 0.5), 1, 2).tolist() == [0, 0, 0, 1, 1, 0, 0, 0, 2, 0, 0, 1]
    assert mixed_payloads(12, weights, rows, 1).tolist() == [0, 1, 2, 2, 0, 2, 0, 1, 0, 2, 2, 1]


def test_any_stretch_sees_nearly_the_whole_mix() -> None:
    order = payload_order(1000, 50, 3)
    for start in range(0, 901, 50):
        assert set(order[start : start + 50]) == set(range(50))


def test_no_payload_is_an_error() -> None:
    with pytest.raises(WorkloadError, match="at least one payload"):
        payload_order(10, 0, 1)
