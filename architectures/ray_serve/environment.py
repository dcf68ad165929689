"""What Ray reads from its environment before it starts: privacy, equality, and tuning.

Ray's daemons and actors inherit the driver's environment, so each switch is thrown once, here.
"""

from pathlib import Path

from architectures.spec import Launch

RAY_DIRECTORY = "r"
HAPROXY_DIRECTORY = "h"

_SOCKET_PATH_LIMIT_BYTES = 107
_RAY_SOCKET = f"/{RAY_DIRECTORY}/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store"
_HAPROXY_SOCKET = f"/{HAPROXY_DIRECTORY}/{56 * 'f'}/metrics.sock"

_EQUAL_FOR_ALL = {
    # Ray's usage report would go out to the internet during a trial.
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray runs workers at nice 15: on a shared core everybody else would go first.
    "RAY_worker_niceness": "0",
    # Ray's own switch (meant for laptops) to use 127.0.0.1 as the node's address: GCS, raylet,
    # agents and workers then listen on loopback alone.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Both ingresses call this for what they lack of the contract.
    "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "architectures.ray_serve.middlewares.middlewares",
    # A direct-ingress replica would wait 30 s for late clients before it stops.
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "0",
}

_TUNED = {
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    # User code on the replica's own loop, gRPC between deployments, buffered logs.
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    # A stage's tensors may be larger than gRPC's 4 MB.
    "RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH": str(64 * 1024 * 1024),
    # Four spinning threads on a core or two only disturb each other.
    "RAY_SERVE_HAPROXY_NBTHREAD": "1",
    # An image in one buffer: read and passed on once, not by 16 kB.
    "RAY_SERVE_HAPROXY_TUNE_BUFSIZE": str(64 * 1024),
    # A datagram a request to a Python actor, for metrics that /metrics already has.
    "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
    # Background work on the core that serves: ask once a second, report once a minute.
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "1",
    "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "10000",
    "RAY_metrics_report_interval_ms": "60000",
}


def environment(launch: Launch) -> dict[str, str]:
    """The variables of one deployment: all private paths and ports, and its ingress's flags.

    Raises:
        ValueError: the deployment's directory is too long for Ray's unix sockets.
    """
    directory = str(launch.directory)
    _check_length(directory)
    private = {
        "HOME": directory,
        "RAY_TMPDIR": directory,
        # Two clusters on one machine would meet on these.
        "DASHBOARD_METRIC_PORT": str(launch.port()),
        "AUTOSCALER_METRIC_PORT": str(launch.port()),
        **_EQUAL_FOR_ALL,
    }
    if launch.variant.options["ingress"] == "haproxy":
        return {**private, **_TUNED, **_haproxy(launch)}
    return private


def _check_length(directory: str) -> None:
    longest = max(len(_RAY_SOCKET), len(_HAPROXY_SOCKET))
    if len(directory.encode()) + longest > _SOCKET_PATH_LIMIT_BYTES:
        raise ValueError(
            f"the deployment's directory {directory} is too long for Ray's unix sockets: it may "
            f"have {_SOCKET_PATH_LIMIT_BYTES - longest} bytes; choose one directly below /tmp"
        )


def _haproxy(launch: Launch) -> dict[str, str]:
    """HAProxy's files and ports, which are the machine's by default."""
    folder = Path(launch.directory, HAPROXY_DIRECTORY)
    first = launch.port()
    # One port a replica; Serve passes over those that are taken.
    spare = 32 + len(launch.claim.cores)
    paths = {
        "CONFIG_FILE_LOC": folder / "haproxy.cfg",
        "SOCKET_PATH": folder / "admin.sock",
        "SERVER_STATE_BASE": folder,
        "SERVER_STATE_FILE": folder / "state",
        "METRICS_SOCKET_PATH": folder / "metrics.sock",
        # Nobody listens there: access logs are off, as in every architecture.
        "LOG_TARGET": folder / "no-log",
        "METRICS_PORT": launch.port(),
        "STATS_PORT": launch.port(),
    }
    return {
        **{f"RAY_SERVE_HAPROXY_{name}": str(value) for name, value in paths.items()},
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(launch.port()),
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(first),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(first + spare),
    }
