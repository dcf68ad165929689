"""What an event does: who is asked, and for what."""

import json
from collections.abc import Mapping
from typing import Any

from architectures.contract import ADMIN_KEY_HEADER, ADMIN_PREFIX
from harness.events.moments import Moment
from harness.events.playing import Answered, DeedError
from harness.faults.between import FaultError
from harness.http import ask
from harness.kept import DeployError
from harness.moderation import ModerationError
from harness.subject import Deployed, Subject
from harness.surroundings import FAULTY_PARTS

_LIMIT_S = 60.0
"""For one answer: staging a model loads it."""

_HIDDEN = "[admin key]"


def do_at(subject: Subject, moment: Moment) -> Answered:
    """Do what is due to a SUT or its surroundings.

    Raises:
        DeedError: it could not be done.
    """
    running, body = subject.running, moment.body or {}
    if moment.to == "harness":
        return _redeploy(subject)
    if moment.to == "moderation":
        return _scripted(subject, moment)
    if moment.to in FAULTY_PARTS:
        return _disturbed(subject, moment)
    if moment.to == "sut":
        url = running.url + ADMIN_PREFIX + moment.action
        return _asked(url, body, running.admin_key)
    return _asked(running.url + moment.to, body, "")


def _asked(url: str, body: Mapping[str, Any], admin_key: str) -> Answered:
    """POST JSON. The key goes no further than the request, whatever the answer repeats."""
    headers = {ADMIN_KEY_HEADER: admin_key} if admin_key else {}
    try:
        reply = ask(url, json.dumps(body).encode(), "application/json", _LIMIT_S, headers)
    except OSError as error:
        raise DeedError(f"no answer: {error}") from error
    text = reply.body.decode(errors="replace")
    if admin_key:
        text = text.replace(admin_key, _HIDDEN)
    try:
        return Answered(reply.status, json.loads(text) if text else None)
    except ValueError:
        return Answered(reply.status, text[:200])


def _scripted(subject: Subject, moment: Moment) -> Answered:
    stub = subject.bench.backends.moderation
    assert stub is not None  # noqa: S101 - `unplayable` finds what has no stub
    try:
        return Answered(None, dict(stub.behave(moment.body)))
    except ModerationError as error:
        raise DeedError(str(error)) from error


def _disturbed(subject: Subject, moment: Moment) -> Answered:
    running = subject.running
    assert isinstance(running, Deployed)  # noqa: S101 - `unplayable` finds what is not ours
    folder = running.deployment.directory
    try:
        said = subject.bench.backends.disturb(moment.to, moment.body, folder)
    except FaultError as error:
        raise DeedError(str(error)) from error
    return Answered(None, dict(said))


def _redeploy(subject: Subject) -> Answered:
    try:
        return Answered(None, dict(subject.running.redeploy()))
    except DeployError as error:
        raise DeedError(f"the app did not come up again: {error}") from error
