"""What an event does: who is asked, and for what."""

import json
from collections.abc import Mapping
from typing import Any

from architectures.contract import ADMIN_KEY_HEADER, ADMIN_PREFIX
from harness.events.moments import Moment
from harness.events.playing import Answered, DeedError
from harness.http import ask
from harness.kept import DeployError
from harness.moderation import ModerationError
from harness.subject import Subject

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
    try:
        return Answered(None, dict(subject.bench.backends.behave(moment.body)))
    except ModerationError as error:
        raise DeedError(str(error)) from error


def _redeploy(subject: Subject) -> Answered:
    try:
        return Answered(None, dict(subject.running.redeploy()))
    except DeployError as error:
        raise DeedError(f"the app did not come up again: {error}") from error
