"""A second ensemble of two stages and no torch: which language is this sentence in?

It stands for a team's own ensemble. Every architecture serves it without knowing it.
"""

import hashlib
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from architectures.contract import Problem
from architectures.graph import Graph, Inputs, Node, Outputs, Stage
from architectures.plugin import EnsembleDescription, Example, Split, StageSpec

TIERS = ("plain",)
MEDIA_TYPES = ("text/plain",)
STAGES: Mapping[str, StageSpec] = {
    "letters": StageSpec("letters", "light"),
    "nearest": StageSpec("nearest", "model"),
}
GRAPHS: Mapping[str, Graph] = {
    "guess": Graph(
        "guess",
        [
            Node("nearest", {"shares": "letters.shares", "length": "letters.length"}),
            Node("letters", {"text": "request.body"}),
        ],
        answer="nearest.document",
        answer_schema={"type": "object", "required": ["language", "score", "length"]},
    )
}

_SENTENCES = {
    "english": "the quick brown fox jumps over the lazy dog while she thinks with them",
    "german": "zwei junge hunde zerren heute eine zeitung durch den garten und bellen",
    "french": "que votre soeur vous envoie les oeufs avant que vous partiez chez eux",
}
_LETTERS = 26


def _shares(text: bytes) -> np.ndarray[Any, np.dtype[np.float32]]:
    codes = np.frombuffer(text.lower(), np.uint8).astype(np.int64) - ord("a")
    counts = np.bincount(codes[(codes >= 0) & (codes < _LETTERS)], minlength=_LETTERS)
    return (counts / max(int(counts.sum()), 1)).astype(np.float32)


def _letters(members: Sequence[Inputs]) -> list[Outputs | Problem]:
    results: list[Outputs | Problem] = []
    for member in members:
        text: bytes = member["text"]
        if text.isascii():
            results.append({"shares": _shares(text), "length": len(text)})
        else:
            results.append(Problem("not-text", 422, "The body is not ASCII text."))
    return results


def _nearest(members: Sequence[Inputs]) -> list[Outputs | Problem]:
    profiles = np.stack([_shares(text.encode()) for text in _SENTENCES.values()])
    shares = np.stack([member["shares"] for member in members])
    scores = 1.0 - np.abs(shares[:, None, :] - profiles[None]).sum(axis=2) / 2
    names = list(_SENTENCES)
    return [
        {
            "document": {
                "language": names[int(row.argmax())],
                "score": float(row.max()),
                "length": int(member["length"]),
            }
        }
        for member, row in zip(members, scores, strict=True)
    ]


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage:
    return {"letters": _letters, "nearest": _nearest}[name]


def describe(tier: str) -> EnsembleDescription:
    digest = hashlib.sha256(repr(_SENTENCES).encode()).hexdigest()
    models = {"nearest": "profiles-1"}
    return EnsembleDescription("language_guess", tier, models, digest, meaningful=True)


def examples(split: Split, count: int, seed: int) -> list[Example]:
    drawn = random.Random(f"{split} {seed}")
    made: list[Example] = []
    for key in range(count):
        language = drawn.choice(list(_SENTENCES))
        words = _SENTENCES[language].split()
        text = " ".join(drawn.choices(words, k=drawn.randint(6, 40)))
        made.append(Example(key, text.encode(), "text/plain", {"language": language}))
    return made
