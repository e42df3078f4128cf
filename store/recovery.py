"""When the log does not open: set aside, restored from a checkpoint. Touches files beside the log.

A checkpoint is a second log that was fed the same events: that its chains end in the same hashes
proves the copy.
"""

import shutil
from collections.abc import Iterator, Mapping
from hashlib import file_digest
from itertools import islice
from pathlib import Path

import msgspec
from msgspec import Struct

from schemas.envelope import Envelope
from store.chain import STREAMS, Stream
from store.database import wal
from store.durable import publish, sync, write
from store.failures import LogBroken, LogFailure
from store.log import Log, Position

KEEP = 2
"""How many checkpoints stay."""
_BATCH = 1000


class Checkpoint(Struct, frozen=True, kw_only=True):
    """The manifest of a verified copy of the log; `chains` are hashes by stream and run."""

    file: str
    sha256: str
    heads: dict[Stream, int]
    chains: dict[Stream, dict[str, str]]


class Recovery(Struct, frozen=True, kw_only=True):
    """What was done about a log that did not open: why, where it went, what took its place."""

    why: str
    set_aside: Path
    checkpoint: Path | None
    heads: Mapping[Stream, int]


class Opened(Struct, frozen=True, kw_only=True):
    """A log ready for use; after a recovery, the stream has what is missing after its heads."""

    log: Log
    recovery: Recovery | None


def open_or_restore(path: Path, checkpoints: Path) -> Opened:
    """Open the log at *path*; one that is broken is set aside and restored from *checkpoints*.

    Raises LogUnavailable or LogTooNew.
    """
    try:
        return Opened(log=Log.open(path), recovery=None)
    except LogBroken as error:
        set_aside = _set_aside(path)
        used = _restore(path, checkpoints)
        log = Log.open(path)
        recovery = Recovery(
            why=str(error), set_aside=set_aside, checkpoint=used, heads=log.position().heads
        )
        return Opened(log=log, recovery=recovery)


def checkpoint(log: Log, directory: Path) -> Checkpoint:
    """Write a verified copy of the log to *directory* and return its manifest; keep the last two.

    Raises LogBroken when the log does not agree with itself, and OSError or LogUnavailable when
    the copy cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    position = log.position()
    newest = next(_verified(directory), None)
    if newest is not None and _manifest_of(position, newest.file, newest.sha256) == newest:
        return newest
    unfinished = directory / "unfinished.duckdb"
    _remove(unfinished)
    if newest is not None:
        shutil.copyfile(directory / newest.file, unfinished)
    if not _fill(unfinished, log, position):
        _remove(unfinished)
        if newest is None or not _fill(unfinished, log, position):
            raise LogBroken(f"{log.path}: its copy has other hashes; run `flowstone verify`")
    return _publish(unfinished, directory, position)


def _fill(copy_path: Path, log: Log, position: Position) -> bool:
    """Bring the copy up to *position*; return whether it then says the same, read back."""
    with Log.open(copy_path) as copy:
        for stream in STREAMS:
            until = position.heads.get(stream, 0)
            events = log.read(stream=stream, after=copy.head(stream), until=until)
            for batch in _batches(events):
                copy.append(batch, stream)
        same = copy.position() == position
    with Log.open(copy_path, read_only=True) as copy:
        return same and copy.verify() is None


def _publish(unfinished: Path, directory: Path, position: Position) -> Checkpoint:
    """Name the copy after its head; it counts once its manifest is there."""
    final = directory / f"checkpoint-{sum(position.heads.values()):012d}.duckdb"
    manifest = _manifest_of(position, final.name, _sha256(unfinished))
    publish(unfinished, final)
    write(final.with_suffix(".json"), msgspec.json.encode(manifest))
    for old in sorted(directory.glob("checkpoint-*.json"), reverse=True)[KEEP:]:
        old.unlink()
        old.with_suffix(".duckdb").unlink(missing_ok=True)
    return manifest


def _verified(directory: Path) -> Iterator[Checkpoint]:
    """Yield the checkpoints whose file is the one that was verified, newest first."""
    for path in sorted(directory.glob("checkpoint-*.json"), reverse=True):
        try:
            manifest = msgspec.json.decode(path.read_bytes(), type=Checkpoint)
            whole = _sha256(directory / manifest.file) == manifest.sha256
        except (OSError, msgspec.MsgspecError):
            continue
        if whole:
            yield manifest


def _restore(path: Path, checkpoints: Path) -> Path | None:
    """Put the newest whole checkpoint in the place of *path* and return where it came from."""
    for manifest in _verified(checkpoints):
        source = checkpoints / manifest.file
        unfinished = path.with_name(f".{path.name}.restored")
        shutil.copyfile(source, unfinished)
        try:
            Log.open(unfinished).close()
        except LogFailure:
            unfinished.unlink()
            continue
        publish(unfinished, path)
        return source
    return None


def _set_aside(path: Path) -> Path:
    """Rename a broken log and its write-ahead file; nothing is deleted."""
    number = 1
    while (aside := path.with_name(f"{path.name}.broken-{number}")).exists() or wal(aside).exists():
        number += 1
    for each, name in ((path, aside), (wal(path), wal(aside))):
        if each.exists():
            each.rename(name)
    sync(path.parent)
    return aside


def _manifest_of(position: Position, file: str, sha256: str) -> Checkpoint:
    chains: dict[Stream, dict[str, str]] = {stream: {} for stream in STREAMS}
    for (stream, run), digest in sorted(position.chains.items()):
        chains[stream][run] = digest.hex()
    return Checkpoint(file=file, sha256=sha256, heads=dict(position.heads), chains=chains)


def _batches(events: Iterator[tuple[int, Envelope]]) -> Iterator[list[tuple[int, Envelope]]]:
    while batch := list(islice(events, _BATCH)):
        yield batch


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    wal(path).unlink(missing_ok=True)
