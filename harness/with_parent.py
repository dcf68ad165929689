"""Become a program on given cores that dies with this process's parent, however that dies.

    python -I -S with_parent.py PARENT CORES PROGRAM [ARGUMENT ...]

A step before ``exec``, since doing it between fork and exec is unsafe in a process with threads,
and doing it in the program itself is too late: importing Locust takes a second or more.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Pin, bind to the parent, and become the program."""
    parent, cores, *program = sys.argv[1:]
    os.sched_setaffinity(0, map(int, cores.split(",")))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != int(parent):  # it died before we asked
        sys.exit(1)
    os.execv(program[0], program)  # noqa: S606 - an argument vector, no shell


if __name__ == "__main__":
    main()
