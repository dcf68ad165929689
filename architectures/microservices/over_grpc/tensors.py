"""Members' named values as the protocol's tensors, and back.

A value that all members have in one dtype and shape is one tensor, its first side the members;
bytes are a BYTES tensor of an element a member. What is neither travels as BYTES of JSON, with the
parameter ``form`` saying ``json`` (or ``wire`` where JSON has no such value). Where members differ,
each has a tensor of its own, ``name.index``, with the parameter ``member``.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from architectures import wire
from architectures.graph import Inputs
from architectures.microservices.over_grpc.datatypes import (
    BYTES,
    datatype_of,
    pack_arrays,
    pack_bytes,
    rows_of,
)
from architectures.wire import WireError

FORM: Final = "form"
MEMBER: Final = "member"
_JSON: Final = "json"
_WIRE: Final = "wire"
_RAW: Final = bytes | bytearray | memoryview


def pack(members: Sequence[Inputs], tensors: Any, contents: Any) -> None:
    """Write members' values into a message.

    Args:
        members: named values; those missing in some are left out there.
        tensors: the message's ``inputs`` or ``outputs``.
        contents: its raw contents.

    Raises:
        WireError: a value that cannot be sent.
    """
    for name in dict.fromkeys(name for member in members for name in member):
        column = [(i, member[name]) for i, member in enumerate(members) if name in member]
        values = [value for _, value in column]
        if len(column) == len(members) and _agree(values):
            _add(tensors, contents, name, values)
            continue
        for index, value in column:
            tensor = _add(tensors, contents, f"{name}.{index}", [value])
            tensor.parameters[MEMBER].int64_param = index


def unpack(tensors: Any, contents: Sequence[bytes], count: int | None, most: int) -> list[Any]:
    """Read what :func:`pack` or another implementation wrote.

    Args:
        tensors: the message's ``inputs`` or ``outputs``.
        contents: its raw contents.
        count: members it holds; None: as many as its tensors have rows.
        most: members that are allowed.

    Raises:
        WireError: it is damaged, too large, or its tensors disagree on the members.
    """
    if contents and len(contents) != len(tensors):
        raise WireError(f"{len(contents)} raw contents for {len(tensors)} tensors")
    columns = [
        (tensor, _values(tensor, contents[i] if contents else None, most))
        for i, tensor in enumerate(tensors)
    ]
    if count is None:
        count = len(columns[0][1]) if columns else 0
    if not 0 <= count <= most:
        raise WireError(f"{count} members, and at most {most} are allowed")
    members: list[Any] = [{} for _ in range(count)]
    for tensor, values in columns:
        _spread(tensor, values, members)
    return members


def _agree(values: Sequence[Any]) -> bool:
    """Whether values make one tensor."""
    first = values[0]
    if isinstance(first, np.ndarray):
        return all(
            isinstance(v, np.ndarray) and v.dtype == first.dtype and v.shape == first.shape
            for v in values
        )
    if isinstance(first, _RAW):
        return all(isinstance(v, _RAW) for v in values)
    return not any(isinstance(v, np.ndarray | _RAW) for v in values)


def _add(tensors: Any, contents: Any, name: str, values: Sequence[Any]) -> Any:
    """Add one tensor of values that agree."""
    first = values[0]
    tensor = tensors.add(name=name, datatype=BYTES, shape=(len(values),))
    datatype = datatype_of(first.dtype) if isinstance(first, np.ndarray) else None
    if datatype is not None:
        tensor.datatype = datatype
        tensor.shape.extend(first.shape)
        contents.append(pack_arrays(values))
    elif isinstance(first, _RAW):
        contents.append(pack_bytes(values))
    else:
        form, elements = _texts(values)
        tensor.parameters[FORM].string_param = form
        contents.append(pack_bytes(elements))
    return tensor


def _texts(values: Sequence[Any]) -> tuple[str, list[bytes | bytearray]]:
    try:
        return _JSON, [json.dumps(v, default=_plain).encode() for v in values]
    except (TypeError, ValueError):
        return _WIRE, [wire.encode_calls([{"": value}]) for value in values]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError  # bytes and arrays inside lists: the wire's own form has them


def _from_wire(element: bytes) -> Any:
    (member,) = wire.decode_calls(element)
    return member[""]


_READERS: Final[Mapping[str, Callable[[bytes], Any]]] = {_JSON: json.loads, _WIRE: _from_wire}


def _values(tensor: Any, raw: bytes | None, most: int) -> Sequence[Any]:
    rows = rows_of(tensor, raw, most)
    form = tensor.parameters[FORM].string_param if FORM in tensor.parameters else ""
    if not form:
        return rows
    try:
        return [_READERS[form](row) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise WireError(f"tensor {tensor.name!r} holds no {form}: {error!r}") from error


def _spread(tensor: Any, values: Sequence[Any], members: Sequence[dict[str, Any]]) -> None:
    """Give every member its row, or the one member its own."""
    name = tensor.name
    if MEMBER in tensor.parameters:
        index = tensor.parameters[MEMBER].int64_param
        if not 0 <= index < len(members) or len(values) != 1:
            raise WireError(f"tensor {name!r} belongs to no one of {len(members)} members")
        members[index][name.removesuffix(f".{index}")] = values[0]
        return
    if len(values) != len(members):
        raise WireError(f"tensor {name!r} has {len(values)} rows for {len(members)} members")
    for member, value in zip(members, values, strict=True):
        member[name] = value
