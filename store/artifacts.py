"""Artifacts: bytes named by their SHA-256, kept once, checked on every read. Touches one folder."""

import re
import shutil
import tarfile
from hashlib import file_digest, sha256
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile, mkdtemp

from schemas.task import Artifact
from store.durable import publish, sync

_FILE_MODE = 0o444  # for everyone: solutions run as a user of their own
_OPEN_FOLDER_MODE = 0o755
_FOLDER_MODE = 0o555
_PIECE = 1 << 20


class ArtifactDamaged(Exception):  # noqa: N818 - it says what is the matter
    """Raised when an artifact's bytes are not those of its name, or cannot be unpacked."""


class ArtifactStore:
    """A folder of artifacts, safe for many processes at once."""

    def __init__(self, directory: Path) -> None:
        self._files = directory / "files"
        self._unpacked = directory / "unpacked"
        self._unfinished = directory / "unfinished"
        for each in (self._files, self._unpacked, self._unfinished):
            each.mkdir(parents=True, exist_ok=True)

    def put(self, content: bytes | Path, name: str) -> Artifact:
        """Keep *content*, on disk when this returns; what is there already is not written again."""
        digest = sha256()
        size = 0
        with (
            BytesIO(content) if isinstance(content, bytes) else content.open("rb") as source,
            NamedTemporaryFile(dir=self._unfinished, delete=False) as copy,
        ):
            unfinished = Path(copy.name)
            try:
                while piece := source.read(_PIECE):
                    digest.update(piece)
                    size += len(piece)
                    copy.write(piece)
            except BaseException:
                unfinished.unlink()
                raise
        artifact = Artifact(sha256=digest.hexdigest(), size=size, name=name)
        if self._whole(artifact):
            unfinished.unlink()
        else:
            unfinished.chmod(0o444)
            self._place(artifact).parent.mkdir(exist_ok=True)
            publish(unfinished, self._place(artifact))
        return artifact

    def path(self, artifact: Artifact) -> Path | None:
        """Return the file with the artifact's bytes; None when it is not here.

        Raises ArtifactDamaged when what is here are other bytes.
        """
        place = self._place(artifact)
        if not place.exists():
            return None
        if not self._whole(artifact):
            raise ArtifactDamaged(f"{place}: damaged; delete it and it is fetched again")
        return place

    def find(self, sha256: str) -> Path | None:
        """Return the file with that hash, unchecked; None when it is not here."""
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            return None
        place = self._files / sha256[:2] / sha256
        return place if place.exists() else None

    def unpack(self, artifact: Artifact) -> Path | None:
        """Return a read-only folder with the contents of a tar artifact, unpacked once.

        None when the artifact is not here. Raises ArtifactDamaged, also for a tar whose members
        would leave the folder.
        """
        final = self._unpacked / artifact.sha256
        if final.is_dir():
            return final
        packed = self.path(artifact)
        if packed is None:
            return None
        unfinished = Path(mkdtemp(dir=self._unfinished))
        try:
            with tarfile.open(packed) as archive:
                archive.extractall(unfinished, filter="data")
        except (tarfile.TarError, OSError) as error:
            shutil.rmtree(unfinished)
            raise ArtifactDamaged(f"{artifact.name}: cannot be unpacked: {error}") from error
        self._publish_folder(unfinished, final)
        return final

    def _publish_folder(self, unfinished: Path, final: Path) -> None:
        """Give a folder its final name and let everyone read it, nobody write; a rival may win."""
        for each in (*unfinished.rglob("*"), unfinished):
            if each.is_file() and not each.is_symlink():
                sync(each)
                each.chmod(_FILE_MODE)
            elif each.is_dir() and not each.is_symlink():
                each.chmod(_OPEN_FOLDER_MODE)
        try:
            unfinished.rename(final)
        except OSError:
            if not final.is_dir():
                raise
            shutil.rmtree(unfinished)
            return
        for each in (*final.rglob("*"), final):
            if each.is_dir() and not each.is_symlink():
                each.chmod(_FOLDER_MODE)
        sync(final.parent)

    def _place(self, artifact: Artifact) -> Path:
        return self._files / artifact.sha256[:2] / artifact.sha256

    def _whole(self, artifact: Artifact) -> bool:
        place = self._place(artifact)
        if not place.exists() or place.stat().st_size != artifact.size:
            return False
        with place.open("rb") as file:
            return file_digest(file, "sha256").hexdigest() == artifact.sha256


def pack(directory: Path, final: Path) -> None:
    """Write the files in *directory* as a tar to *final*; the same files give the same bytes."""
    with tarfile.open(final, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(directory.rglob("*")):
            archive.add(path, path.relative_to(directory), recursive=False, filter=_plain)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Strip what differs between machines and moments."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() or member.mode & 0o111 else 0o644
    return member
