"""Landlock: the kernel's own allow-list of files and network, for processes without privileges.

Interface versions: 1 files, 2 rename, 3 truncate, 4 TCP, 5 device controls, 6 scopes.
"""

import ctypes
import os

from . import kernel

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_ASK_VERSION = 1
_BENEATH = 1
_LATEST = 6

_FILE_READ = 1 << 0 | 1 << 2  # execute, read
_FILE_WRITE = 1 << 1 | 1 << 14 | 1 << 15  # write, truncate, device control
_LIST = 1 << 3
_CHANGE = sum(1 << bit for bit in range(4, 14))  # remove, make, refer
_ADDED = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
_TCP = 1 << 0 | 1 << 1  # bind, connect
_SCOPES = 1 << 0 | 1 << 1  # abstract sockets, signals


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    )


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("directory", ctypes.c_int32))


def version() -> int:
    """Return the version of the interface that this kernel offers, 0 for none."""
    try:
        return min(kernel.call(_CREATE, None, 0, _ASK_VERSION), _LATEST)
    except OSError:
        return 0


def restrict(interface: int, readable: list[str], writable: list[str], *, network: bool) -> None:
    """Forbid this process and its children all files but these and, unless *network*, TCP."""
    handled = sum(rights for since, rights in _ADDED.items() if since <= interface)
    rules = _Ruleset(
        files=handled,
        network=0 if network or interface < 4 else _TCP,  # noqa: PLR2004 - TCP came with 4
        scopes=_SCOPES if interface >= _LATEST else 0,
    )
    size = 24 if interface >= _LATEST else 16 if interface >= 4 else 8  # noqa: PLR2004 - likewise
    ruleset = kernel.call(_CREATE, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    try:
        for path in readable:
            _allow(ruleset, path, handled & (_FILE_READ | _LIST))
        for path in writable:
            _allow(ruleset, path, handled & (_FILE_READ | _LIST | _FILE_WRITE | _CHANGE))
        kernel.gain_no_privileges()
        kernel.call(_RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    if not os.path.isdir(path):
        rights &= _FILE_READ | _FILE_WRITE
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _PathRule(allowed=rights, directory=place)
        kernel.call(_ADD_RULE, ruleset, _BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(place)
