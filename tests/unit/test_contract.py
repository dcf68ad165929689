"""What is written in a header is read back the same; what is foreign is passed over."""

from architectures.contract import (
    Problem,
    StageTiming,
    format_server_timing,
    graph_path,
    parse_server_timing,
)


def test_server_timing_is_read_back_to_the_microsecond() -> None:
    timings = (
        StageTiming("detect", 3_100_000, 800_000, 1_500_000, 8),
        StageTiming("keypoints-2.b", 1_000, 0, 1_000, 1),
    )
    assert parse_server_timing(format_server_timing(timings, 9_000_000)) == (timings, 9_000_000)


def test_foreign_entries_are_passed_over() -> None:
    header = 'cache;desc="Cache Read";dur=23.2, proxy, detect;dur=1.0;queue=0.5;compute=0.5;batch=2'
    timings, request_ns = parse_server_timing(header)
    assert [timing.stage for timing in timings] == ["detect"]
    assert request_ns is None


def test_a_hop_is_what_is_left_of_the_wall() -> None:
    assert StageTiming("s", 10, 3, 4, 1).hop_ns == 3
    assert StageTiming("s", 5, 3, 4, 1).hop_ns == 0  # clocks of two processes may disagree


def test_a_problem_says_what_rfc_9457_asks_for() -> None:
    assert Problem("not-an-image", 422, "send an image").document("r1") == {
        "type": "urn:servebench:problem:not-an-image",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "send an image",
        "instance": "urn:request:r1",
    }


def test_a_graph_has_a_path() -> None:
    assert graph_path("tag") == "/v1/tag"
