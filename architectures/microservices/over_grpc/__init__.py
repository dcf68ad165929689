"""Hops over gRPC in the Open Inference Protocol, version 2: Triton, MLServer and KServe speak it.

A stage is a model; its inputs and outputs are named tensors whose first side counts the members.
"""

from collections.abc import Mapping
from typing import Final

from architectures.contract import MAX_BODY_BYTES
from architectures.spec import ServingPolicy

SERVICE: Final = "inference.GRPCInferenceService"

GRACE_S: Final = 0.25
"""A hop's deadline lies so far after the request's own, which then always comes first."""

MEMBERS: Final = "members"
"""Parameter of our own messages: how many members; each is then answered or refused by itself."""

PROBLEMS: Final = "problems"
"""Parameter: the refused members, JSON ``[[index, slug, status, detail], ...]``."""

TIMES: Final = ("queue_ns", "compute_ns", "batch_size")
"""Parameters: of each answered member in order, a JSON list of integers."""


def channel_options(policy: ServingPolicy) -> list[tuple[str, int]]:
    """What both ends agree on: message sizes, and connections that stay open and are watched."""
    largest_bytes = policy.max_batch * MAX_BODY_BYTES
    alive_ms = round(policy.keep_alive_s * 500)
    return [
        ("grpc.max_send_message_length", largest_bytes),
        ("grpc.max_receive_message_length", largest_bytes),
        ("grpc.keepalive_time_ms", alive_ms),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", alive_ms // 2),
    ]


ONLY_CALLER: Final[Mapping[str, int]] = {
    "grpc.enable_http_proxy": 0,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.min_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,
}

ONLY_SERVER: Final[Mapping[str, int]] = {
    "grpc.so_reuseport": 0,  # a taken port is an error, never shared with a stranger
}
