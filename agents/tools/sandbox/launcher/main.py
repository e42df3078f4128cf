"""The launcher's first process: leaves the host's namespaces, then only waits for the keeper."""

import os
import signal
import sys

from . import kernel
from .keeper import keep
from .orders import Orders, Report, Step, Unprotected
from .tree import Tree


def main() -> None:
    """Carry out the orders on the command line; the report goes to the status pipe."""
    orders = Orders.decoded(sys.argv[1])
    os.set_inheritable(orders.status, False)  # noqa: FBT003 - positional only
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it would never come
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGINT, signal.SIGTERM})
    try:
        _leave(orders)
    except Unprotected as unprotected:
        _report(orders, Report(failed=unprotected.protection, why=unprotected.why))
        return
    kernel.die_with_parent(signal.SIGKILL)
    if os.getppid() != orders.parent:
        sys.exit("the executor died before its solution began")
    keeper = os.fork()
    if keeper == 0:
        try:
            report = keep(orders)
        except Unprotected as unprotected:
            report = Report(failed=unprotected.protection, why=unprotected.why)
        _report(orders, report)
        os._exit(0)
    sys.exit(_wait(orders, keeper))


def _wait(orders: Orders, keeper: int) -> int:
    """Wait for the keeper, passing on the wish to end; return its exit status."""
    while signal.sigwait({signal.SIGCHLD, signal.SIGTERM}) == signal.SIGTERM:
        os.kill(keeper, signal.SIGTERM)
    code = os.waitstatus_to_exitcode(os.waitpid(keeper, 0)[1])
    if code and not orders.namespaces:  # the keeper was killed: what it kept is now ours
        Tree(namespace=False).kill()
    return code if code >= 0 else 128 - code


def _leave(orders: Orders) -> None:
    """Leave the host's namespaces, each step under its name."""
    uid, gid = os.getuid(), os.getgid()
    if orders.user_namespace:
        with Step("user"):
            kernel.unshare(kernel.NEW_USER)
            maps = {"setgroups": "deny", "uid_map": f"{uid} {uid} 1", "gid_map": f"{gid} {gid} 1"}
            for name, line in maps.items():
                with open(f"/proc/self/{name}", "w") as file:
                    file.write(line)
    if orders.network:
        with Step("network"):
            kernel.unshare(kernel.NEW_NETWORK)
            kernel.raise_loopback()
    if orders.namespaces:
        with Step("namespaces"):
            kernel.unshare(
                kernel.NEW_MOUNTS | kernel.NEW_PIDS | kernel.NEW_IPC | kernel.NEW_HOSTNAME
            )
    else:
        kernel.adopt_orphans()


def _report(orders: Orders, report: Report) -> None:
    os.write(orders.status, report.encoded())
