"""What is written for an architecture: lines of its own code, and settings of a deployment."""

import ast
import importlib
import io
import tokenize
from pathlib import Path

from architectures.spec import Architecture, Blueprint, Variant

_NOT_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def code_lines(architecture: Architecture) -> int:
    """Lines of an architecture's package that say something to Python.

    Shared rooms (door, traversal, batching, harness) are nobody's: they are written once for all.
    """
    module = importlib.import_module(architecture.blueprint.__module__)
    place = Path(module.__file__ or "")
    files = place.parent.glob("*.py") if place.name == "__init__.py" else [place]
    return sum(count_code_lines(path.read_text(encoding="utf-8")) for path in files)


def count_code_lines(source: str) -> int:
    """Lines with a token that is neither comment nor docstring."""
    prose = _docstring_lines(source)
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NOT_CODE:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - prose)


def _docstring_lines(source: str) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        for child in ast.iter_child_nodes(node):
            if (
                isinstance(child, ast.Expr)
                and isinstance(child.value, ast.Constant)
                and isinstance(child.value.value, str)
            ):
                lines |= set(range(child.lineno, (child.end_lineno or child.lineno) + 1))
    return lines


def settings(variant: Variant, blueprint: Blueprint) -> int:
    """Options of the variant, and of each component its command and its environment variables."""
    return len(variant.options) + sum(1 + len(one.env) for one in blueprint.components)
