"""A sandbox over a folder, and jobs for it, with limits short enough for tests."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest

from agents.tools.sandbox import ProcessSandbox, Protections
from agents.tools.sandbox.launcher import landlock
from agents.tools.sandbox.protections import wanted
from schemas.events import ExecutionFinished, JobQueued
from schemas.task import Artifact

JOB = JobQueued(
    node="n1",
    job_class="cpu",
    code="",
    data=Artifact(sha256="0", size=0, name="data.tar"),
    seconds=8.0,
    grace_seconds=0.5,
    memory_mb=256,
    processes=32,
    file_mb=8,
    output_kb=64,
    max_attempts=3,
)


@dataclass
class FolderArtifacts:
    """Artifacts in a dictionary; the one tar is a folder."""

    data: Path
    kept: dict[str, bytes] = field(default_factory=dict)

    async def put(self, content: bytes | Path, name: str) -> Artifact:
        taken = content if isinstance(content, bytes) else await anyio.Path(content).read_bytes()
        digest = hashlib.sha256(taken).hexdigest()
        self.kept[digest] = taken
        return Artifact(sha256=digest, size=len(taken), name=name)

    async def get(self, artifact: Artifact) -> Path:
        path = self.data.parent / artifact.sha256
        await anyio.Path(path).write_bytes(self.kept[artifact.sha256])
        return path

    async def unpacked(self, artifact: Artifact) -> Path:  # noqa: ARG002 - the only one
        return self.data


@dataclass
class Bench:
    """One sandbox, and what a test wants to know of its surroundings."""

    sandbox: ProcessSandbox
    artifacts: FolderArtifacts
    root: Path
    held: Protections

    async def run(self, code: str, **limits: Any) -> ExecutionFinished:
        return await self.sandbox.run(job(code, **limits), attempt=1)

    def content(self, artifact: Artifact | None) -> bytes:
        assert artifact is not None
        return self.artifacts.kept[artifact.sha256]

    @property
    def leftovers(self) -> list[str]:
        return [each.name for each in self.root.iterdir() if each.name != ".mount"]


def job(code: str, **limits: Any) -> JobQueued:
    """Return a job with short limits, some of them changed."""
    fields = {name: getattr(JOB, name) for name in JOB.__struct_fields__}
    return JobQueued(**(fields | {"code": code} | limits))


MODES = ("strongest", "landlock", "bare")


@pytest.fixture(scope="session")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Bench]:
    """Return benches by how much of the kernel they may use; each is made once."""
    made: dict[str, Bench] = {}

    def bench(mode: str) -> Bench:
        if mode not in made:
            place = tmp_path_factory.mktemp(mode)
            data = place / "data"
            data.mkdir(mode=0o755)
            (data / "train.csv").write_text("id,label\n1,0\n")
            artifacts = FolderArtifacts(data)
            root = place / "work"
            if mode == "strongest":
                held = None
            elif mode == "landlock":
                held = Protections(powerless=os.geteuid() == 0, landlock=landlock.version())
            else:
                held = Protections()
            sandbox = ProcessSandbox(root, artifacts, 0, protections=held)
            made[mode] = Bench(sandbox, artifacts, root, held or wanted(0))
        return made[mode]

    return bench
