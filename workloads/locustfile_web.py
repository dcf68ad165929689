"""A session of Locust's web UI: each Start is an attempt, with a plan frozen before it is played.

Locust's page stays what it is; three of its answers are ours: the page itself, which shows our
fields as they were last asked for and our tabs, what Start does, and what Stop does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent
import pyarrow as pa
from flask import jsonify, render_template, request
from flask.typing import ResponseReturnValue
from locust.runners import STATE_INIT, STATE_STOPPED, MasterRunner

from workloads.arrivals import WorkloadError
from workloads.locustfile_arguments import FIELDS
from workloads.locustfile_conductor import Conductor
from workloads.locustfile_part import MOST_IN_FLIGHT
from workloads.locustfile_roll import Roll
from workloads.locustfile_web_guard import Guard
from workloads.locustfile_web_login import read_password, require
from workloads.locustfile_web_tabs import fill, forget_figures, tabs
from workloads.payloads import read_labels
from workloads.plan import read_plan, write_plan
from workloads.web_form import MOST_REQUESTS, asked, draw, example_of_mix

_IDLE_LIMIT_S = 15.0
"""For workers to come, or to come back from the attempt before."""

_BEGIN_LIMIT_S = 5.0
_MOST_FORM_BYTES = 1 << 16

_OPEN_OUR_FIELDS = """<script>
const opened = new WeakSet();
new MutationObserver(() => {
  for (const head of document.querySelectorAll("form [aria-expanded=false]")) {
    if (opened.has(head) || head.textContent !== "Custom parameters") continue;
    opened.add(head);
    head.click();
  }
}).observe(document.body, {childList: true, subtree: true});
</script>"""
"""Our fields stand in a part of Locust's form that is folded in; they are what is asked here."""


@dataclass(frozen=True, slots=True)
class Led:
    """What leads the workers, in the process that also serves the page."""

    environment: Any
    conductor: Conductor
    roll: Roll


def open_web_ui(led: Led) -> None:
    """Make Locust's web UI, not started yet, a session's: guarded, with our fields and tabs.

    Raises:
        WorkloadError: it would listen where others reach it, and has no password.
    """
    web_ui, options = led.environment.web_ui, led.environment.parsed_options
    file = options.web_password_file
    password = read_password(Path(file) if file else None, web_ui.host)
    if password is not None:
        require(web_ui, password)
    elif web_ui.web_login:
        raise WorkloadError("--web-login asks for a password: name its file, --web-password-file")
    app = web_ui.app
    app.debug = False
    # The form's fields stand in our order, not in that of the alphabet.
    app.jinja_env.policies["json.dumps_kwargs"] = {"sort_keys": False}
    app.config["MAX_CONTENT_LENGTH"] = _MOST_FORM_BYTES
    app.wsgi_app = Guard(app.wsgi_app, web_ui.host)
    panels = Path(options.panels) if options.panels else None
    fill(app, panels)
    session = Session(led, panels)
    _answer(web_ui, "index", session.page)
    _answer(web_ui, "swarm", session.start)
    _answer(web_ui, "stop", session.stop)


def _answer(web_ui: Any, name: str, view: Callable[[], ResponseReturnValue]) -> None:
    web_ui.app.view_functions[f"locust.{name}"] = web_ui.auth_required_if_enabled(view)


