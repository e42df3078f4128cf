"""Artifacts in this machine's store, fetched from other machines where they are wanted. Does I/O."""

from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from bus import objects
from bus.connection import Bus
from schemas.task import Artifact
from store.artifacts import ArtifactStore


class SharedArtifacts:
    """Artifacts in this machine's store, and those of other machines when they are wanted."""

    def __init__(self, store: ArtifactStore, bus: Bus) -> None:
        self._store = store
        self._bus = bus

    async def put(self, content: bytes | Path, name: str) -> Artifact:
        """Keep *content* here; other machines get it when they ask."""
        return await anyio.to_thread.run_sync(self._store.put, content, name)

    async def get(self, artifact: Artifact) -> Path:
        """Return the local file, fetched and checked when another machine has it."""
        path = self._store.path(artifact)
        if path is None:
            path = await self._fetched(artifact)
        return path

    async def unpacked(self, artifact: Artifact) -> Path:
        """Return the local directory with a tar artifact's contents."""
        await self.get(artifact)
        folder = await anyio.to_thread.run_sync(self._store.unpack, artifact)
        if folder is None:
            raise FileNotFoundError(f"artifact {artifact.sha256} ({artifact.name}) is gone")
        return folder

    async def _fetched(self, artifact: Artifact) -> Path:
        with TemporaryDirectory() as folder:
            incoming = Path(folder) / "incoming"
            if not await objects.fetch(self._bus, artifact.sha256, incoming):
                raise FileNotFoundError(f"artifact {artifact.sha256} ({artifact.name}) is nowhere")
            got = await anyio.to_thread.run_sync(self._store.put, incoming, artifact.name)
        path = self._store.path(artifact)
        if path is None:
            raise OSError(f"artifact {artifact.sha256} arrived as {got.sha256}; try again")
        return path
