"""Which file a graph's requests lie in, and what may be in them."""

from dataclasses import replace
from pathlib import Path

import pytest

from architectures.plugin import Example
from harness.prepare import write_own
from workloads.arrivals import WorkloadError
from workloads.locustfile_client import request_head
from workloads.parcel import ParcelError
from workloads.payload_files import checked_name, own_file, own_files, read_requests
from workloads.payloads import write_payloads

EXAMPLES = [Example(i, b"x" * i, "text/plain", {"n": i}) for i in range(3)]


class Asking:
    """Of an ensemble only what is looked at."""

    def request(self, graph: str, example: Example) -> Example:
        if graph == "a/b":
            return replace(example, media_type="application/json", headers={"X-N": "é"})
        return example


def test_only_a_graph_that_asks_for_something_else_has_a_file_of_its_own(tmp_path: Path) -> None:
    payloads = tmp_path / "payloads.parquet"
    write_payloads(payloads, EXAMPLES)
    write_own(Asking(), payloads, EXAMPLES, ["a/b", "plain"])  # type: ignore[arg-type]
    assert own_files(payloads) == {"a/b": tmp_path / "payloads-a%2Fb.parquet"}
    asked = read_requests(payloads, own_files(payloads), ["plain", "a/b"])
    assert asked["plain"] == tuple(EXAMPLES)
    assert [one.headers for one in asked["a/b"]] == [{"X-N": "é"}] * 3
    assert [one.body for one in asked["a/b"]] == [b"", b"x", b"xx"]


def test_an_ensemble_without_requests_of_its_own_writes_nothing(tmp_path: Path) -> None:
    write_own(object(), tmp_path / "payloads.parquet", EXAMPLES, ["a/b"])  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_files_of_two_runs_are_not_mixed(tmp_path: Path) -> None:
    payloads = tmp_path / "payloads.parquet"
    write_payloads(payloads, EXAMPLES)
    write_payloads(own_file(payloads, "a"), EXAMPLES[:2])
    with pytest.raises(WorkloadError, match=r"has 2 rows and .* has 3"):
        read_requests(payloads, own_files(payloads), ["a"])


def test_headers_stand_before_the_request_id() -> None:
    head = request_head("http://h:1", "/v1/a", "text/plain", 2, {"X-API-Key": "k"}).decode()
    assert head.split("\r\n")[-2:] == ["X-API-Key: k", "X-Request-ID: "]


@pytest.mark.parametrize("text", ["a\r\nX-Admin: 1", "é", "\0"])
def test_a_header_that_breaks_out_is_refused(text: str) -> None:
    with pytest.raises(WorkloadError, match="X-N"):
        request_head("http://h:1", "/v1/a", "text/plain", 2, {"X-N": text})


@pytest.mark.parametrize("name", ["../payloads", "payloads-/../x", "payloads-a/b", "elsewhere"])
def test_a_lent_file_lies_nowhere_else(name: str) -> None:
    with pytest.raises(ParcelError, match="no file of a run"):
        checked_name(name)
    assert checked_name("payloads-a%2Fb") == "payloads-a%2Fb"
