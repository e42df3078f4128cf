"""The Linux calls that Python 3.11 has no names for. Every failure is an OSError."""

import ctypes
import fcntl
import os
import socket
import struct

NEW_MOUNTS = 0x00020000
NEW_HOSTNAME = 0x04000000
NEW_IPC = 0x08000000
NEW_USER = 0x10000000
NEW_PIDS = 0x20000000
NEW_NETWORK = 0x40000000

READ_ONLY = 1
NO_SETUID = 2
NO_DEVICES = 4
_KEPT = 2 | 4 | 8 | 1024 | 2048  # nosuid, nodev, noexec, noatime, nodiratime: may be locked
_REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 32, 4096, 16384, 1 << 18
_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_DEATH_SIGNAL, _DUMPABLE, _DROP_CAPABILITY, _SUBREAPER, _NO_NEW_PRIVILEGES = 1, 4, 24, 36, 38
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1

_libc = ctypes.CDLL(None, use_errno=True)


def call(number: int, *arguments: object) -> int:
    """Make a system call by its number."""
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments))


def unshare(flags: int) -> None:
    """Leave the namespaces in *flags* for new ones."""
    _checked(_libc.unshare(flags))


def mount(source: str, target: str, kind: str, *, flags: int = 0, options: str = "") -> None:
    """Mount a new file system of *kind* on *target*."""
    _mount(source, target, kind, flags, options)


def bind(source: str, target: str, *, flags: int = 0) -> None:
    """Make *source* visible at *target*, with *flags* on top of those it has."""
    _mount(source, target, None, _BIND | _RECURSIVE, None)
    remount(target, flags=flags)


def remount(target: str, *, flags: int) -> None:
    """Put *flags* on what is mounted on *target*, on top of those it has."""
    kept = os.statvfs(target).f_flag & _KEPT
    _mount(None, target, None, _BIND | _REMOUNT | kept | flags, None)


def keep_mounts_private() -> None:
    """Let no mount of this namespace be seen outside it."""
    _mount(None, "/", None, _PRIVATE | _RECURSIVE, None)


def change_root(root: str) -> None:
    """Make *root* the root directory and let go of the old one."""
    os.chdir(root)
    call(_PIVOT_ROOT[os.uname().machine], b".", b".")
    _checked(_libc.umount2(b".", _DETACH))
    os.chdir("/")


def raise_loopback() -> None:
    """Switch on the loopback interface of a new network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        answer = fcntl.ioctl(door, _GET_FLAGS, struct.pack("16sh22x", b"lo", 0))
        (flags,) = struct.unpack_from("h", answer, 16)
        fcntl.ioctl(door, _SET_FLAGS, struct.pack("16sh22x", b"lo", flags | _UP))


def die_with_parent(signal: int) -> None:
    """Be sent *signal* when the parent dies; forgotten when the user changes."""
    _checked(_libc.prctl(_DEATH_SIGNAL, signal, 0, 0, 0))


def hide_memory() -> None:
    """Keep processes of the same user from reading or tracing this one."""
    _checked(_libc.prctl(_DUMPABLE, 0, 0, 0, 0))


def gain_no_privileges() -> None:
    """Let no program that this process starts gain privileges."""
    _checked(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))


def drop_capabilities() -> None:
    """Leave nothing for the next program to gain, even as root."""
    with open("/proc/sys/kernel/cap_last_cap") as file:
        last = int(file.read())
    for capability in range(last + 1):
        _checked(_libc.prctl(_DROP_CAPABILITY, capability, 0, 0, 0))


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies."""
    _checked(_libc.prctl(_SUBREAPER, 1, 0, 0, 0))


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, options: str | None
) -> None:
    words = (each.encode() if each is not None else None for each in (source, target, kind))
    extra = options.encode() if options is not None else None
    try:
        _checked(_libc.mount(*words, ctypes.c_ulong(flags), extra))
    except OSError as error:
        raise OSError(error.errno, error.strerror, source or target) from None


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
