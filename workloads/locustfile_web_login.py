"""Asking for a password before the web UI answers: required where others can reach it."""

import hmac
import secrets
from pathlib import Path
from typing import Any

import gevent
from flask import redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, login_user
from gevent.lock import BoundedSemaphore

from workloads.arrivals import WorkloadError
from workloads.locustfile_web_guard import is_loopback

_LEAST = 8
_OTHERS = 0o077
_WRONG_PAUSE_S = 0.5
"""After a wrong password nobody is heard for so long: guessing takes longer than a session."""


class _Guest(UserMixin):  # type: ignore[misc] # of a library without types
    """Whoever knows the password."""

    id = "guest"


def read_password(path: Path | None, host: str) -> bytes | None:
    """The password that a browser must know; None where none is needed.

    Args:
        path: the file whose text it is, but for white space at its ends; None asks for none.
        host: where the web UI listens.

    Raises:
        WorkloadError: there is none although others can reach the web UI, or it is no secret.
    """
    if path is None:
        if is_loopback(host):
            return None
        raise WorkloadError(
            f"--web-host {host or '*'} lets others reach the web UI, and whoever does can start "
            "load: name a file with a password (--web-password-file), or listen on 127.0.0.1 and "
            "come through a tunnel (ssh -L)"
        )
    try:
        password, mode = path.read_bytes().strip(), path.stat().st_mode
    except OSError as error:
        raise WorkloadError(f"--web-password-file {path}: {error.strerror}") from error
    if mode & _OTHERS:
        raise WorkloadError(f"--web-password-file {path} is open to others: chmod 600 {path}")
    if len(password) < _LEAST:
        raise WorkloadError(f"--web-password-file {path}: give at least {_LEAST} characters")
    return password


def require(web_ui: Any, password: bytes) -> None:
    """Have Locust's web UI answer nothing but its login page to who has not given the password.

    Args:
        web_ui: Locust's, not started yet.
        password: compared in constant time; the cookie that stands for it is of this start alone.
    """
    app, one_at_a_time = web_ui.app, BoundedSemaphore()
    base = web_ui.environment.parsed_options.web_base_path or ""
    app.secret_key = secrets.token_bytes(32)
    app.config.update(
        SESSION_COOKIE_NAME=f"servebench_{web_ui.port}",  # cookies know no ports
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=bool(web_ui.tls_cert),
    )
    if not web_ui.web_login:
        web_ui.web_login = True
        web_ui.login_manager = LoginManager(app)
        web_ui.login_manager.login_view = "locust.login"
    web_ui.login_manager.user_loader(lambda name: _Guest() if name == _Guest.id else None)
    web_ui.auth_args["custom_form"] = {
        "inputs": [{"label": "Password", "name": "password", "is_secret": True}],
        "callback_url": f"{base}/password",
        "submit_button_text": "Open",
    }

    def check() -> ResponseReturnValue:
        given = request.form.get("password", "").strip().encode()
        with one_at_a_time:
            if not hmac.compare_digest(given, password):
                gevent.sleep(_WRONG_PAUSE_S)
                session["auth_error"] = "That is not the password."
                return redirect(url_for("locust.login"))
        session.clear()
        login_user(_Guest())
        return redirect(url_for("locust.index"))

    app.add_url_rule(f"{base}/password", "password", check, methods=["POST"])
