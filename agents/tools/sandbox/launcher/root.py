"""The file system that a solution sees: the system's programs, its Python, its work directory."""

import os

from . import kernel
from .orders import Orders

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SETTINGS = (
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/ssl/openssl.cnf",
)
_PROCESSORS = ("/sys/devices/system/cpu", "/sys/devices/system/node")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_LINKS = {
    "/dev/fd": "/proc/self/fd",
    "/dev/stdin": "/proc/self/fd/0",
    "/dev/stdout": "/proc/self/fd/1",
    "/dev/stderr": "/proc/self/fd/2",
}
_WRITTEN = {
    "/etc/passwd": "solution:x:{uid}:{uid}::{folder}/.home:/bin/sh\n",
    "/etc/group": "solution:x:{uid}:\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}

_KERNEL = ("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys")

READABLE = (*_SYSTEM, *_SETTINGS, *_PROCESSORS, *_DEVICES, *_KERNEL)
"""What a solution may read of the machine where it cannot have a file system of its own."""


def change(orders: Orders) -> None:
    """Build the file system on the mount point and make it this process's root, for good."""
    kernel.keep_mounts_private()
    top = orders.mount_point
    kernel.mount("root", top, "tmpfs", flags=kernel.NO_SETUID, options="size=8m,mode=755")
    # First, because this Python itself may lie somewhere below /tmp.
    _bind(f"{orders.work}/.tmp", f"{top}/tmp", kernel.NO_SETUID | kernel.NO_DEVICES)
    locked = kernel.READ_ONLY | kernel.NO_SETUID
    for path in (*_SYSTEM, *_SETTINGS, *_PROCESSORS, *orders.readable):
        _show(path, top, locked | kernel.NO_DEVICES)
    for path in _DEVICES:
        _show(path, top, kernel.NO_SETUID)
    _bind(orders.work, top + orders.folder, kernel.NO_SETUID | kernel.NO_DEVICES)
    _bind(orders.input, f"{top}{orders.folder}/input", locked | kernel.NO_DEVICES)
    os.makedirs(f"{top}/dev/shm")
    shared = f"size={orders.memory // 2},nr_inodes=10000,mode=1777"
    kernel.mount("shared", f"{top}/dev/shm", "tmpfs", flags=kernel.NO_SETUID, options=shared)
    os.makedirs(f"{top}/proc")
    kernel.mount("proc", f"{top}/proc", "proc", flags=kernel.NO_SETUID | kernel.NO_DEVICES)
    for path, target in _LINKS.items():
        os.symlink(target, top + path)
    os.makedirs(f"{top}/etc", exist_ok=True)
    uid = os.getuid() if orders.uid is None else orders.uid
    for path, text in _WRITTEN.items():
        with open(top + path, "w") as file:
            file.write(text.format(uid=uid, folder=orders.folder))
    kernel.change_root(top)
    kernel.remount("/", flags=locked)


def _show(path: str, top: str, flags: int) -> None:
    """Make *path* visible under *top* at the same place; what is not there is left out."""
    place = top + path
    if os.path.lexists(place) or not os.path.exists(path):
        return
    if os.path.islink(path) and not os.path.isfile(path):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.symlink(os.readlink(path), place)
        return
    _bind(path, place, flags)


def _bind(source: str, place: str, flags: int) -> None:
    if os.path.isdir(source):
        os.makedirs(place, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "a"):
            pass
    kernel.bind(source, place, flags=flags)
