"""The keeper: starts the solution, watches its limits, and ends all of it.

It is process 1 of its own namespace where there are namespaces: nothing of the solution outlives it.
"""

import os
import resource
import select
import signal
import time

from . import kernel, landlock, root
from .orders import Orders, Report, Step, Unprotected
from .tree import Tree

_GLANCE_SECONDS = 0.05
_SHARE = 20  # neither looking at processes nor at files takes more than this part of the time
_ENTRIES = 200_000
_OPEN_FILES = 4096
_FOREVER = float("inf")


def keep(orders: Orders) -> Report:
    """Run the solution from start to end and report how it went."""
    if orders.namespaces:
        kernel.die_with_parent(signal.SIGKILL)
        with Step("namespaces"):
            root.change(orders)
    else:
        kernel.die_with_parent(signal.SIGTERM)  # leaves time to kill the rest by hand
        kernel.adopt_orphans()
    solution = _start(orders)
    kernel.hide_memory()
    return _Watch(orders, solution).report()


class _Watch:
    """One solution under way, and what has been seen of it."""

    def __init__(self, orders: Orders, solution: int) -> None:
        self._orders = orders
        self._solution = solution
        self._tree = Tree(namespace=orders.namespaces)
        self._work = orders.folder if orders.namespaces else orders.work
        self._started = time.monotonic()
        self._interrupt_at = self._started + orders.seconds
        self._kill_at = _FOREVER
        self._survey_at = self._started
        self._glance = _GLANCE_SECONDS
        self._peak = 0
        self._verdict = ""
        self._sponsor = select.poll()
        self._sponsor.register(orders.status, 0)

    def report(self) -> Report:
        """Wait for the end, kill what is left, and say how it went."""
        status = self._reap()
        while status is None and not self._over():
            woken = signal.sigtimedwait({signal.SIGCHLD, signal.SIGTERM}, self._patience())
            if woken and woken.si_signo == signal.SIGTERM:
                break
            status = self._reap()
        seconds = time.monotonic() - self._started
        self._tree.kill()
        while status is None:
            signal.sigtimedwait({signal.SIGCHLD}, _GLANCE_SECONDS)
            status = self._reap()
        self._reap()
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return Report(
            verdict=self._verdict,
            code=os.waitstatus_to_exitcode(status),
            seconds=seconds,
            cpu=used.ru_utime + used.ru_stime,
            peak=max(self._peak, used.ru_maxrss * 1024),
        )

    def _reap(self) -> int | None:
        """Collect every dead child; return the solution's status if it is among them."""
        found = None
        try:
            while (dead := os.waitpid(-1, os.WNOHANG))[0]:
                if dead[0] == self._solution:
                    found = dead[1]
        except ChildProcessError:
            pass
        return found

    def _over(self) -> bool:
        """Enforce the limits once; return whether the solution has to go now."""
        now = time.monotonic()
        if self._sponsor.poll(0):  # nobody reads the report any more: the executor is dead
            return True
        if now >= self._interrupt_at and not self._verdict:
            self._verdict = "timeout"
            self._kill_at = now + self._orders.grace
            os.kill(self._solution, signal.SIGINT)
        return now >= self._kill_at or self._too_large(now)

    def _too_large(self, now: float) -> bool:
        members = self._tree.members()
        used = self._tree.memory(members, self._orders.memory)
        self._glance = max(_GLANCE_SECONDS, _SHARE * (time.monotonic() - now))
        self._peak = max(self._peak, used)
        if used > self._orders.memory:
            self._verdict = "memory"
        elif len(members) > self._orders.processes:
            self._verdict = "processes"
        elif now >= self._survey_at and self._overfull():
            self._verdict = "disk"
        else:
            return False
        return True

    def _overfull(self) -> bool:
        began = time.monotonic()
        left, entries = self._orders.disk, _ENTRIES
        folders = [self._work]
        while folders and left >= 0 and entries >= 0:
            folder = folders.pop()
            try:
                found = [*os.scandir(folder)] if folder != f"{self._work}/input" else []
            except OSError:  # gone meanwhile, or closed even to its owner: then nothing grows here
                continue
            entries -= len(found)
            for each in found:
                left -= _blocks(each)
                if each.is_dir(follow_symlinks=False):
                    folders.append(each.path)
        ended = time.monotonic()
        self._survey_at = ended + max(_GLANCE_SECONDS, _SHARE * (ended - began))
        return left < 0 or entries < 0

    def _patience(self) -> float:
        until = self._kill_at if self._verdict else self._interrupt_at
        return max(0.0, min(self._glance, until - time.monotonic()))


def _blocks(entry: "os.DirEntry[str]") -> int:
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except OSError:
        return 0


def _start(orders: Orders) -> int:
    """Fork the solution and return its process once its program runs.

    Raises Unprotected when the last protections cannot be set up.
    """
    faults, fault = os.pipe()
    solution = os.fork()
    if solution == 0:
        try:
            _become(orders)
        except Unprotected as unprotected:
            os.write(fault, f"{unprotected.protection}\n{unprotected.why}".encode())
        except OSError as error:
            os.write(fault, f"start\n{error}".encode())
        finally:
            os._exit(127)
    os.close(fault)
    with open(faults, "rb") as pipe:
        said = pipe.read().decode()
    if said:
        raise Unprotected(*said.split("\n", 1))
    return solution


def _become(orders: Orders) -> None:
    """Give up every right, then become the solution's program."""
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # should the machine run out of memory, the solution goes first
    os.setsid()
    _limit(orders)
    if orders.powerless:
        with Step("capabilities"):
            kernel.drop_capabilities()
    if orders.uid is not None:
        with Step("uid"):
            _change_user(orders.uid)
    kernel.die_with_parent(signal.SIGKILL)
    kernel.gain_no_privileges()
    os.chdir(orders.folder if orders.namespaces else orders.work)
    if orders.landlock:
        with Step("landlock"):
            _lock(orders)
    for each in signal.valid_signals():  # what we or our parents ignore, the program would too
        if signal.getsignal(each) == signal.SIG_IGN:
            signal.signal(each, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.execve(orders.command[0], orders.command, orders.environment)  # noqa: S606 - no shell


def _limit(orders: Orders) -> None:
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_DATA: orders.memory,
        resource.RLIMIT_FSIZE: orders.file_size,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
    }
    if orders.uid is not None or orders.user_namespace:  # counted by user: only where it is ours
        limits[resource.RLIMIT_NPROC] = orders.processes
    for which, limit in limits.items():
        hard = resource.getrlimit(which)[1]
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(which, (allowed, allowed))


def _change_user(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def _lock(orders: Orders) -> None:
    writable = ["/dev/null", "/dev/full"]
    if orders.namespaces:
        readable = ["/"]
        writable += [orders.folder, "/tmp", "/dev/shm"]
    else:
        readable = [*root.READABLE, *orders.readable, orders.input]
        writable += [orders.work]
    present = [each for each in readable if os.path.exists(each)]
    landlock.restrict(orders.landlock, present, writable, network=orders.network)
