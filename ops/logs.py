"""Structured logs: JSON lines in a file of each actor, readable lines on a terminal. Writes files.

`configure` once in each process, then `logger()` anywhere. Secrets never reach a log.
"""

import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import ExitStack, contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

import msgspec

from ops.errors import Problem
from schemas.envelope import Recorded

# structlog offers tracebacks drawn by rich, and importing that takes twice as long as all the
# rest of structlog. No log here has a use for them; every actor would pay at its start.
if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]
    import structlog

    del sys.modules["rich"]
else:
    import structlog

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
HIDDEN = "[hidden]"

_SECRET_NAMES = re.compile(r"(_API_KEY|_PASSWORD|_TOKEN|_SECRET)$")
_SHORTEST_SECRET = 6
_LOGIN_IN_URL = re.compile(r"(?<=://)[^/\s:@\"]+:[^/\s@\"]+(?=@)")

_secrets: set[str] = set()
_files = ExitStack()
_encode = msgspec.json.Encoder(enc_hook=str).encode

logger = structlog.get_logger
"""Return a logger; it may be made before `configure` is called."""


def configure(actor: str, home: Path, level: str = "info", *, to_terminal: bool = False) -> Path:
    """Send this process's logs to `<home>/logs/<actor>.jsonl` and return that path.

    With `to_terminal` they also go to standard error, written for people. Records of the
    standard library's logging (asyncio, nats) take the same way. Raises Problem when the file
    cannot be opened.
    """
    close()
    path = home / "logs" / f"{actor}.jsonl"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _files.enter_context(_LogFile(path, "ab"))
    except OSError as error:
        raise Problem(
            f"cannot write a log ({error.strerror})",
            where=str(path),
            remedy="make the directory writable, or set FLOWSTONE_HOME to another one",
        ) from None
    hide_environment()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *([_Echo()] if to_terminal else []),
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.BytesLoggerFactory(file=file),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(actor=actor)
    logging.basicConfig(handlers=[_Bridge()], level=logging.WARNING, force=True)
    return path


def close() -> None:
    """Close the file; later lines go to standard output until `configure` is called again."""
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.basicConfig(handlers=[], force=True)
    _files.close()


@contextmanager
def bound(event: Recorded[Any]) -> Iterator[None]:
    """Bind what *event* is about (run, seq, cause, node) to every log line inside."""
    about = {"run": event.run, "seq": event.seq, "cause": str(event.id)}
    if node := getattr(event.data, "node", None):
        about["node"] = node
    with structlog.contextvars.bound_contextvars(**about):
        yield


def hide(secret: str) -> None:
    """Keep *secret* out of every log of this process from now on."""
    if len(secret) >= _SHORTEST_SECRET:
        _secrets.update({secret, _encode(secret)[1:-1].decode()})


def hide_environment(environment: Mapping[str, str] = os.environ) -> None:
    """Hide the value of every variable whose name says that it is a secret."""
    for name, value in environment.items():
        if _SECRET_NAMES.search(name):
            hide(value)


def redact(text: str) -> str:
    """Return *text* without secrets and without the logins in addresses."""
    for secret in _secrets:
        text = text.replace(secret, HIDDEN)
    return _LOGIN_IN_URL.sub(HIDDEN, text)


def _render(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> bytes:
    return redact(_encode(event).decode()).encode()


class _LogFile(FileIO):
    """A file to append to; a full disk must end no work, so a line that does not fit is dropped."""

    _told = False

    def write(self, line: Any, /) -> int:
        """Append *line*, or say once that lines are lost."""
        try:
            return super().write(line)
        except OSError as error:
            if not self._told:
                sys.stderr.write(f"flowstone: {self.name!s}: log lines are lost: {error}\n")
            self._told = True
            return 0


class _Echo:
    """A processor that writes each event to standard error for people and hands it on."""

    def __init__(self) -> None:
        self._write = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )

    def __call__(
        self, logger: Any, method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        line = self._write(logger, method, dict(event))
        sys.stderr.write(f"{redact(line)}\n")
        return event


class _Bridge(logging.Handler):
    """Hands a record of the standard library's logging to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record under the name of its logger."""
        structlog.get_logger().log(
            max(record.levelno, LEVELS["debug"]),
            record.getMessage(),
            logger=record.name,
            exc_info=record.exc_info,
        )
