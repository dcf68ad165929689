"""What is asked of a deployment, graph by graph, and what must come back."""

import os
import struct
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from architectures.backends import DIRECTORY_VARIABLE
from architectures.contract import Problem, graph_path
from architectures.graph import Graph, Inputs
from architectures.in_process_runner import in_this_thread
from architectures.plugin import Example, load_ensemble, load_stages
from architectures.spec import EnsembleChoice
from architectures.walk import run_batch

FEW, MANY = 20, 200


@dataclass(frozen=True)
class Refused:
    """What a reference says where the request must be refused."""

    slug: str
    status: int


@dataclass(frozen=True)
class Refusal:
    """A bad request and the problem it must be answered with."""

    name: str
    body: bytes
    media_type: str
    status: int
    slug: str


@dataclass(frozen=True)
class Subject:
    """One graph: what it is asked and what must come back.

    Attributes:
        references: an answer's document or a Refused a request; none where answers vary.
    """

    choice: EnsembleChoice
    graph: Graph
    examples: Sequence[Example]
    references: Sequence[Any]
    refusals: Sequence[Refusal] = field(default=())

    @property
    def path(self) -> str:
        return graph_path(self.graph.name)

    def headers(self, index: int = 0) -> dict[str, str]:
        """Of the request of an example."""
        example = self.examples[index % len(self.examples)]
        return {"Content-Type": example.media_type, **example.headers}

    def is_right(self, index: int, status: int, document: Any) -> bool:
        """Whether an answer to example ``index`` is what its reference says."""
        reference = self.references[index]
        if isinstance(reference, Refused):
            slug = f"urn:servebench:problem:{reference.slug}"
            return status == reference.status and document["type"] == slug
        return status == 200 and close(document, reference)


def close(answer: Any, reference: Any) -> bool:
    """Equal, but for floats, which may differ by 1e-4: a batch sums in another order."""
    if isinstance(reference, Mapping):
        return (
            isinstance(answer, Mapping)
            and answer.keys() == reference.keys()
            and all(close(answer[key], reference[key]) for key in reference)
        )
    if isinstance(reference, list | tuple):
        return (
            isinstance(answer, list)
            and len(answer) == len(reference)
            and all(map(close, answer, reference))
        )
    if isinstance(reference, float):
        return isinstance(answer, float) and abs(answer - reference) <= 1e-4
    return type(answer) is type(reference) and answer == reference


def subjects(choice: EnsembleChoice, many: Sequence[str], directory: Path) -> dict[str, Subject]:
    """An ensemble's graphs, and the answers they give with no server around them.

    Args:
        choice: the ensemble.
        many: the first of these that it has is asked most.
        directory: where its stages may keep state meanwhile.
    """
    ensemble = load_ensemble(choice)
    ask = getattr(ensemble, "request", lambda _, example: example)
    most = next((name for name in many if name in ensemble.GRAPHS), None)
    drawn = ensemble.examples("load", MANY, 11)
    asked = {
        name: [ask(name, example) for example in drawn[: MANY if name == most else FEW]]
        for name in ensemble.GRAPHS
    }
    steady = {name: asked[name] for name, graph in ensemble.GRAPHS.items() if not graph.varies}
    # Its own process, so that this one stays free of models.
    with ProcessPoolExecutor(1, get_context("spawn")) as other:
        references = other.submit(_references, choice, steady, str(directory)).result(timeout=240)
    return {
        name: Subject(
            choice, graph, asked[name], references.get(name, ()), _refusals(asked[name][0])
        )
        for name, graph in ensemble.GRAPHS.items()
    }


def _references(
    choice: EnsembleChoice, asked: Mapping[str, Sequence[Example]], directory: str
) -> dict[str, list[Any]]:
    """Every request alone in its batch."""
    os.environ[DIRECTORY_VARIABLE] = directory
    ensemble = load_ensemble(choice)
    graphs = [ensemble.GRAPHS[name] for name in asked]
    names = dict.fromkeys(stage for graph in graphs for stage in graph.stages)
    stages = in_this_thread(load_stages(ensemble, choice, names, 1))
    found: dict[str, list[Any]] = {}
    for graph in graphs:
        answers = [run_batch(graph, stages, [_inputs(one)])[0] for one in asked[graph.name]]
        found[graph.name] = [
            Refused(answer.slug, answer.status) if isinstance(answer, Problem) else answer.document
            for answer in answers
        ]
    return found


def _inputs(example: Example) -> Inputs:
    headers = {name.lower(): value for name, value in example.headers.items()}
    return {"body": example.body, "media_type": example.media_type, "headers": headers}


def _refusals(example: Example) -> list[Refusal]:
    body, kind = example.body, example.media_type
    common = [
        Refusal("empty", b"", kind, 400, "empty-body"),
        Refusal("media type", body, "text/html", 415, "unsupported-media-type"),
        Refusal("no media type", body, "", 415, "unsupported-media-type"),
    ]
    if kind.startswith("image/"):
        common += [
            Refusal("not an image", b"hello, I am no image", kind, 422, "not-an-image"),
            Refusal("truncated", body[: len(body) // 2], kind, 422, "truncated-image"),
            Refusal("bomb", _bomb(), "image/png", 422, "image-too-large"),
        ]
    if kind == "text/plain":
        common.append(Refusal("not text", b"\xff\xfe", kind, 422, "not-text"))
    return common


def _bomb() -> bytes:
    """A PNG of a few bytes that says it has 900 million pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
