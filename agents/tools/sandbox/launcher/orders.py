"""What the sandbox tells the launcher, and what the launcher reports. Plain tuples, marshalled."""

import marshal
from typing import NamedTuple


class Orders(NamedTuple):
    """How one solution is to run. Times in seconds, sizes in bytes, paths as the host sees them.

    `folder` is where the solution sees its work directory. `uid` is None to keep the user;
    `powerless` takes root its capabilities; `landlock` is the interface to use (0 for none).
    """

    command: list[str]
    environment: dict[str, str]
    work: str
    folder: str
    input: str
    mount_point: str
    readable: list[str]
    namespaces: bool
    network: bool
    user_namespace: bool
    uid: int | None
    powerless: bool
    landlock: int
    seconds: float
    grace: float
    memory: int
    processes: int
    file_size: int
    disk: int
    status: int
    parent: int

    def encoded(self) -> str:
        """Return the orders as a command-line argument."""
        return marshal.dumps(tuple(self)).hex()

    @classmethod
    def decoded(cls, text: str) -> "Orders":
        """Return the orders that a command-line argument holds."""
        return cls(*marshal.loads(bytes.fromhex(text)))  # noqa: S302 - written by our own parent


class Report(NamedTuple):
    """How a solution ended. Times in seconds, `peak` in bytes; `code` as in subprocess.

    `verdict` says what the launcher had to end it for: "timeout", "memory", "disk" or
    "processes". `failed` names the protection that could not be set up, and why.
    """

    verdict: str = ""
    code: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    peak: int = 0
    failed: str = ""
    why: str = ""

    def encoded(self) -> bytes:
        """Return the report as bytes for the status pipe."""
        return marshal.dumps(tuple(self))

    @classmethod
    def decoded(cls, content: bytes) -> "Report":
        """Return the report that came through the status pipe."""
        return cls(*marshal.loads(content))  # noqa: S302 - written by our own launcher


class Unprotected(Exception):  # noqa: N818 - it names the state that it prevents
    """Raised when a protection cannot be set up on this machine; `protection` is its name."""

    def __init__(self, protection: str, why: object) -> None:
        super().__init__(f"{protection}: {why}")
        self.protection = protection
        self.why = str(why)


class Step:
    """One step of setting up a protection: an OSError inside becomes Unprotected."""

    def __init__(self, protection: str) -> None:
        self._protection = protection

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise Unprotected(self._protection, error) from error
