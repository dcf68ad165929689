"""A third ensemble, no torch: whatever a graph may say, each once and small.

Conditions, optional reads, nodes that do not run, a stage that stands twice, stages that wait,
nodes nobody waits for, headers, JSON bodies, refusals deep inside. Every architecture must give
the answers that one plain batch gives.
"""

import asyncio
import dataclasses
import hashlib
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from pydantic_core import from_json

from architectures.backends import directory
from architectures.contract import API_KEY_HEADER, Problem
from architectures.graph import Endpoint, Graph, Inputs, IoStage, Node, Outputs, Stage
from architectures.plugin import EnsembleDescription, Example, Split, StageSpec

TIERS = ("plain",)
MEDIA_TYPES = ("text/plain",)
NOTES = "notes"
"""A file in the deployment's folder: a line for every walk that nobody waited for."""

_WORDS = [
    "go",
    "wait",
    "left",
    "right",
    "stop",
    "LOUD",
    "quiet",
    "seven",
    "eight",
    "forty-two",
    "über",
]
_JSON = Endpoint(("application/json",), (API_KEY_HEADER.lower(), "x-mood"))
_TEXT = Endpoint(MEDIA_TYPES)
_KEYS = {"key-of-anna": "anna", "key-of-bo": "bo"}
_DOCUMENT = {"type": "object", "required": ["text"]}

STAGES: Mapping[str, StageSpec] = {
    name: StageSpec(name, kind)  # type: ignore[arg-type]
    for kind, names in {
        "light": ("read_letter", "read_text", "measure", "sort_out", "seal"),
        "model": ("shout", "mirror", "weigh"),
        "io": ("customer", "look_up", "note", "lose"),
    }.items()
    for name in names
}

_ROUTE = Graph(
    "letters/route",
    (
        Node("read_letter", {"body": "request.body", "media_type": "request.media_type"}),
        Node("customer", {"headers": "request.headers"}),
        Node("shout", {"text": "read_letter.text"}, when="read_letter.loud"),
        Node("mirror", {"text": "read_letter.text"}, when="customer.known"),
        Node("mirror", {"text": "mirror.text"}, name="mirror_again"),
        Node("measure", {"codes": "read_letter.codes"}, when="shout.long"),
        Node(
            "sort_out",
            {
                "text": "read_letter.text",
                "who": "customer.who",
                "loud": "shout.text?",
                "mirrored": "mirror.text?",
                "twice": "mirror_again.text?",
                "spread": "measure.spread?",
                "codes": "read_letter.codes",
            },
        ),
        Node("note", {"document": "sort_out.document"}, detached=True),
        Node(
            "note",
            {"document": "sort_out.document", "noted": "note.noted"},
            name="note_loud",
            when="read_letter.loud",
            detached=True,
        ),
    ),
    answer="sort_out.document",
    answer_schema={"type": "object", "required": ["text", "who"]},
    endpoint=_JSON,
)

_MEASURE = Graph(
    "letters/measure",
    (
        Node("read_text", {"body": "request.body"}),
        Node("measure", {"codes": "read_text.codes"}),
        Node("weigh", {"codes": "read_text.codes", "tables": "measure.tables"}),
        Node("seal", {"text": "read_text.text", "spread": "measure.spread", "sum": "weigh.sum"}),
    ),
    answer="seal.document",
    answer_schema=_DOCUMENT,
    endpoint=_TEXT,
)

_WAIT = Graph(
    "letters/wait",
    (
        Node("read_text", {"body": "request.body"}),
        Node("look_up", {"text": "read_text.text"}),
        Node("look_up", {"text": "look_up.found"}, name="look_again"),
        Node("weigh", {"codes": "read_text.codes", "tables": "look_up.tables"}),
        Node("seal", {"text": "look_again.found", "spread": "look_up.length", "sum": "weigh.sum"}),
    ),
    answer="seal.document",
    answer_schema=_DOCUMENT,
    endpoint=_TEXT,
)

_LOSE = Graph(
    "lose",
    (
        Node("read_text", {"body": "request.body"}),
        Node("measure", {"codes": "read_text.codes"}),
        Node("seal", {"text": "read_text.text", "spread": "measure.spread", "sum": "measure.sum"}),
        Node("lose", {"text": "read_text.text"}, detached=True),
    ),
    answer="seal.document",
    answer_schema=_DOCUMENT,
    endpoint=_TEXT,
)

GRAPHS: Mapping[str, Graph] = {graph.name: graph for graph in (_ROUTE, _MEASURE, _WAIT, _LOSE)}


def _read(text: str) -> Outputs | Problem:
    if "\0" in text:
        return Problem("not-text", 422, "The text holds a NUL.")
    codes = np.array([ord(letter) for letter in text], np.int64)
    return {"text": text, "codes": codes, "loud": any(word.isupper() for word in text.split())}


def _read_letter(member: Inputs) -> Outputs | Problem:
    if member["media_type"] != "application/json":
        raise ValueError(member["media_type"])
    try:
        document = from_json(member["body"], allow_inf_nan=False)
    except ValueError:
        return Problem("not-json", 400, "The body is no JSON.")
    if not isinstance(document, dict) or not isinstance(document.get("text"), str):
        return Problem("no-text", 422, "The body has no `text`.")
    return _read(document["text"])


