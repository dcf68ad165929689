"""The command line and nox's sessions, from what click and the noxfile declare."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from harness.__main__ import main as harness
from reports.__main__ import main as reports
from reports.reference.keys import first_sentence, written
from reports.reference.markdown import code, table

_ROOT = Path(__file__).parents[2]


def of_the_harness() -> str:
    """Every command of ``python -m harness``."""
    return "\n\n".join(_commands(harness, "python -m harness"))


def of_the_reports() -> str:
    """Every command of ``python -m reports``."""
    return "\n\n".join(_commands(reports, "python -m reports"))


def _commands(command: click.Command, called: str) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _commands(command.commands[name], f"{called} {name}")
        return
    told = (command.help or "").replace("\b", "").strip()
    words = "\n\n".join(first_sentence(paragraph) for paragraph in told.split("\n\n"))
    shown = "".join(f" {_argument(one)}" for one in arguments(command))
    parts = [f"### `{called}{shown}`", words]
    rows = [_row(option) for option in options(command)]
    if rows:
        parts.append(table(("option", "value", "if absent", "meaning"), rows))
    yield "\n\n".join(parts)


def arguments(command: click.Command) -> list[click.Argument]:
    """What a command takes by its place."""
    return [one for one in command.params if isinstance(one, click.Argument)]


def options(command: click.Command) -> list[click.Option]:
    """What a command takes by name, hidden ones left out."""
    return [one for one in command.params if isinstance(one, click.Option) and not one.hidden]


def _argument(argument: click.Argument) -> str:
    name = (argument.name or "").upper() + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _row(option: click.Option) -> tuple[str, str, str, str]:
    flag = option.is_flag
    value = "" if flag else _value(option.type)
    again = "; may be given again" if option.multiple else ""
    return code(", ".join(option.opts)), value + again, _default(option), option.help or ""


def _value(kind: click.ParamType[Any]) -> str:
    if isinstance(kind, click.Choice):
        return " or ".join(code(str(choice)) for choice in kind.choices)
    names = {"integer": "whole number", "integer range": "whole number", "float": "number"}
    return names.get(kind.name, kind.name)


def _default(option: click.Option) -> str:
    if option.required:
        return "**must be given**"
    default = option.default
    if option.is_flag or option.multiple or not isinstance(default, str | float | int | Path):
        return ""
    if isinstance(default, Path) and default.is_relative_to(_ROOT):
        default = default.relative_to(_ROOT)
    return code(str(default) if isinstance(default, str | Path) else written(default))


def session_docstrings(noxfile: Path = _ROOT / "noxfile.py") -> dict[str, str]:
    """Sessions by name, with their docstrings; read and not run, so nox need not be here."""
    tree = ast.parse(noxfile.read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {
        function.name: ast.get_docstring(function) or ""
        for function in functions
        if any("session" in ast.unparse(mark) for mark in function.decorator_list)
    }


def sessions() -> str:
    """Every session with the first paragraph of its docstring."""
    rows = [(code(name), first_sentence(said)) for name, said in session_docstrings().items()]
    return table(("session", "does"), rows)
