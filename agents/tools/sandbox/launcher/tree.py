"""The processes that descend from a solution: found, measured, killed."""

import os
import signal

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Tree:
    """All processes below this one, in a process namespace of its own or among the host's."""

    def __init__(self, *, namespace: bool) -> None:
        self._namespace = namespace

    def members(self) -> list[int]:
        """Return the processes of the tree, without this one."""
        everyone = [int(each) for each in os.listdir("/proc") if each.isdigit()]
        own = os.getpid()
        if self._namespace:
            return [each for each in everyone if each != own]
        parents = {each: _parent(each) for each in everyone}
        found = {own}
        grown = True
        while grown:
            children = {each for each, parent in parents.items() if parent in found}
            grown = not children <= found
            found |= children
        return [each for each in found if each != own]

    def memory(self, members: list[int], limit: int) -> int:
        """Return the memory in use, in bytes.

        Shared pages are counted once only where that decides whether *limit* is kept: asking
        the kernel for shares is slow.
        """
        resident = sum(_resident(each) for each in members)
        if resident > limit:
            resident = sum(_share(each) for each in members)
        return resident + (_used("/dev/shm") if self._namespace else 0)

    def kill(self) -> None:
        """Kill every process of the tree: stop all first, so that none forks on meanwhile."""
        if self._namespace:
            _send(-1, signal.SIGKILL)
            return
        for each in (signal.SIGSTOP, signal.SIGKILL):
            known: set[int] = set()
            while new := set(self.members()) - known:
                for member in new:
                    _send(member, each)
                known |= new


def _parent(process: int) -> int:
    """Return the parent of a process, 0 when the process is gone or dead."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            state, parent = file.read().rpartition(b")")[2].split()[:2]
    except OSError:
        return 0
    return 0 if state in b"ZX" else int(parent)


def _resident(process: int) -> int:
    try:
        with open(f"/proc/{process}/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except OSError:
        return 0


def _share(process: int) -> int:
    """Return the process's memory with every shared page divided by those who share it."""
    try:
        with open(f"/proc/{process}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        return _resident(process)
    return 0


def _used(folder: str) -> int:
    room = os.statvfs(folder)
    return (room.f_blocks - room.f_bfree) * room.f_frsize


def _send(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return
