"""The monolith's process: load once, fork the workers, serve.

``python -m architectures.monolith.server``, started by a deployment.
"""

import gc
import os
from pathlib import Path

from architectures.front.metrics import DIRECTORY_VARIABLE
from architectures.front.serve import listening_socket
from architectures.monolith import worker_count
from architectures.monolith.prefork import supervise
from architectures.monolith.worker import Worker
from architectures.plugin import Ensemble, Loaded, load_ensemble, load_stages
from architectures.server_config import ServerConfig, from_environment


def main() -> int:
    """Serve until told to stop; the exit code."""
    config = from_environment()
    ensemble = load_ensemble(config.ensemble)
    worker = Worker(config, ensemble, _load(config, ensemble))
    # What is loaded lives as long as the process: the collector need not walk it again, nor, by
    # writing to it, copy in every worker the pages they share.
    gc.collect()
    gc.freeze()
    count = worker_count(config)
    if count == 1:
        worker.serve(listening_socket(config.port), config.policy.queue_bound)
        return 0
    if DIRECTORY_VARIABLE in os.environ:
        Path(os.environ[DIRECTORY_VARIABLE]).mkdir(parents=True, exist_ok=True)
    return supervise(worker.serve, config.port, shares(config.policy.queue_bound, count))


def _load(config: ServerConfig, ensemble: Ensemble) -> Loaded:
    return load_stages(ensemble, config.ensemble, ensemble.STAGES, config.policy.torch_threads)


def shares(queue_bound: int, workers: int) -> list[int]:
    """Split the deployment's queue bound over its workers; each gets at least one place."""
    quotient, rest = divmod(queue_bound, workers)
    return [max(1, quotient + (i < rest)) for i in range(workers)]


if __name__ == "__main__":
    raise SystemExit(main())
