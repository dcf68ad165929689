"""The monolith's process: load once, fork the workers, serve.

``python -m architectures.monolith.server``, started by a deployment.
"""

import gc
import os
from pathlib import Path

from architectures.front.metrics import DIRECTORY_VARIABLE
from architectures.front.serve import listening_socket
from architectures.graph import Stage
from architectures.monolith import worker_count
from architectures.monolith.prefork import supervise
from architectures.monolith.worker import Worker
from architectures.plugin import Ensemble, load_ensemble
from architectures.server_config import ServerConfig, from_environment


def main() -> int:
    """Serve until told to stop; the exit code."""
    config = from_environment()
    ensemble = load_ensemble(config.ensemble)
    worker = Worker(config, ensemble, load_stages(config, ensemble))
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


def load_stages(config: ServerConfig, ensemble: Ensemble) -> dict[str, Stage]:
    """Load every stage once, and run none: a torch that has run threads cannot be forked."""
    choice, threads = config.ensemble, config.policy.torch_threads
    return {
        name: ensemble.load_stage(name, choice.tier, choice.device, threads)
        for name in ensemble.STAGES
    }


def shares(queue_bound: int, workers: int) -> list[int]:
    """Split the deployment's queue bound over its workers; each gets at least one place."""
    quotient, rest = divmod(queue_bound, workers)
    return [max(1, quotient + (i < rest)) for i in range(workers)]


if __name__ == "__main__":
    raise SystemExit(main())