class Session:
    """The attempts of one web UI.

    Args:
        led: the workers.
        panels: the file of our tabs; None where there are none.
    """

    def __init__(self, led: Led, panels: Path | None) -> None:
        self._environment = led.environment
        self._runner: Any = led.environment.runner
        self._options: Any = led.environment.parsed_options
        self._conductor = led.conductor
        self._roll = led.roll
        self._panels = panels
        self._out = Path(self._options.out) if self._options.out else None
        self._plan = Path(self._options.plan) if self._options.plan else None
        self._host = led.environment.host
        self._graphs = [name for name in self._options.graphs.split(",") if name]
        self._example = example_of_mix(read_labels(Path(self._options.payloads)))
        self._attempts = 0
        self._starting = False
        led.conductor.finished.set()

    def page(self) -> ResponseReturnValue:
        """Locust's own page."""
        web_ui = self._environment.web_ui
        web_ui.update_template_args()
        shown = {**web_ui.template_args, "extra_options": self._fields(), **tabs(self._panels)}
        html = render_template("index.html", template_args=shown)
        return html.replace("</body>", f"{_OPEN_OUR_FIELDS}</body>")

    def _fields(self) -> dict[str, dict[str, Any]]:
        """Ours in Locust's form, with what was last asked for."""
        known = self._environment.web_ui.template_args["extra_options"]
        fields: dict[str, dict[str, Any]] = {
            name: {
                **known[name],
                "default_value": str(getattr(self._options, name)).removesuffix(".0"),
                "help_text": text,
            }
            for name, text in FIELDS.items()
        }
        fields["mix"]["help_text"] += self._example
        if self._graphs:
            fields["graph"]["choices"] = self._graphs
        return fields

    def start(self) -> ResponseReturnValue:
        """Begin an attempt as the form asks, or say why not; then nothing has begun."""
        try:
            return self._told(success=True, message=self._start(request.form))
        except (WorkloadError, OSError, pa.ArrowInvalid) as error:
            return self._told(success=False, message=str(error))

    def stop(self) -> ResponseReturnValue:
        """End the attempt early; what is in flight is waited for, and samples are saved."""
        if self._conductor.finished.is_set():
            return self._told(success=True, message="Nothing is being played.")
        self._conductor.stop("stopped in the page")
        return self._told(success=True, message="Ending: what is in flight is waited for.")

    def _told(self, *, success: bool, message: str) -> ResponseReturnValue:
        return jsonify({"success": success, "message": message, "host": self._host})

    def _start(self, form: Mapping[str, str]) -> str:
        if self._starting or not self._conductor.finished.is_set():
            raise WorkloadError("an attempt is being played; stop it, or wait for its end")
        self._starting = True
        try:
            self._see_that_it_is_this_server(form.get("host", ""))
            self._await_workers()
            return self._begin({**vars(self._options), **_ours(form)})
        finally:
            self._starting = False

    def _begin(self, form: Mapping[str, Any]) -> str:
        wanted = asked(form, self._graphs, MOST_IN_FLIGHT - 1, MOST_REQUESTS)
        payloads = Path(self._options.payloads)
        if self._plan is None:
            plan = draw(wanted.header, payloads, wanted.mix_by)
        else:
            plan = read_plan(self._plan)
        vars(self._options).update(
            {name: type(getattr(self._options, name))(form[name]) for name in FIELDS}
        )
        if self._out is not None:
            folder = self._new_folder(self._out)
            write_plan(folder / "plan.parquet", plan)
            self._options.out = str(folder)
            self._options.plan = str(folder / "plan.parquet")
            self._conductor.say(f"attempt {self._attempts} {folder}")
        self._conductor.begin()
        self._runner.start_shape()
        self._await_begin()
        return f"{len(plan.offsets_ns):,} requests in {plan.duration_s:g} s"

    def _await_begin(self) -> None:
        """Answer only when the page, asking at once, would be told that it is being played."""
        with gevent.Timeout(_BEGIN_LIMIT_S, exception=False):
            while self._runner.state == STATE_INIT:
                gevent.sleep(0.01)
        forget_figures(self._environment.web_ui.app)

    def _new_folder(self, out: Path) -> Path:
        while True:
            self._attempts += 1
            folder = out.resolve() / f"attempt-{self._attempts}"
            if not folder.exists():
                folder.mkdir(parents=True)
                return folder

    def _see_that_it_is_this_server(self, host: str) -> None:
        """A form must not turn a session's load on another server than the one it measures."""
        given = host.strip().rstrip("/")
        if given and self._host and given != self._host.rstrip("/"):
            raise WorkloadError(
                f"host = {given!r}: this session is of {self._host}; start another one for that"
            )
        if not self._host:
            self._environment.host = self._host = given

    def _await_workers(self) -> None:
        """Wait until every worker is here, and back from the attempt before.

        Raises:
            WorkloadError: one is not.
        """
        with gevent.Timeout(_IDLE_LIMIT_S, exception=False):
            while not self._idle():
                gevent.sleep(0.05)
        if self._idle():
            return
        lost = ", ".join(self._roll.missing())
        if lost:
            raise WorkloadError(f"{lost} has gone; end this session and start another one")
        raise WorkloadError("not every load worker is ready yet; press Start again in a moment")

    def _idle(self) -> bool:
        runner, crew = self._runner, self._roll.crew
        here = not isinstance(runner, MasterRunner) or len(runner.clients.ready) == crew.workers
        still = runner.shape_greenlet is None and runner.state in (STATE_INIT, STATE_STOPPED)
        return still and here and self._roll.complete.is_set()


def _ours(form: Mapping[str, str]) -> dict[str, str]:
    """Our fields alone: Locust would set whatever option a form names, files to write included."""
    return {name: form[name] for name in FIELDS if name in form}
