"""A fourth ensemble, no torch: two graphs that are asked differently, one of which has a state.

``hello`` takes JSON and a header, and its answer says which mood an operator has set; ``count``
takes the examples as they are.
"""

import asyncio
import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from architectures.contract import Problem
from architectures.graph import Endpoint, Graph, Inputs, IoStage, Node, Outputs, Stage
from architectures.plugin import EnsembleDescription, Example, Split, StageSpec
from architectures.state import Store, open_store

TIERS = ("plain",)
MEDIA_TYPES = ("text/plain",)
CALM = "calm"
_KEY = "mood"

STAGES: Mapping[str, StageSpec] = {
    "greet": StageSpec("greet", "io"),
    "letters": StageSpec("letters", "model"),
}
GRAPHS: Mapping[str, Graph] = {
    "hello": Graph(
        "hello",
        [Node("greet", {"body": "request.body", "headers": "request.headers"})],
        answer="greet.document",
        endpoint=Endpoint(("application/json",), ("x-who",)),
        varies=True,
    ),
    "count": Graph("count", [Node("letters", {"text": "request.body"})], answer="letters.document"),
}


class _Greet:
    """An :class:`architectures.graph.IoStage`."""

    def __init__(self) -> None:
        self._store: Store | None = None

    async def __call__(self, member: Inputs, /) -> Outputs | Problem:
        self._store = self._store or open_store()
        mood = await asyncio.to_thread(self._store.get, _KEY)
        asked = json.loads(member["body"])
        who = member["headers"].get("x-who", "nobody")
        answer = {"mood": (mood or CALM.encode()).decode(), "who": who, "key": asked.get("key")}
        return {"document": answer}

    async def close(self) -> None:
        if self._store is not None:
            self._store.close()


def _letters(members: Sequence[Inputs]) -> list[Outputs | Problem]:
    return [{"document": {"letters": len(member["text"])}} for member in members]


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage | IoStage:
    return _Greet() if name == "greet" else _letters


def describe(tier: str) -> EnsembleDescription:
    digest = hashlib.sha256(b"moods").hexdigest()
    return EnsembleDescription("moods", tier, {"letters": "count-1"}, digest, meaningful=True)


def examples(split: Split, count: int, seed: int) -> list[Example]:
    return [Example(key, b"x" * (key + 1), "text/plain", {"key": key}) for key in range(count)]


def request(graph: str, example: Example) -> Example:
    if graph != "hello":
        return example
    return dataclasses.replace(
        example,
        body=json.dumps({"key": example.key}).encode(),
        media_type="application/json",
        headers={"X-Who": f"caller {example.key}"},
    )


def score(graph: str, document: Mapping[str, Any], label: Mapping[str, Any]) -> dict[str, float]:
    if graph == "hello":
        who = f"caller {label['key']}"
        return {"named": float((document["who"], document["key"]) == (who, label["key"]))}
    return {"long": float(document["letters"] > 3)}


class Host:
    """Its admin API: set the mood."""

    actions: Mapping[str, str] = {"cheer": 'Set the mood: {"mood": "glad"}.'}

    async def act(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        assert action in self.actions
        store = open_store()
        try:
            await asyncio.to_thread(store.put, _KEY, body["mood"].encode())
        finally:
            store.close()
        return {"mood": body["mood"]}


def load_admin(tier: str) -> Host:
    return Host()
