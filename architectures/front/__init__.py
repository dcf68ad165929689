"""The one HTTP door: whatever runs the graphs behind it, the contract is answered here.

Monolith, gateway and Ray ingress all mount this application, so none can be faster or more
lenient at the door than another.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from architectures import contract
from architectures.contract import Problem
from architectures.front.admin import add_admin_routes
from architectures.front.admission import Admission
from architectures.front.aside import Aside
from architectures.front.door import Door, Run
from architectures.front.info import ServerInfo, server_info
from architectures.front.metrics import FrontMetrics
from architectures.front.openapi import document
from architectures.front.refusal import problem_response
from architectures.front.reply import request_id_of
from architectures.plugin import Ensemble
from architectures.server_config import ServerConfig

__all__ = ["Lifespan", "Run", "create_app"]

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    config: ServerConfig,
    ensemble: Ensemble,
    run: Run,
    *,
    queue_bound: int,
    remote: Collection[str] = (),
    ready: Callable[[], bool] = lambda: True,
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """Build the application that answers the contract for every graph of an ensemble.

    Args:
        config: who this process is; repeated in ``/v1/info``.
        ensemble: its graphs give the paths, its media types what is accepted. No stage is loaded.
        run: walks one admitted request, ``{"body": bytes, "media_type": str}``, through a graph.
            It is cancelled at the deadline and when the client leaves.
        queue_bound: most requests admitted at once by this process; the next one gets 503.
        remote: stages that are called over a hop, for ``/v1/info``.
        ready: whether ``/readyz`` may answer 200.
        lifespan: what the wiring opens and closes with the application, as FastAPI defines it.
    """
    metrics = FrontMetrics()
    admission = Admission(queue_bound, metrics)
    aside = Aside(config.policy.detached_bound, metrics)
    doors = {
        contract.graph_path(graph.name): Door(
            graph,
            run,
            admission,
            metrics,
            media_types=graph.endpoint.media_types or ensemble.MEDIA_TYPES,
            deadline_s=config.policy.deadline_s,
            aside=aside,
        )
        for graph in ensemble.GRAPHS.values()
    }
    # Telemetry hooks, documentation pages and slash redirects all cost time or break the contract.
    app = _Front(
        doors,
        title="servebench",
        openapi_url=contract.OPENAPI_PATH,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_ended_before(aside, lifespan),
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.add_exception_handler(HTTPException, _refuse)
    schema = document(config, ensemble)
    app.openapi = lambda: schema  # type: ignore[method-assign]
    _add_service_routes(app, server_info(config, ensemble, remote), metrics, ready)
    if hasattr(ensemble, "load_admin"):
        add_admin_routes(app, ensemble.load_admin(config.ensemble.tier))
    return app


def _ended_before(aside: Aside, lifespan: Lifespan | None) -> Lifespan:
    """The wiring's lifespan, told of the end when no walk uses what it opened any more."""

    @asynccontextmanager
    async def around(app: FastAPI) -> AsyncIterator[None]:
        async with lifespan(app) if lifespan else nullcontext():
            yield
            await aside.close()

    return around


class _Front(FastAPI):
    """Takes a graph's requests to their door before middleware and routing see them."""

    def __init__(self, doors: Mapping[str, Door], **options: Any) -> None:
        super().__init__(**options)
        self._doors = doors
        for path, door in doors.items():  # found by routing too, under a proxy's path prefix
            self.router.routes.append(Route(path, door))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = self._doors.get(scope["path"]) if scope["type"] == "http" else None
        if door is None:
            await super().__call__(scope, receive, send)
        else:
            await door(scope, receive, send)


def _add_service_routes(
    app: FastAPI, info: ServerInfo, metrics: FrontMetrics, ready: Callable[[], bool]
) -> None:
    async def healthz() -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        if ready():
            return PlainTextResponse("ready\n")
        loading = Problem("not-ready", 503, "Models are still loading; ask again in a second.")
        later = {"Retry-After": str(contract.RETRY_AFTER_S)}
        return problem_response(request_id_of(request.scope["headers"]), loading, later)

    async def about() -> ServerInfo:
        return info

    async def exposition() -> Response:
        return Response(metrics.exposition(), media_type=metrics.media_type)

    app.get(contract.HEALTH_PATH)(healthz)
    app.get(contract.READY_PATH)(readyz)
    app.get(contract.INFO_PATH)(about)
    app.get(contract.METRICS_PATH)(exposition)


async def _refuse(request: Request, error: Exception) -> Response:
    """Answer the router's own refusals, unknown path and wrong method, as problems."""
    if not isinstance(error, HTTPException):
        raise error
    path = quote(request.url.path)
    status = HTTPStatus(error.status_code)
    details = {
        HTTPStatus.NOT_FOUND: f"There is nothing at {path}; {contract.OPENAPI_PATH} lists paths.",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{path} does not take {request.method}.",
    }
    slug = status.phrase.lower().replace(" ", "-")
    problem = Problem(slug, status.value, details.get(status, str(error.detail)))
    return problem_response(
        request_id_of(request.scope["headers"]), problem, dict(error.headers or {})
    )
