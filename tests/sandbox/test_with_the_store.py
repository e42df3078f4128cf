"""The sandbox over the real artifact store: its files' modes have to suit the solution's user."""

import tarfile
from pathlib import Path

from agents.tools.sandbox import ProcessSandbox
from schemas.task import Artifact
from store.artifacts import ArtifactStore
from tests.sandbox.conftest import job


class StoredArtifacts:
    def __init__(self, store: ArtifactStore) -> None:
        self.store = store

    async def put(self, content: bytes | Path, name: str) -> Artifact:
        return self.store.put(content, name)

    async def get(self, artifact: Artifact) -> Path:
        path = self.store.path(artifact)
        assert path is not None
        return path

    async def unpacked(self, artifact: Artifact) -> Path:
        path = self.store.unpack(artifact)
        assert path is not None
        return path


async def test_closed_files_of_a_task_are_open_to_its_solutions(tmp_path: Path) -> None:
    (tmp_path / "public").mkdir(mode=0o700)
    table = tmp_path / "public" / "train.csv"
    table.write_text("id\n1\n")
    table.chmod(0o600)
    with tarfile.open(tmp_path / "data.tar", "w") as archive:
        archive.add(tmp_path / "public", ".")
    artifacts = StoredArtifacts(ArtifactStore(tmp_path / "artifacts"))
    data = artifacts.store.put(tmp_path / "data.tar", "data.tar")
    sandbox = ProcessSandbox(tmp_path / "work", artifacts, slot=0)

    finished = await sandbox.run(
        job(
            "table = open('input/train.csv').read()\n"
            "open('submission/submission.csv', 'w').write(table)",
            data=data,
        ),
        attempt=1,
    )

    assert finished.outcome == "ok", finished
    assert finished.submission is not None
    assert (await artifacts.get(finished.submission)).read_text() == "id\n1\n"
