"""NATS servers that are of no use: said at once, in one line."""

import subprocess
import time
from pathlib import Path

from bus.server import free_port, program
from tests.processes import started
from tests.runs.harness import flowstone, told


def test_a_server_that_does_not_answer(small: Path, tmp_path: Path) -> None:
    began = time.monotonic()

    ended = flowstone(tmp_path, "run", str(small), "--nats", f"nats://127.0.0.1:{free_port()}")

    assert "no NATS server lets us in" in told(ended)
    assert "correct --nats" in told(ended)
    assert time.monotonic() - began < 10


def test_a_server_without_jetstream(small: Path, tmp_path: Path) -> None:
    port = free_port()
    command = [program(), "-a", "127.0.0.1", "-p", str(port)]
    with started(command, stderr=subprocess.DEVNULL) as server:
        ended = flowstone(tmp_path, "run", str(small), "--nats", f"nats://127.0.0.1:{port}")
        server.kill()

    assert "has no JetStream" in told(ended)
    assert "nats-server -js" in told(ended)
