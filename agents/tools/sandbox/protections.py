"""What the sandbox may use of the kernel, and how it does with less."""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from agents.tools.sandbox.launcher import landlock

_OWN_USERS = 1_000_000_000
_SLOTS = 64
_NOBODY = 65534
_TCP_SINCE = 4


class SandboxError(RuntimeError):
    """Raised when solutions cannot be started here at all; the message says what to do."""


class Protections(Struct, frozen=True, kw_only=True):
    """What the sandbox uses of the kernel.

    `powerless` solutions can gain no capability, even as root; `landlock` is the version of its
    interface.
    """

    namespaces: bool = False
    network: bool = False
    user_namespace: bool = False
    uid: int | None = None
    powerless: bool = False
    landlock: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The protections that hold, for the record."""
        held = {
            "own processes": self.namespaces,
            "own files": self.namespaces,
            "own shared memory": self.namespaces,
            "no network": self.network,
            "no TCP": not self.network and self.landlock >= _TCP_SINCE,
            "user namespace": self.user_namespace,
            "own user": self.uid is not None,
            "no capabilities": self.powerless,
            f"landlock {self.landlock}": self.landlock > 0,
        }
        always = (
            "no new privileges",
            "resource limits",
            "watched memory, processes and disk",
        )
        return (*(name for name, holds in held.items() if holds), *always)

    def without(self, failed: str) -> "Protections":
        """Return the protections after one could not be set up; raises SandboxError at the end."""
        if failed == "user":
            return Protections(landlock=self.landlock)
        if failed == "network":
            return msgspec.structs.replace(self, network=False)
        if failed == "capabilities":
            return msgspec.structs.replace(self, powerless=False)
        if failed == "landlock":
            return msgspec.structs.replace(self, landlock=0)
        if self.uid is not None and failed != "namespaces":
            return msgspec.structs.replace(self, uid=None)
        if self.namespaces:
            return msgspec.structs.replace(self, namespaces=False)
        if self.landlock:
            return msgspec.structs.replace(self, landlock=0)
        raise SandboxError(f"no solution can be started in a sandbox here: {failed}")


def wanted(slot: int) -> Protections:
    """Return everything that this user could ask of this kernel."""
    privileged = os.geteuid() == 0
    return Protections(
        namespaces=True,
        network=True,
        user_namespace=not privileged,
        uid=_free_user(slot) if privileged else None,
        powerless=True,
        landlock=landlock.version(),
    )


def _free_user(slot: int) -> int | None:
    """Return a user number that no other slot on this host has, None where only root is mapped."""
    candidates = (_OWN_USERS + os.getpid() * _SLOTS + slot % _SLOTS, _NOBODY)
    lines = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    mapped = [(int(line.split()[0]), int(line.split()[2])) for line in lines]
    for each in candidates:
        if any(first <= each < first + count for first, count in mapped):
            return each
    return None