def _read_text(member: Inputs) -> Outputs | Problem:
    try:
        return _read(member["body"].decode())
    except ValueError:
        return Problem("not-text", 422, "The body is not UTF-8.")


def _shout(member: Inputs) -> Outputs | Problem:
    if "seven" in member["text"]:
        return Problem("no-seven", 422, "Seven is not shouted here.")
    return {"text": member["text"].upper(), "long": len(member["text"]) > 40}


def _mirror(member: Inputs) -> Outputs:
    return {"text": member["text"][::-1]}


def _measure(member: Inputs) -> Outputs:
    """Numbers of every kind that a message must carry."""
    codes = member["codes"]
    tables = {"pairs": [codes[:2], codes.astype(np.float32)[:3]], "none": None, "raw": b"\0\xff"}
    spread = float(np.std(codes)) if codes.size else 0.0
    return {"spread": spread, "sum": int(codes.sum()), "tables": tables}


def _weigh(member: Inputs) -> Outputs:
    pairs = member["tables"]["pairs"]
    assert member["tables"]["none"] is None
    assert member["tables"]["raw"] == b"\0\xff"
    return {"sum": float(np.sum(pairs[0])) + float(np.sum(pairs[1])) + int(member["codes"].sum())}


def _sort_out(member: Inputs) -> Outputs:
    told = {name: value for name, value in member.items() if name != "codes"}
    return {"document": {**told, "letters": int(member["codes"].size)}}


def _seal(member: Inputs) -> Outputs:
    return {"document": dict(member)}


_COMPUTE: Mapping[str, Callable[[Inputs], Outputs | Problem]] = {
    "read_letter": _read_letter,
    "read_text": _read_text,
    "shout": _shout,
    "mirror": _mirror,
    "measure": _measure,
    "weigh": _weigh,
    "sort_out": _sort_out,
    "seal": _seal,
}


class _Waiting:
    """Waits a moment, then does what it is made for; its lock belongs to the loop it first ran on.

    Args:
        work: what it does.
    """

    def __init__(self, work: Callable[[Inputs], Outputs | Problem]) -> None:
        self._work = work
        self._turn: asyncio.Semaphore | None = None

    async def __call__(self, member: Inputs, /) -> Outputs | Problem:
        self._turn = self._turn or asyncio.Semaphore(8)
        async with self._turn:
            await asyncio.sleep(0.001)
            return self._work(member)

    async def close(self) -> None:
        self._turn = None


def _customer(member: Inputs) -> Outputs | Problem:
    headers = member["headers"]
    if not set(headers) <= set(_JSON.headers):
        raise ValueError(f"headers nobody asked for: {sorted(headers)}")
    key = headers.get(API_KEY_HEADER.lower())
    if key is None:
        return Problem("no-key", 401, "Send a key.")
    if key not in _KEYS:
        return Problem("unknown-key", 403, "This key opens nothing.")
    return {"who": _KEYS[key], "known": headers.get("x-mood") == "kind"}


def _look_up(member: Inputs) -> Outputs:
    text = member["text"]
    tables = {"pairs": [np.arange(3), np.ones(2, np.float32)], "none": None, "raw": b"\0\xff"}
    return {"found": text.swapcase(), "length": len(text), "tables": tables}


def _note(member: Inputs) -> Outputs:
    again = " again" if "noted" in member else ""
    with (directory() / NOTES).open("a", encoding="utf-8") as notes:
        notes.write(member["document"]["text"] + again + "\n")
    return {"noted": True}


def _lose(member: Inputs) -> Outputs:
    raise ValueError("it always fails")


_WAIT_FOR: Mapping[str, Callable[[Inputs], Outputs | Problem]] = {
    "customer": _customer,
    "look_up": _look_up,
    "note": _note,
    "lose": _lose,
}


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage | IoStage:
    if name in _WAIT_FOR:
        return _Waiting(_WAIT_FOR[name])
    work = _COMPUTE[name]
    return lambda members: [work(member) for member in members]


def describe(tier: str) -> EnsembleDescription:
    digest = hashlib.sha256(repr(_WORDS).encode()).hexdigest()
    return EnsembleDescription("branching", tier, {"shout": "loud-1"}, digest, meaningful=True)


def examples(split: Split, count: int, seed: int) -> list[Example]:
    drawn = random.Random(f"{split} {seed}")
    made: list[Example] = []
    for key in range(count):
        text = " ".join(drawn.choices(_WORDS, k=drawn.randint(1, 12)))
        made.append(Example(key, text.encode(), "text/plain", {"text": text}))
    return made


def request(graph: str, example: Example) -> Example:
    """Letters are JSON, and say who sends them and how."""
    if graph != _ROUTE.name:
        return example
    body = json.dumps({"text": example.body.decode()}).encode()
    size = len(example.body)
    key = sorted(_KEYS)[size % len(_KEYS)]
    headers = {API_KEY_HEADER: key, **({"X-Mood": "kind"} if size % 3 else {})}
    return dataclasses.replace(example, body=body, media_type="application/json", headers=headers)


class Office:
    """Its admin API: one action, which says back what it was told."""

    def __init__(self, tier: str) -> None:
        self.actions: Mapping[str, str] = {"stamp": f"Stamp a letter of the tier {tier}."}

    async def act(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if "refuse" in body:
            raise Problem("out-of-ink", 409, "There is no ink.")
        return {"action": action, "told": dict(body)}


def load_admin(tier: str) -> Office:
    return Office(tier)
