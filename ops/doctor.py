"""What this machine has and lacks, one check after another. Starts a NATS server for a moment."""

import fcntl
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import anyio

from ops import configuration, names, signals
from ops.errors import Problem

_PATIENCE_SECONDS = 5.0
_ENGINE_SECONDS = 2
_LEAST_FREE_GB = 2.0
_OLDEST_SERVER = (2, 10)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One finding; `missing` is necessary, a `note` is something that Flowstone can do without."""

    name: str
    verdict: Literal["good", "note", "missing"]
    says: str
    remedy: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as plain values."""
        return asdict(self)


def examine() -> Iterator[Check]:
    """Yield every finding as soon as it is known."""
    for name, check in CHECKS.items():
        try:
            yield check()
        except Problem as problem:
            where = f"{problem.where}: " if problem.where else ""
            yield Check(
                name=name,
                verdict="missing",
                says=f"{where}{problem.what}",
                remedy=problem.remedy,
            )


def python() -> Check:
    """Report the interpreter and the processors."""
    says = f"{platform.python_version()} at {sys.executable}, {os.cpu_count()} processors"
    return Check(name="python", verdict="good", says=says)


def import_names() -> Check:
    """Report whether the five import names are ours alone."""
    names.check()
    if others := names.strangers():
        listed = "; ".join(f"{name}: {', '.join(by)}" for name, by in others.items())
        raise Problem(
            f"other packages install files under our names ({listed})",
            remedy="uninstall them, or give Flowstone an environment of its own: make setup",
        )
    return Check(name="names", verdict="good", says=f"{', '.join(names.NAMES)} are ours")


def home() -> Check:
    """Report whether the home directory can be written, and whether somebody works in it."""
    folder = configuration.home()
    lock = folder / "lock"
    if lock.exists():
        with lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                says = f"{folder} is in use by process {file.read().strip() or '?'}"
                remedy = "wait for it, or set FLOWSTONE_HOME to another directory"
                return Check(name="home", verdict="note", says=says, remedy=remedy)
    return Check(name="home", verdict="good", says=f"{folder} is writable")


def disk() -> Check:
    """Report the free space where the home directory lies."""
    free = shutil.disk_usage(configuration.home()).free / 1e9
    if free < _LEAST_FREE_GB:
        return Check(
            name="disk",
            verdict="note",
            says=f"only {free:.1f} GB free",
            remedy="free some space, or set FLOWSTONE_HOME to another disk",
        )
    return Check(name="disk", verdict="good", says=f"{free:.0f} GB free")


def nats_server() -> Check:
    """Report the server program and its version."""
    from bus.server import ServerMissing, program  # noqa: PLC0415 - only this check needs it

    try:
        path = program()
        said = _output([path, "--version"])
    except ServerMissing as error:
        raise Problem(str(error)) from None
    except OSError as error:
        raise Problem(f"cannot be started ({error.strerror})", remedy="make setup") from None
    version = said.rpartition("v")[2].strip()
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_SERVER:
        raise Problem(f"version {version} is too old", where=path, remedy="make setup")
    return Check(name="nats-server", verdict="good", says=f"{version} at {path}")


def jetstream() -> Check:
    """Start the embedded server on the loopback, make the streams, and stop it."""
    from bus.connection import BusUnavailable  # noqa: PLC0415
    from bus.server import EmbeddedServer, ServerMissing  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="flowstone-doctor-") as folder:
        server = EmbeddedServer(Path(folder))
        url = server.prepare({}).url()
        try:
            with subprocess.Popen(
                server.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as process:
                try:
                    signals.run(_make_streams, url)
                finally:
                    process.terminate()
        except ServerMissing:
            raise Problem("there is no server to start", remedy="make setup") from None
        except (BusUnavailable, OSError) as error:
            raise Problem(f"the embedded server does not work here: {error!r}") from None
    return Check(name="jetstream", verdict="good", says="starts on the loopback and keeps streams")


def log_file() -> Check:
    """Report the database that keeps the log."""
    import duckdb  # noqa: PLC0415 - slow to import

    with duckdb.connect(":memory:") as connection:
        row = connection.execute("select version()").fetchone()
    version = row[0] if row else "?"
    return Check(name="duckdb", verdict="good", says=f"{version}")


def sandbox() -> Check:
    """Try out which protections hold around solutions."""
    from agents.tools.sandbox import SandboxError  # noqa: PLC0415 - only this check needs it
    from agents.tools.sandbox.interpreter import inspect  # noqa: PLC0415
    from agents.tools.sandbox.launch import Site  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="flowstone-doctor-") as folder:
        try:
            held = Site(Path(folder), inspect(sys.executable), threads=1).probe(0).names
        except SandboxError as error:
            raise Problem(str(error)) from None
    says = ", ".join(held)
    if not {"no network", "no TCP"} & {*held}:
        return Check(
            name="sandbox",
            verdict="note",
            says=f"solutions can reach the network; what holds: {says}",
            remedy="run as root or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1)",
        )
    return Check(name="sandbox", verdict="good", says=says)


