"""Artifacts are their bytes: kept once, checked on reading, unpacked safely."""

import hashlib
import io
import os
import stat
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.task import Artifact
from store.artifacts import ArtifactDamaged, ArtifactStore, pack


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=2000))
def test_what_is_put_is_found_by_its_hash(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        store = ArtifactStore(Path(folder) / "artifacts")
        source = Path(folder) / "source"
        source.write_bytes(content)
        artifact = store.put(content, "a.bin")
        assert artifact == store.put(source, "a.bin")
        assert artifact.sha256 == hashlib.sha256(content).hexdigest()
        assert artifact.size == len(content)
        found = store.path(artifact)
        assert found is not None
        assert found.read_bytes() == content
        files = [each for each in (Path(folder) / "artifacts").rglob("*") if each.is_file()]
        assert files == [found]


def test_what_is_not_here_is_none(tmp_path: Path) -> None:
    missing = Artifact(sha256="0" * 64, size=1, name="x")
    assert ArtifactStore(tmp_path).path(missing) is None
    assert ArtifactStore(tmp_path).unpack(missing) is None


def test_damage_is_noticed_and_mended_by_putting_again(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    artifact = store.put(b"precious", "x")
    place = store.path(artifact)
    assert place is not None
    place.chmod(0o644)
    place.write_bytes(b"previous")
    with pytest.raises(ArtifactDamaged, match="damaged"):
        store.path(artifact)
    assert store.put(b"precious", "x") == artifact
    assert store.path(artifact) == place


def _folder(at: Path, moment: int, mode: int) -> Path:
    (at / "sub").mkdir(parents=True)
    for name in ("b.csv", "a.csv", "sub/c.csv"):
        file = at / name
        file.write_text(name)
        file.chmod(mode)
        os.utime(file, (moment, moment))
    return at


def test_the_same_files_pack_to_the_same_bytes(tmp_path: Path) -> None:
    for name, moment, mode in (("x", 1, 0o644), ("y", 10**9, 0o600)):
        pack(_folder(tmp_path / name, moment, mode), tmp_path / f"{name}.tar")
    assert (tmp_path / "x.tar").read_bytes() == (tmp_path / "y.tar").read_bytes()


def test_a_folder_comes_back_once_and_read_only(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "artifacts")
    pack(_folder(tmp_path / "x", 1, 0o644), tmp_path / "x.tar")
    artifact = store.put(tmp_path / "x.tar", "input.tar")
    folder = store.unpack(artifact)
    assert folder is not None
    assert store.unpack(artifact) == folder
    assert (folder / "sub" / "c.csv").read_text() == "sub/c.csv"
    assert not any(each.stat().st_mode & 0o222 for each in (folder, *folder.rglob("*")))
    assert stat.S_IMODE((folder / "a.csv").stat().st_mode) == 0o444


def _tar_of(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, link
        archive.addfile(member, io.BytesIO())
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "kind", "link"),
    [
        ("../escaped", tarfile.REGTYPE, ""),
        ("absolute", tarfile.SYMTYPE, "/etc/passwd"),
        ("upwards", tarfile.SYMTYPE, "../../outside"),
        ("hard", tarfile.LNKTYPE, "../../outside"),
        ("device", tarfile.CHRTYPE, ""),
    ],
)
def test_a_tar_cannot_reach_out(tmp_path: Path, name: str, kind: bytes, link: str) -> None:
    store = ArtifactStore(tmp_path / "artifacts")
    artifact = store.put(_tar_of(name, kind, link), "hostile.tar")
    with pytest.raises(ArtifactDamaged, match=r"hostile\.tar: cannot be unpacked"):
        store.unpack(artifact)
    assert not list((tmp_path / "artifacts" / "unfinished").iterdir())


def test_an_absolute_name_stays_inside(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "artifacts")
    folder = store.unpack(store.put(_tar_of("/etc/inside"), "absolute.tar"))
    assert folder is not None
    assert (folder / "etc" / "inside").exists()
    assert not Path("/etc/inside").exists()


def test_what_is_no_tar_is_damaged(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    with pytest.raises(ArtifactDamaged, match=r"input\.tar: cannot be unpacked"):
        store.unpack(store.put(b"no tar", "input.tar"))
