"""Answers against the in-process reference: a fast wrong answer is no answer."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from architectures.contract import graph_path
from architectures.plugin import Example
from harness.http import Reply, ask
from harness.record import Verification
from workloads.plan import LoadPlan

TOLERANCE = 1e-4
"""Of floats. Batches of another size add the same numbers in another order."""

BEFORE = 32
"""Answers asked for before load begins."""


@dataclass(frozen=True, slots=True)
class Compared:
    """How many answers were compared, how many differ, and how the first one does."""

    count: int = 0
    different: int = 0
    first: str | None = None


def read_references(path: Path) -> tuple[Any, ...]:
    """Line i is the reference answer to payload i."""
    with path.open(encoding="utf-8") as lines:
        return tuple(json.loads(line) for line in lines)


def difference(reference: Any, answer: Any, at: str = "answer") -> str | None:
    """Where and how an answer first differs from its reference; None if it does not.

    Floats may differ by :data:`TOLERANCE`; everything else must be equal.
    """
    if isinstance(reference, Mapping) and isinstance(answer, Mapping):
        keys = [*reference, *(key for key in answer if key not in reference)]
        found = (_member(reference, answer, key, at) for key in keys)
        return next((one for one in found if one), None)
    if isinstance(reference, list) and isinstance(answer, list):
        if len(reference) != len(answer):
            return f"{at} has {len(answer)} members, not {len(reference)}"
        pairs = enumerate(zip(reference, answer, strict=True))
        found = (difference(one, other, f"{at}[{i}]") for i, (one, other) in pairs)
        return next((one for one in found if one), None)
    if _equal(reference, answer):
        return None
    return f"{at} is {_short(answer)}, not {_short(reference)}"


def _member(
    reference: Mapping[str, Any], answer: Mapping[str, Any], key: str, at: str
) -> str | None:
    if key not in answer:
        return f"{at}.{key} is missing"
    if key not in reference:
        return f"{at}.{key} is not in the reference"
    return difference(reference[key], answer[key], f"{at}.{key}")


def _equal(reference: Any, answer: Any) -> bool:
    numbers = (int, float)
    if isinstance(reference, bool) or isinstance(answer, bool):
        return reference is answer
    if isinstance(reference, numbers) and isinstance(answer, numbers):
        if isinstance(reference, float) or isinstance(answer, float):
            return abs(reference - answer) <= TOLERANCE
        return reference == answer
    return type(reference) is type(answer) and bool(reference == answer)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"  # noqa: PLR2004 - one line's worth


def before_load(
    url: str,
    payloads: Sequence[Example],
    references: Mapping[str, Sequence[Any]],
    path: str = "",
    own: Mapping[str, Sequence[Example]] = MappingProxyType({}),
) -> Compared:
    """Ask every graph for the first :data:`BEFORE` payloads, one by one, and compare.

    Args:
        url: the SUT, without a path.
        payloads: of the run.
        references: graph -> its answers; entry i answers payload i.
        path: asked for in place of the graphs' own; empty is theirs.
        own: graph -> what it is asked in place of the payloads, of those that differ.

    Raises:
        OSError: there was no answer.
    """
    return _compare(
        (
            f"payload {row} of {graph}",
            reference,
            _document(_ask(url + (path or graph_path(graph)), payload)),
        )
        for graph, answers in references.items()
        for row, (payload, reference) in enumerate(
            zip(own.get(graph, payloads), answers, strict=True)
        )
        if row < BEFORE
    )


def _ask(url: str, payload: Example) -> Reply:
    return ask(url, payload.body, payload.media_type, headers=payload.headers)


def _document(reply: Reply) -> Any:
    """The answer in the form references have: a refusal is its problem's slug."""
    try:
        document = json.loads(reply.body)
    except ValueError:
        return f"HTTP {reply.status}, and no JSON"
    if reply.status == 200:  # noqa: PLR2004 - HTTP's own number
        return document
    kind = str(document.get("type", "")) if isinstance(document, Mapping) else ""
    return {"problem": kind.rpartition(":")[2]}


def under_load(
    samples: pa.Table, plan: LoadPlan, references: Mapping[str, Sequence[Any]]
) -> Compared:
    """Compare the answers that were kept while load was played, of graphs with references."""
    kept = samples.filter(samples["answer"].is_valid())
    rows = zip(*(kept[name].to_pylist() for name in ("index", "answer", "status")), strict=True)
    return _compare(
        (
            f"request {index} (payload {plan.payloads[index]})",
            references[plan.graph(index)][plan.payloads[index]],
            _document(Reply(status, answer)),
        )
        for index, answer, status in rows
        if plan.graph(index) in references
    )


def _compare(answers: Iterable[tuple[str, Any, Any]]) -> Compared:
    count = different = 0
    first = None
    for name, reference, answer in answers:
        count += 1
        found = difference(reference, answer)
        if found:
            different += 1
            first = first or f"{name}: {found}"
    return Compared(count, different, first)


ANSWERS_VARY = "answers vary"
"""Why a graph's answers are not compared: they depend on more than the request."""


def verification(before: Compared, load: Compared, varying: Iterable[str] = ()) -> Verification:
    """Both comparisons as they are recorded, and the graphs that have no reference."""
    return Verification(
        before=before.count,
        before_different=before.different,
        under_load=load.count,
        under_load_different=load.different,
        first_difference=before.first or load.first,
        not_compared=dict.fromkeys(varying, ANSWERS_VARY),
    )
