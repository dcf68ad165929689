"""An answer reads the same whatever pieces it arrives in; what is no answer is refused."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloads.http_answer import Answer, AnswerReader, MalformedAnswerError

tokens = st.binary(min_size=1, max_size=12).map(lambda text: text.hex().encode())
others = st.sampled_from([b"Date", b"X-Length", b"X-Content-Length", b"Via"])


@st.composite
def answers(draw: st.DrawFn) -> tuple[bytes, Answer]:
    status = draw(st.sampled_from([200, 201, 404, 503]))
    body = draw(st.binary(max_size=300))
    timings = draw(st.lists(tokens, max_size=3))
    fields = [(b"Server-Timing", timing) for timing in timings]
    fields += draw(st.lists(st.tuples(others, tokens), max_size=4))
    closes = draw(st.booleans())
    fields += [(b"Connection", b"close")] * closes
    if draw(st.booleans()):
        fields, framed = [*fields, (b"Content-Length", b"%d" % len(body))], body
    else:
        fields.append((b"Transfer-Encoding", b"chunked"))
        framed = chunked(body, draw(st.integers(1, 100)), trailers=draw(st.booleans()))
    head = b"".join(
        draw(st.sampled_from([name, name.upper(), name.lower()])) + b": " + value + b"\r\n"
        for name, value in draw(st.permutations(fields))
    )
    interim = draw(st.sampled_from([b"", b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"]))
    whole = interim + b"HTTP/1.1 %d Why\r\n" % status + head + b"\r\n" + framed
    named = [value for name, value in spoken(head) if name.lower() == b"server-timing"]
    return whole, Answer(status, body, b", ".join(named) or None, not closes)


def spoken(head: bytes) -> list[list[bytes]]:
    return [line.split(b": ", 1) for line in head.split(b"\r\n")[:-1]]


def chunked(body: bytes, size: int, *, trailers: bool) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    framed = b"".join(b"%x;a=b\r\n%s\r\n" % (len(part), part) for part in parts)
    return framed + b"0\r\n" + (b"X-Sum: 1\r\n" if trailers else b"") + b"\r\n"


def feed(reader: AnswerReader, whole: bytes, cuts: Sequence[int]) -> Answer | None:
    edges = [0, *sorted({cut % len(whole) for cut in cuts} - {0}), len(whole)]
    pieces = [whole[a:b] for a, b in pairwise(edges)]
    early = [reader.feed(piece) for piece in pieces[:-1]]
    assert not any(early)
    return reader.feed(pieces[-1])


@given(answers(), answers(), st.lists(st.integers(0, 2000), max_size=6))
def test_any_pieces_give_the_answer_and_then_the_next(
    first: tuple[bytes, Answer], second: tuple[bytes, Answer], cuts: list[int]
) -> None:
    reader = AnswerReader()
    for whole, expected in (first, second):
        assert feed(reader, whole, cuts) == expected


@given(answers(), st.integers(1, 400))
def test_an_answer_cut_short_is_refused(drawn: tuple[bytes, Answer], missing: int) -> None:
    whole, _ = drawn
    reader = AnswerReader()
    cut = whole[: max(len(whole) - missing, 0)]
    assert not cut or reader.feed(cut) is None
    with pytest.raises(MalformedAnswerError):
        reader.end()


def test_without_a_length_the_answer_ends_with_the_connection() -> None:
    reader = AnswerReader()
    assert reader.feed(b"HTTP/1.0 200 OK\r\n\r\nhalf") is None
    assert reader.feed(b" whole") is None
    assert reader.end() == Answer(200, b"half whole", None, reusable=False)


def test_without_a_body_the_headers_are_all() -> None:
    whole = b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"
    assert AnswerReader().feed(whole) == Answer(204, b"", None, reusable=True)


def test_what_follows_unasked_makes_the_connection_useless() -> None:
    answer = AnswerReader().feed(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc")
    assert answer == Answer(200, b"a", None, reusable=False)


@pytest.mark.parametrize(
    "received",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"x" * 70_000,
    ],
)
def test_what_is_no_answer_is_refused(received: bytes) -> None:
    with pytest.raises(MalformedAnswerError):
        AnswerReader().feed(received)
