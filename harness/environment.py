"""Where a run was made: what must agree before runs may be compared, and what merely describes."""

import datetime as dt
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from architectures.spec import ResourceClaim
from harness.gpu import describe_gpus
from harness.record import EnsembleRecord, Environment

_LIBRARIES = (
    "torch", "numpy", "pillow", "fastapi", "starlette", "uvicorn", "uvloop", "httptools",
    "aiohttp", "ray", "locust", "gevent", "geventhttpclient", "pydantic",
)  # fmt: skip
_ROOT = Path(__file__).parent.parent
_GIB = 2**30


class EnvironmentTooSmallError(Exception):
    """The machine has not what the scenario asks for."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Who runs where: the SUT on the last cores, everything that measures it on others."""

    sut: tuple[int, ...]
    harness: tuple[int, ...]

    def claim(self, memory_gib: float) -> ResourceClaim:
        """The SUT's budget."""
        return ResourceClaim(self.sut, int(memory_gib * _GIB))


def assign_cores(
    wanted: int,
    allowed: set[int] | None = None,
    siblings: Callable[[int], set[int]] | None = None,
) -> Cores:
    """Part the cores this process may use.

    Hardware threads that share a core with one of the SUT's are left idle where others are to be
    had: a load generator there would slow the SUT down by how much it is asked.

    Args:
        wanted: cores of the SUT.
        allowed: core numbers; by default those of this process's affinity.
        siblings: the hardware threads that share a core with the given one, itself included; by
            default as the kernel tells.

    Raises:
        EnvironmentTooSmallError: none would be left for the load generator.
    """
    cores = sorted(os.sched_getaffinity(0) if allowed is None else allowed)
    if wanted >= len(cores):
        raise EnvironmentTooSmallError(
            f"budget.cores = {wanted}, but this machine lets us use {len(cores)}: the load "
            "generator needs at least one of its own, or it would take time from what it "
            f"measures; ask for at most {len(cores) - 1}"
            + ("" if len(cores) > 1 else ", on a machine of two cores or more")
        )
    sut, others = cores[-wanted:], cores[:-wanted]
    shared = set().union(*map(siblings or read_siblings, sut))
    return Cores(tuple(sut), tuple(core for core in others if core not in shared) or tuple(others))


def read_siblings(core: int) -> set[int]:
    """The hardware threads of one core, the given one included."""
    path = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
    if not path.exists():
        return {core}
    found: set[int] = set()
    for part in path.read_text().strip().split(","):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


@contextmanager
def pinned(cores: Cores) -> Iterator[None]:
    """Keep this process, which draws, reads usage and waits, off the SUT's cores meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores.harness)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def read_environment(ensemble: EnsembleRecord, claim: ResourceClaim) -> Environment:
    """Fingerprint this machine, its software and the ensemble."""
    return Environment(
        fingerprint={
            "machine": platform.machine(),
            "cpu_model": _cpu_model(),
            "machine_cores": str(os.cpu_count()),
            "sut_cores": str(len(claim.cores)),
            "sut_memory_bytes": str(claim.memory_bytes),
            "cgroup_limits": _cgroup_limits(),
            "python": f"{platform.python_implementation()} {platform.python_version()}",
            "weights_digest": ensemble.weights_digest,
            **_versions(),
        },
        description={
            "kernel": platform.release(),
            "host": _host(),
            "memory_gib": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / _GIB:.1f}",
            "governor": _governor(),
            "gpu": describe_gpus(),
            "threads_a_core": str(len(read_siblings(claim.cores[0]))),
            "load_average": " ".join(f"{load:.2f}" for load in os.getloadavg()),
            "pressure": "yes" if Path("/proc/pressure/cpu").exists() else "the kernel tells none",
            **_revision(),
        },
    )


def now_utc() -> dt.datetime:
    """The wall clock, for names and stamps only."""
    return dt.datetime.now(dt.UTC)


def package_version() -> str:
    """This program's version."""
    return _version("servebench")


def _versions() -> dict[str, str]:
    return {name: _version(name) for name in _LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _host() -> str:
    """A digest of the host's name: it tells hosts apart, and a shared record names none."""
    return sha256(platform.node().encode()).hexdigest()[:12]


def _governor() -> str:
    path = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return path.read_text().strip() if path.exists() else "not ours to see"


def _cgroup_limits() -> str:
    """CPU quota and memory limit, of cgroup version 2 or 1; cores alone do not tell them."""
    files = {
        "cpu": ("cpu.max", "cpu/cpu.cfs_quota_us"),
        "memory": ("memory.max", "memory/memory.limit_in_bytes"),
    }
    root = Path("/sys/fs/cgroup")
    found = {
        name: (root / path).read_text().strip()
        for name, paths in files.items()
        for path in paths
        if (root / path).is_file()
    }
    return ", ".join(f"{name} {limit}" for name, limit in found.items()) or "none"


def _revision() -> dict[str, str]:
    """The source's revision, where it lies in a git checkout."""
    git = shutil.which("git")
    if git is None or not (_ROOT / ".git").exists():
        return {"revision": "no git checkout"}

    def ask(*words: str) -> str:
        done = subprocess.run(
            [git, "-C", str(_ROOT), *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    dirty = ask("status", "--porcelain", "--untracked-files=no")
    return {"revision": ask("rev-parse", "HEAD"), "changed_files": str(len(dirty.splitlines()))}
