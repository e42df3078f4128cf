"""The doctor finds what is there, and says what is missing and what to do about it."""

import fcntl
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops import doctor
from ops.commands.doctor import doctor as command
from ops.errors import Problem


class _Endpoint(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.headers["Authorization"] == "Bearer right-key"
        self.send_response(200 if known else 401)
        self.end_headers()
        if known:
            self.wfile.write(json.dumps({"data": [{"id": "one"}, {"id": "two"}]}).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
        pass


class _Engine(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        about = {"ApiVersion": "1.44", "MinAPIVersion": "1.24"}
        self.wfile.write(b"OK" if self.path.endswith("/_ping") else json.dumps(about).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
        pass


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def endpoint() -> Iterator[str]:
    with _serving(_Endpoint) as port:
        yield f"http://127.0.0.1:{port}/v1"


@pytest.fixture(autouse=True)
def _without_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    # docker-py leaves a Unix socket open where nobody listens.
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    monkeypatch.setenv("FLOWSTONE_HOME", str(tmp_path / "home"))


def test_this_machine_can_run_flowstone() -> None:
    found = CliRunner().invoke(command, ["--json"])
    assert found.exit_code == 0, found.output
    checks = {each["name"]: each for each in json.loads(found.output)}
    assert [*checks] == [*doctor.CHECKS]
    assert checks["nats-server"]["verdict"] == "good"
    assert checks["jetstream"]["verdict"] == "good"
    assert "rehearsal model" in checks["model"]["says"]


def test_something_missing_is_named_and_the_status_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FLOWSTONE_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setattr(doctor, "CHECKS", {"python": doctor.python, "home": doctor.home})
    found = CliRunner().invoke(command)
    assert found.exit_code == 1
    good, missing, last = found.output.splitlines()
    assert good.startswith("good")
    assert missing.startswith("missing  home")
    assert "make it writable" in missing
    assert last == "Missing: home."


def test_a_home_in_use_is_noted(tmp_path: Path) -> None:
    assert doctor.home().verdict == "good"
    with (tmp_path / "home" / "lock").open("w") as file:
        file.write("4711")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        found = doctor.home()
    assert found.verdict == "note"
    assert "in use by process 4711" in found.says


def test_a_model_endpoint_that_answers(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint)
    monkeypatch.setenv("OPENAI_API_KEY", "right-key")
    assert doctor.model().says == f"{endpoint} offers one and 1 more"


def test_a_model_endpoint_that_refuses_the_key(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint)
    monkeypatch.setenv("OPENAI_API_KEY", "wrong-key")
    with pytest.raises(Problem, match="the key is refused; correct OPENAI_API_KEY"):
        doctor.model()


def test_a_model_endpoint_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(Problem, match=r"gives no list of models .*refused.*; start the endpoint"):
        doctor.model()


def test_a_container_engine_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with _serving(_Engine) as port:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{port}")
        found = doctor.container_engine()
    assert found.verdict == "good"
    assert found.says == f"a container engine answers at http://127.0.0.1:{port}"


@pytest.mark.parametrize("answers", [False, True], ids=["nobody is there", "it says nothing"])
def test_a_container_engine_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, *, answers: bool
) -> None:
    monkeypatch.setattr(doctor, "_ENGINE_SECONDS", 0.2)
    monkeypatch.setattr(doctor, "CHECKS", {"docker": doctor.container_engine})
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if answers:
            silent.listen()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{silent.getsockname()[1]}")
        found = CliRunner().invoke(command)
    assert found.exit_code == 0
    told, last = found.output.splitlines()
    assert told.startswith("note     docker")
    assert told.endswith("answers; none is needed: solutions run in the process sandbox")
    assert last == "Flowstone can run here."


def test_without_a_server_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Problem, match="nats-server: not found"):
        doctor.nats_server()
    with pytest.raises(Problem, match="no server to start; make setup"):
        doctor.jetstream()
    assert doctor.gpus().verdict == "note"
