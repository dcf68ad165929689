from pathlib import Path

import pytest

from architectures.plugin import Example
from workloads.arrivals import WorkloadError
from workloads.payloads import payload_order, read_payloads, write_payloads


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


def test_any_stretch_sees_nearly_the_whole_mix() -> None:
    order = payload_order(1000, 50, 3)
    for start in range(0, 901, 50):
        assert set(order[start : start + 50]) == set(range(50))


def test_no_payload_is_an_error() -> None:
    with pytest.raises(WorkloadError, match="at least one payload"):
        payload_order(10, 0, 1)
