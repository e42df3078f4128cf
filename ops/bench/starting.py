"""How long people wait: for help, and from the command to the first request at a model.

The model is a server of our own that notes when it was first asked for a completion.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from threading import Event, Thread
from time import perf_counter

import psutil

from ops.bench.figure import Figure

_PATIENCE = 60.0


@dataclass(frozen=True)
class Beginning:
    """Seconds from the command to the first request, and processor seconds of all processes."""

    wall: float
    processors: float


class _Model(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Endpoint)
        self.asked = Event()
        self.at = 0.0

    def note(self) -> None:
        if not self.asked.is_set():
            self.at = perf_counter()
            self.asked.set()


class _Endpoint(BaseHTTPRequestHandler):
    server: _Model

    def do_GET(self) -> None:
        """List one model."""
        self._answer(200, b'{"object":"list","data":[{"id":"none","object":"model"}]}')

    def do_POST(self) -> None:
        """Refuse for ever; that we were asked is all that counts."""
        self.server.note()
        self._answer(401, b'{"error":{"message":"there is no model here"}}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def measure(home: Path, *, quick: bool) -> Iterator[Figure]:
    """Yield the seconds for `--help`, for the first run of a task, and for later ones."""
    helped = [_help() for _ in range(1 if quick else 9)]
    yield Figure(name="start: flowstone --help", value=median(helped), unit="s", target=0.3)
    first = first_request(home / "first")
    later = [first_request(_unpacked(home, each)) for each in range(1 if quick else 5)]
    yield Figure(
        name="start: command to first model request, task not unpacked yet",
        value=first.wall,
        unit="s",
    )
    yield Figure(
        name="start: command to first model request",
        value=median(each.wall for each in later),
        unit="s",
        target=2.0,
    )
    yield Figure(
        name="start: processor time until then, all processes",
        value=median(each.processors for each in later),
        unit="s",
    )


def first_request(home: Path) -> Beginning:
    """Run `flowstone run` on a small task until it asks its model for something."""
    with _Model() as model:
        Thread(target=model.serve_forever, daemon=True).start()
        environment = {
            **os.environ,
            "FLOWSTONE_HOME": str(home),
            "OPENAI_BASE_URL": f"http://127.0.0.1:{model.server_port}/v1",
            "OPENAI_API_KEY": "none",
        }
        command = [sys.executable, "-m", "ops", "run", "package:wine", "--nodes", "1"]
        start = perf_counter()
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                if not model.asked.wait(_PATIENCE):
                    raise TimeoutError(f"no request within {_PATIENCE:g} s; see {home / 'logs'}")
                spent = _processor_seconds(process.pid)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(_PATIENCE)
                model.shutdown()
    return Beginning(wall=model.at - start, processors=spent)


def _unpacked(home: Path, number: int) -> Path:
    """Return a new home with the task's folder that the first run made in its own."""
    later = home / f"later-{number}"
    shutil.copytree(home / "first" / "tasks", later / "tasks", symlinks=True)
    return later


def _help() -> float:
    start = perf_counter()
    subprocess.run([sys.executable, "-m", "ops", "--help"], check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - start


def _processor_seconds(root: int) -> float:
    """Return what a process and those below it have used so far."""
    process = psutil.Process(root)
    spent = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent += times.user + times.system
    return spent
