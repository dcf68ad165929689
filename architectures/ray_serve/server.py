"""Serve's driver: starts a private Ray, deploys the ensemble, and ends all it started.

``python -m architectures.ray_serve.server``, in the environment that the blueprint made.
"""

import contextlib
import logging
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from architectures.plugin import EnsembleError, load_ensemble
from architectures.ray_serve import haproxy
from architectures.ray_serve.environment import HAPROXY_DIRECTORY, RAY_DIRECTORY
from architectures.server_config import HOST, ServerConfig, from_environment

_OBJECT_STORE_BYTES = 256 * 1024 * 1024
# Given twice: Serve keeps its own processes' setting apart from the deployments'.
_LOGGING = {"enable_access_log": False, "log_level": "WARNING"}


class StartError(Exception):
    """Ray or the application did not come up."""


def main() -> None:
    """Serve until SIGTERM or SIGINT; leave nothing behind."""
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    config = from_environment()
    signal.signal(signal.SIGTERM, _end)
    try:
        # Importing an ensemble loads no model: a wrong name is said at once, without Ray.
        load_ensemble(config.ensemble)
        with _ray(config), _serve(config):
            _deploy(config)
            signal.pause()
    except (StartError, EnsembleError, haproxy.HAProxyError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(0)


def _end(_number: int, _frame: object) -> None:
    sys.exit(0)


def _let_nothing_interrupt() -> None:
    for ignored in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ignored, signal.SIG_IGN)


@contextlib.contextmanager
def _ray(config: ServerConfig) -> Iterator[None]:
    """A Ray of our own, ended whatever happens."""
    if config.options["ingress"] == "haproxy":
        haproxy.launch_from(Path(config.directory, HAPROXY_DIRECTORY))
    import ray

    try:
        _start_ray(config)
        # ray.init has put its own handler there, which exits with the signal's number.
        signal.signal(signal.SIGTERM, _end)
        yield
    finally:
        _let_nothing_interrupt()
        ray.shutdown()


def _start_ray(config: ServerConfig) -> None:
    import ray

    try:
        ray.init(
            num_cpus=config.cores,
            include_dashboard=False,
            object_store_memory=_OBJECT_STORE_BYTES,
            _temp_dir=str(Path(config.directory, RAY_DIRECTORY)),
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except Exception as error:
        # Ray raises a bare Exception where its daemons are not up within its own 30 s.
        raise StartError(
            f"Ray did not start: {error} Ray's daemons need 6 CPU-seconds of the SUT's cores; "
            "leave those cores to the SUT, or give it more"
        ) from error


@contextlib.contextmanager
def _serve(config: ServerConfig) -> Iterator[None]:
    """Serve's controller and its ingress, which outlives a Ray that is ended without it."""
    from ray import serve

    # Serve's own logger says on stderr, at INFO, that all is well.
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    try:
        serve.start(
            proxy_location="HeadOnly",
            http_options={
                "host": HOST,
                "port": config.port,
                "keep_alive_timeout_s": round(config.policy.keep_alive_s),
            },
            logging_config=_LOGGING,
        )
        yield
    finally:
        _let_nothing_interrupt()
        serve.shutdown()  # type: ignore[no-untyped-call]


def _deploy(config: ServerConfig) -> None:
    from ray import serve

    from architectures.ray_serve.application import build
    from architectures.ray_serve.replicas import READY_FILE

    try:
        serve.run(build(config), name="servebench", route_prefix="/", logging_config=_LOGGING)
    except RuntimeError as error:
        raise StartError(f"{error} {_causes()}") from error
    if config.options["ingress"] == "haproxy":
        haproxy.await_settled(Path(config.directory, HAPROXY_DIRECTORY))
    Path(config.directory, READY_FILE).touch()


def _causes() -> str:
    """What ended each deployment that did not start: the last line of its replica's traceback."""
    from ray import serve

    deployments = serve.status().applications["servebench"].deployments
    return " ".join(
        f"Deployment {name!r}: {deployment.message.strip().splitlines()[-1].strip()}."
        for name, deployment in deployments.items()
        if deployment.message.strip()
    )


if __name__ == "__main__":
    main()
