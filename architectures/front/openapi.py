"""The OpenAPI document of an ensemble's graphs: bodies, answers and problems."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from architectures import contract
from architectures.graph import Graph
from architectures.plugin import Ensemble
from architectures.server_config import ServerConfig

_PROBLEMS = {
    400: "The body is empty, or a header is malformed.",
    405: "The path takes another method.",
    413: "The body is larger than allowed.",
    415: "The media type is not one of those accepted.",
    422: "The body is not what its media type says, or a stage refused it.",
    500: "The server failed.",
    503: "Too many requests are being served already; see Retry-After.",
    504: "The deadline passed.",
}

_PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri"},
    },
}

_HEADERS_OUT: dict[str, Any] = {
    contract.REQUEST_ID_HEADER: {"schema": {"type": "string"}},
    contract.SERVER_TIMING_HEADER: {
        "description": "One entry a stage, milliseconds: wall, queue, compute; and the batch size.",
        "schema": {"type": "string"},
    },
}

_PARAMETERS: list[dict[str, Any]] = [
    {
        "name": contract.REQUEST_ID_HEADER,
        "in": "header",
        "description": "Echoed in the answer; made up where it is missing.",
        "schema": {"type": "string", "maxLength": 128},
    },
    {
        "name": contract.TIMEOUT_HEADER,
        "in": "header",
        "description": "Seconds this request may take.",
        "schema": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": contract.MAX_TIMEOUT_S,
        },
    },
]


_ADMIN_PROBLEMS = (400, 401, 403, 404, 413, 500)


def document(config: ServerConfig, ensemble: Ensemble) -> dict[str, Any]:
    """The whole document, ready to be sent."""
    paths: dict[str, Any] = {
        contract.graph_path(graph.name): {
            "post": _operation(graph, graph.endpoint.media_types or ensemble.MEDIA_TYPES)
        }
        for graph in ensemble.GRAPHS.values()
    }
    if hasattr(ensemble, "load_admin"):
        actions = ensemble.load_admin(config.ensemble.tier).actions
        paths |= {contract.ADMIN_PREFIX + name: _action(actions[name]) for name in actions}
    paths[contract.HEALTH_PATH] = _get("The process is alive.", "text/plain")
    paths[contract.READY_PATH] = _get("Requests can be answered; 503 until then.", "text/plain")
    paths[contract.INFO_PATH] = _get("Who is serving, and with what.", "application/json")
    paths[contract.METRICS_PATH] = _get("Prometheus metrics.", "text/plain")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"servebench {config.architecture}:{config.variant}",
            "version": ensemble.describe(config.ensemble.tier).weights_digest[:12] or "0",
        },
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM_SCHEMA},
            "securitySchemes": {
                "admin": {"type": "apiKey", "in": "header", "name": contract.ADMIN_KEY_HEADER}
            },
        },
    }


def _operation(graph: Graph, media_types: Sequence[str]) -> dict[str, Any]:
    responses: dict[str, Any] = {
        "200": {
            "description": "The answer.",
            "headers": _HEADERS_OUT,
            "content": {"application/json": {"schema": dict(graph.answer_schema)}},
        },
        **{str(status): _problem(meaning) for status, meaning in _PROBLEMS.items()},
        "default": _problem("A stage refused the request; `type` says why."),
    }
    bodies = {name: {"schema": _body(name, graph.endpoint.body_schema)} for name in media_types}
    return {
        "operationId": graph.name,
        "summary": f"Run the {graph.name} graph: {', '.join(graph.stages)}.",
        "parameters": [*_PARAMETERS, *map(_header, graph.endpoint.headers)],
        "requestBody": {"required": True, "content": bodies},
        "responses": responses,
    }


def _body(media_type: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """What may be sent; what a JSON document must hold beyond its schema, the stages say."""
    if media_type == "application/json":
        return dict(schema)
    return {"type": "string", "format": "binary", "minLength": 1}


def _header(name: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "schema": {"type": "string"}}


def _problem(meaning: str) -> dict[str, Any]:
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": meaning, "content": {contract.PROBLEM_MEDIA_TYPE: problem}}


def _action(meaning: str) -> dict[str, Any]:
    responses: dict[str, Any] = {
        "200": {
            "description": "What was done.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        **{str(status): _problem(HTTPStatus(status).phrase) for status in _ADMIN_PROBLEMS},
        "default": _problem("The action cannot be carried out; `type` says why."),
    }
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    return {
        "post": {
            "summary": meaning,
            "security": [{"admin": []}],
            "requestBody": body,
            "responses": responses,
        }
    }


def _get(meaning: str, media_type: str) -> dict[str, Any]:
    return {"get": {"responses": {"200": {"description": meaning, "content": {media_type: {}}}}}}
