"""The two small C programs measured beside, built when they are needed and ended with the block."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic_ns, sleep

import numpy as np
import numpy.typing as npt

HERE = Path(__file__).parent
_UP_LIMIT_S = 5.0


class ToolMissingError(Exception):
    """A program this measurement stands on is not installed; the message says how to get it."""


def tool(name: str, package: str) -> str:
    """The path of an installed program.

    Raises:
        ToolMissingError: it is not installed.
    """
    found = shutil.which(name)
    if found is None:
        raise ToolMissingError(f"{name} is not installed; `apt-get install {package}` has it")
    return found


def build(name: str, into: Path) -> Path:
    """Compile ``name.c``; returns the program."""
    program = into / name
    compiler = tool("gcc", "gcc libc6-dev")
    subprocess.run([compiler, "-O2", "-o", program, HERE / f"{name}.c"], check=True)
    return program


def pinned(core: int, *words: object) -> list[str]:
    """A command line that may use one core only."""
    return ["taskset", "-c", str(core), *map(str, words)]


@contextmanager
def sink(program: Path, core: int) -> Iterator[tuple[str, int]]:
    """The server that costs next to nothing: its address and process, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(pinned(core, program, port)) as process:
        try:
            _await_listening(port)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.kill()


def _await_listening(port: int) -> None:
    end_ns = monotonic_ns() + int(_UP_LIMIT_S * 1e9)
    while monotonic_ns() < end_ns:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}")


def control_lags_ns(
    program: Path, core: int, offsets_ns: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """How late ``clock_nanosleep`` wakes at each offset, on one core: the machine's own noise."""
    done = subprocess.run(
        pinned(core, program), input=offsets_ns.tobytes(), stdout=subprocess.PIPE, check=True
    )
    return np.frombuffer(done.stdout, dtype=np.int64)
