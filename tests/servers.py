"""Real nats-servers for tests."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from bus.server import EmbeddedServer

Running = Callable[[EmbeddedServer], AbstractContextManager["subprocess.Popen[bytes]"]]


@contextmanager
def running(server: EmbeddedServer) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a prepared nats-server as long as the block takes."""
    with subprocess.Popen(server.command(), stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()
