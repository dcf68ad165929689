"""The OpenAPI document of an ensemble's graphs: bodies, answers and problems."""

from collections.abc import Sequence
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


def document(config: ServerConfig, ensemble: Ensemble) -> dict[str, Any]:
    """The whole document, ready to be sent."""
    paths: dict[str, Any] = {
        contract.graph_path(graph.name): {
            "post": _operation(graph, graph.endpoint.media_types or ensemble.MEDIA_TYPES)
        }
        for graph in ensemble.GRAPHS.values()
    }
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
        "components": {"schemas": {"Problem": _PROBLEM_SCHEMA}},
    }


def _operation(graph: Graph, media_types: Sequence[str]) -> dict[str, Any]:
    image = {"schema": {"type": "string", "format": "binary"}}
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    responses: dict[str, Any] = {
        "200": {
            "description": "The answer.",
            "headers": _HEADERS_OUT,
            "content": {"application/json": {"schema": dict(graph.answer_schema)}},
        }
    }
    for status, meaning in _PROBLEMS.items():
        responses[str(status)] = {
            "description": meaning,
            "content": {contract.PROBLEM_MEDIA_TYPE: problem},
        }
    return {
        "operationId": graph.name,
        "summary": f"Run the {graph.name} graph: {', '.join(graph.stages)}.",
        "parameters": _PARAMETERS,
        "requestBody": {"required": True, "content": dict.fromkeys(media_types, image)},
        "responses": responses,
    }


def _get(meaning: str, media_type: str) -> dict[str, Any]:
    return {"get": {"responses": {"200": {"description": meaning, "content": {media_type: {}}}}}}
