"""Whose a process is, and its CPU time: that of ended processes stays, and is counted once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.processes import Family, Process, ProcessList, read_command, role

GENERATOR = "generator"


@dataclass(frozen=True, slots=True)
class Target:
    """Whose processes are read.

    Attributes:
        components: name -> its first process; looked at anew at every reading.
        keeper: the process that orphans of the components come to; itself not counted.
    """

    components: Mapping[str, int]
    keeper: int | None = None

    def heir(self) -> str:
        """Whose an orphan is that was never seen under its parent."""
        names = tuple(self.components)
        return names[0] if len(names) == 1 else "orphans"


@dataclass(slots=True)
class Account:
    """One process's running account.

    Attributes:
        command: as last read; a Ray worker takes its actor's title only once it has one.
        credited_s: of its collected children's CPU time, what stands in their own accounts.
        cpu_s: its own CPU-seconds and those of children that came and went between two readings.
    """

    process: Process
    component: str
    command: tuple[str, ...]
    credited_s: float = 0.0
    cpu_s: float = 0.0

    def update(self, process: Process) -> None:
        """Take a new reading of the process."""
        unseen_s = max(0.0, process.reaped_s - self.credited_s)
        # A child may be missed a moment before its parent collected it; accounts never shrink.
        self.cpu_s = max(self.cpu_s, process.own_s + unseen_s)
        self.process = process


class Accounts:
    """The account of every process seen below the targets, parents before their children."""

    def __init__(self, targets: tuple[Target, ...]) -> None:
        self.of: dict[int, Account] = {}
        self.alive: dict[int, Process] = {}
        self._first: set[int] = set()
        self._list = ProcessList()
        self._families: list[tuple[Target, Family]] = []
        for target in targets:
            keeper = set() if target.keeper is None else {target.keeper}
            self._families.append((target, Family(set(target.components.values()) | keeper)))

    def read(self) -> tuple[tuple[int, int], ...]:
        """Read every process.

        Returns:
            Each process that ended since, and the one alive that will have collected it.
        """
        processes: dict[int, Process] = {}
        listed = self._list.read()
        for target, family in self._families:
            members = family.read(listed)
            members.pop(target.keeper or 0, None)
            self._open(target, members)
            processes |= members
        ended = tuple(self._close(processes))
        for pid, process in processes.items():
            self.of[pid].update(process)
        self.alive = processes
        return ended

    def close(self) -> None:
        """Close what is kept open between readings."""
        self._list.close()
        for _, family in self._families:
            family.close()

    def read_commands(self) -> None:
        """Read command lines again."""
        for pid in self.alive:
            self.of[pid].command = read_command(pid) or self.of[pid].command

    def alive_of(self, component: str) -> list[int]:
        """Processes alive of a component."""
        return [pid for pid in self.alive if self.of[pid].component == component]

    def labels(self) -> dict[int, str]:
        """Process -> ``component``, or ``component/role`` for what a component started."""
        labels: dict[int, str] = {}
        workers: dict[str, int] = {}
        for pid, account in list(self.of.items()):  # another thread may be reading meanwhile
            name = account.component
            parent = self.of.get(account.process.parent)
            if name == GENERATOR or pid in self._first:
                labels[pid] = name
            elif parent is not None and account.command == parent.command:
                workers[name] = workers.get(name, 0) + 1
                labels[pid] = f"{name}/worker-{workers[name]}"
            else:
                labels[pid] = f"{name}/{role(account.command)}"
        return labels

    def _open(self, target: Target, members: Mapping[int, Process]) -> None:
        first = {pid: name for name, pid in dict(target.components).items()}
        self._first |= first.keys()
        for pid, process in members.items():
            if pid in self.of:
                continue
            parent = self.of.get(process.parent)
            if pid in first:
                name = first[pid]
            elif parent is not None:
                name = parent.component
            else:
                name = target.heir()
            self.of[pid] = Account(process, name, read_command(pid))

    def _close(self, alive: Mapping[int, Process]) -> Iterator[tuple[int, int]]:
        """Credit an ended process to the ancestor whose account its time will arrive in."""
        for pid in self.alive.keys() - alive.keys():
            ended = self.of[pid].process
            ancestor = ended.parent
            while ancestor in self.of and ancestor not in alive:
                ancestor = self.of[ancestor].process.parent
            if ancestor not in self.of:
                continue
            collected_s = ended.reaped_s if ended.parent == ancestor else 0.0
            self.of[ancestor].credited_s += ended.own_s + collected_s
            yield pid, ancestor