def container_engine() -> Check:
    """Report whether a container engine answers; nothing needs one."""
    import docker  # noqa: PLC0415 - slow to import
    from docker.errors import DockerException  # noqa: PLC0415

    try:
        with closing(docker.from_env(timeout=_ENGINE_SECONDS)) as engine:
            engine.ping()
            where = engine.api.base_url
    except (DockerException, OSError):
        return Check(
            name="docker",
            verdict="note",
            says="no container engine answers",
            remedy="none is needed: solutions run in the process sandbox",
        )
    return Check(name="docker", verdict="good", says=f"a container engine answers at {where}")


def gpus() -> Check:
    """Report the graphics processors that executors could offer."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        found = _output(query).splitlines()
    except OSError:
        found = []
    if not found:
        return Check(name="gpus", verdict="note", says="none; solutions run on processors")
    return Check(name="gpus", verdict="good", says="; ".join(each.strip() for each in found))


def model() -> Check:
    """Report whether the model endpoint answers and accepts the key."""
    endpoint = configuration.endpoint()
    if endpoint is None:
        return Check(
            name="model",
            verdict="note",
            says="OPENAI_BASE_URL is not set: the rehearsal model, which is none, will answer",
            remedy="set OPENAI_BASE_URL and OPENAI_API_KEY to use a real one",
        )
    request = urllib.request.Request(  # noqa: S310 - endpoint() lets only http and https through
        f"{endpoint.url}/models", headers={"Authorization": f"Bearer {endpoint.key}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310
            offered = [str(each["id"]) for each in json.load(answer)["data"]]
    except urllib.error.HTTPError as error:
        refused = error.code in {401, 403}
        raise Problem(
            "the key is refused" if refused else f"answers {error.code} {error.reason}",
            where=endpoint.url,
            remedy="correct OPENAI_API_KEY" if refused else "correct OPENAI_BASE_URL",
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Problem(
            f"gives no list of models ({error})",
            where=endpoint.url,
            remedy="start the endpoint, or correct or unset OPENAI_BASE_URL",
        ) from None
    first = offered[0] if offered else "no models"
    more = f" and {len(offered) - 1} more" if len(offered) > 1 else ""
    return Check(name="model", verdict="good", says=f"{endpoint.url} offers {first}{more}")


async def _make_streams(url: str) -> None:
    from bus.connection import BusUnavailable, connect, ensure_streams  # noqa: PLC0415

    with anyio.fail_after(_PATIENCE_SECONDS):
        while True:
            try:
                async with connect(url, name="doctor", wait=1.0) as bus:
                    return await ensure_streams(bus)
            except BusUnavailable:
                await anyio.sleep(0.05)


def _output(command: list[str]) -> str:
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=_PATIENCE_SECONDS
    ).stdout


CHECKS: dict[str, Callable[[], Check]] = {
    "python": python,
    "names": import_names,
    "home": home,
    "disk": disk,
    "nats-server": nats_server,
    "jetstream": jetstream,
    "duckdb": log_file,
    "sandbox": sandbox,
    "docker": container_engine,
    "gpus": gpus,
    "model": model,
}
"""Every check by name, in the order in which people read them."""
