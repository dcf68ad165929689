"""Commands that documents, messages and pages tell a reader to type, as click reads them."""

import re
import shlex
from collections.abc import Iterator, Sequence

import click

from harness.__main__ import main as harness
from reports.__main__ import main as reports
from reports.reference.commands import session_docstrings
from tests.documents import commands, name, tracked

PROGRAMS: dict[str, click.Group] = {"harness": harness, "reports": reports}
SESSIONS = session_docstrings()
FORWARDED = {
    "bench": ("harness", "run"),
    "effort": ("harness", "effort"),
    "serve": ("harness", "serve"),
    "web": ("harness", "web"),
    "report": ("reports",),
    "gate": ("reports", "gate"),
    "aa": ("reports", "aa"),
    "trends": ("reports", "baselines"),
    "index": ("reports", "index"),
    "claims": ("reports", "claims"),
}
"""Sessions that hand what follows `--` to a command of ours."""

_ENDS = r"[^`\n#|;&')<>]*"
_PROGRAM = re.compile(rf"python3? -m (harness|reports)(?![.\w])({_ENDS})")
NOX = re.compile(rf"nox -s ([a-z_]+(?: [a-z_]+)*)(?: \[?-- ({_ENDS}))?")
_TOLD = re.compile(r"(?:`|<code>)((?:\S*python3? -m |nox -s )[^`\n<{]*)(?:`|</code>)")
_LEFT_OUT = "..."

Asked = tuple[str, list[str], bool]
"""A program, its words, and whether it is only mentioned in a sentence."""


def words(written: str) -> list[str]:
    return shlex.split(written.replace("[", "").replace("]", "").replace('"$', '"'))


def asked_in(text: str) -> Iterator[Asked]:
    for line, mentioned in commands(text):
        for program, rest in _PROGRAM.findall(line):
            yield program, words(rest), mentioned
        for names, rest in NOX.findall(line):
            program, *command = FORWARDED.get(names, ("",))
            if program and rest:
                yield program, [*command, *words(rest)], mentioned


def asked_in_code() -> list[tuple[str, Asked | None, str]]:
    """What messages, docstrings and pages tell a reader to type: file, command, sessions."""
    found: list[tuple[str, Asked | None, str]] = []
    for path in (path for path in tracked() if path.suffix in (".py", ".j2", ".js")):
        text = path.read_text(encoding="utf-8")
        for span in _TOLD.findall(text):
            asked = [(one, words(rest), True) for one, rest in _PROGRAM.findall(span)]
            found += [(name(path), one, "") for one in asked]
            found += [(name(path), None, names) for names, _ in NOX.findall(span)]
    return found


def parsed(program: str, given: Sequence[str]) -> click.Context:
    """Parse as far as a command goes, without calling it.

    Raises:
        click.UsageError: an option, a command or a choice that there is none of.
    """
    command: click.Command = PROGRAMS[program]
    context, rest = None, list(given)
    called = program
    while True:
        context = command.make_context(called, rest, parent=context)
        if not isinstance(command, click.Group):
            return context
        left = [*context._protected_args, *context.args]
        called, command, rest = command.resolve_command(context, left)  # type: ignore[assignment]


def refused(asked: Asked) -> str | None:
    """Why a command cannot be meant; None where it can."""
    program, given, mentioned = asked
    if _LEFT_OUT in given:
        given, mentioned = given[: given.index(_LEFT_OUT)], True
    if not given:
        return None
    try:
        parsed(program, given)
    except (click.MissingParameter, click.BadOptionUsage) as error:
        return None if mentioned else error.format_message()
    except click.BadParameter as error:
        is_path = error.param is not None and isinstance(error.param.type, click.Path)
        return None if is_path else error.format_message()
    except click.exceptions.NoArgsIsHelpError:
        return None if mentioned else "it needs a command"
    except click.UsageError as error:
        return error.format_message()
    return None
