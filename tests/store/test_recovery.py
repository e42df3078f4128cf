"""A log that does not open is set aside and restored; nothing recorded is lost."""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from store.database import wal
from store.failures import LogBroken, LogTooNew, LogUnavailable
from store.log import Log
from store.recovery import KEEP, checkpoint, open_or_restore
from tests.processes import started
from tests.store.envelopes import batch, numbered

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a log and its write-ahead file as a killed process leaves them: 2,000 events in each."""
    folder = tmp_path_factory.mktemp("killed")
    code = (
        "import os; from pathlib import Path; from store.log import Log\n"
        "from tests.store.envelopes import batch\n"
        f"log = Log.open(Path({str(folder)!r}) / 'log.duckdb')\n"
        "log.append(batch(1, 2000)); log.close(); log.append(batch(2001, 4000)); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
    assert (folder / "log.duckdb.wal").stat().st_size > 0
    return folder


@pytest.fixture
def path(left_behind: Path, tmp_path: Path) -> Path:
    """Return a fresh copy of what was left behind."""
    shutil.copytree(left_behind, tmp_path / "home")
    return tmp_path / "home" / "log.duckdb"


def cut(path: Path, share: float) -> None:
    """Keep the first *share* of a file."""
    os.truncate(path, int(path.stat().st_size * share))


def flip(path: Path, at: int) -> None:
    """Turn over one byte of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 0xFF]))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: cut(path, 0),
    "headless": lambda path: cut(path, 0.001),
    "cut short": lambda path: cut(path, 0.5),
    "header": lambda path: flip(path, 20),
    "second header": lambda path: flip(path, 8192 + 20),
    "garbage": lambda path: path.write_bytes(b"garbage" * 1000),
    "text": lambda path: path.write_text("not a database"),
    "write-ahead file": lambda path: flip(wal(path), wal(path).stat().st_size // 2),
    "only the write-ahead file": lambda path: path.unlink(),
}


def test_what_a_killed_process_left_opens_whole(path: Path, tmp_path: Path) -> None:
    opened = open_or_restore(path, tmp_path / "checkpoints")
    with opened.log as log:
        assert opened.recovery is None
        assert log.head() == 4000
        assert log.verify() is None


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_broken_log_is_set_aside_and_restored(path: Path, tmp_path: Path, damage: str) -> None:
    with Log.open(tmp_path / "other.duckdb") as other:
        other.append(batch(1, 1500))
        checkpoint(other, tmp_path / "checkpoints")
    DAMAGES[damage](path)
    left = {each.name for each in path.parent.iterdir()}

    opened = open_or_restore(path, tmp_path / "checkpoints")

    with opened.log as log:
        assert opened.recovery is not None
        assert opened.recovery.checkpoint is not None
        assert dict(opened.recovery.heads) == {"public": 1500}
        assert "\n" not in opened.recovery.why
        assert str(path) in opened.recovery.why
        assert log.append(batch(1, 4000)) == 2500
        assert log.verify() is None
    kept = {each.name for each in path.parent.iterdir()}
    assert {name.replace("log.duckdb", "log.duckdb.broken-1") for name in left} <= kept | {
        "log.duckdb.broken-1.wal"
    }


def test_without_a_checkpoint_the_log_begins_anew(path: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        path.write_bytes(b"garbage" * 1000)
        opened = open_or_restore(path, tmp_path / "checkpoints")
        with opened.log as log:
            assert opened.recovery is not None
            assert opened.recovery.checkpoint is None
            assert opened.recovery.set_aside.name == f"log.duckdb.broken-{number}"
            assert log.append(batch(1, 10)) == 10


def test_a_write_ahead_file_cut_short_keeps_what_was_whole(path: Path, tmp_path: Path) -> None:
    cut(wal(path), 0.5)
    with open_or_restore(path, tmp_path / "checkpoints").log as log:
        assert log.head() in {2000, 4000}
        assert log.append(batch(1, 4000)) == 4000 - 2000
        assert log.verify() is None


def test_a_newer_log_is_refused_and_left_alone(path: Path, tmp_path: Path) -> None:
    with duckdb.connect(path) as newer:
        newer.execute("update meta set value = 2 where name = 'format'")
    before = path.read_bytes()
    with pytest.raises(LogTooNew, match=r"format 2.*update Flowstone"):
        open_or_restore(path, tmp_path / "checkpoints")
    assert path.read_bytes() == before


def test_another_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.duckdb"
    with duckdb.connect(path) as mine:
        mine.execute("create table precious (a int)")
    with pytest.raises(LogUnavailable, match="is not a Flowstone log"):
        open_or_restore(path, tmp_path / "checkpoints")
    assert [each.name for each in tmp_path.iterdir()] == ["mine.duckdb"]


def test_a_folder_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable, match="cannot be written: Is a directory"):
        Log.open(tmp_path)


def test_checkpoints_grow_and_the_last_two_stay(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    with Log.open(tmp_path / "log.duckdb") as log:
        log.append([(1, numbered(1, stream="private"))], "private")
        for last in (10, 20, 30):
            log.append(batch(last - 9, last))
            assert checkpoint(log, folder).heads == {"public": last, "private": 1}
        made = checkpoint(log, folder)
        assert checkpoint(log, folder) == made
        assert len(list(folder.iterdir())) == 2 * KEEP
        with Log.open(folder / made.file, read_only=True) as copy:
            assert copy.position() == log.position()
            assert list(copy.read(stream="private")) == list(log.read(stream="private"))


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path) -> None:
    folder, path = tmp_path / "checkpoints", tmp_path / "log.duckdb"
    with Log.open(path) as log:
        log.append(batch(1, 10))
        checkpoint(log, folder)
        log.append(batch(11, 20))
        newest = checkpoint(log, folder)
    flip(folder / newest.file, 5000)
    path.write_bytes(b"garbage")
    opened = open_or_restore(path, folder)
    with opened.log as log:
        assert opened.recovery is not None
        assert dict(opened.recovery.heads) == {"public": 10}


def test_a_checkpoint_of_another_log_is_not_built_upon(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    with Log.open(tmp_path / "a.duckdb") as log:
        log.append(batch(1, 10, run="a"))
        checkpoint(log, folder)
    with Log.open(tmp_path / "b.duckdb") as log:
        log.append(batch(1, 20, run="b"))
        made = checkpoint(log, folder)
        with Log.open(folder / made.file, read_only=True) as copy:
            assert copy.position() == log.position()


def test_a_log_that_lies_makes_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "log.duckdb"
    with Log.open(path) as log:
        log.append(batch(1, 10))
    with duckdb.connect(path) as tampering:
        tampering.execute("update events set data = '{}' where seq = 7")
    with Log.open(path) as log, pytest.raises(LogBroken, match="flowstone verify"):
        checkpoint(log, tmp_path / "checkpoints")
    assert list((tmp_path / "checkpoints").iterdir()) == []


FILLING = """
import resource, sys
from pathlib import Path
from store.failures import LogUnavailable
from store.log import Log
from tests.store.envelopes import numbered
log, n = Log.open(Path(sys.argv[1])), 0
try:
    while n < 100_000:
        events = [(n + i, numbered(n + i, data=b'"%s"' % (b'x' * 2000))) for i in range(1, 101)]
        log.append(events)
        n += 100
except LogUnavailable as error:
    print(n, error)
    if resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert log.append(events) == 100
"""


def fill(path: Path, **limits: int) -> tuple[int, str]:
    """Append in another process until the disk refuses; return what was recorded, and the error."""

    def limit() -> None:
        if "file_bytes" in limits:
            room = limits["file_bytes"], resource.RLIM_INFINITY
            resource.setrlimit(resource.RLIMIT_FSIZE, room)

    done = subprocess.run(  # noqa: PLW1510 - what it printed is checked; one thread
        [sys.executable, "-c", FILLING, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=limit,
    )
    assert done.returncode == 0, done.stderr
    recorded, _, said = done.stdout.strip().partition(" ")
    return int(recorded), said


def test_a_disk_that_refuses_loses_nothing_and_work_goes_on_once_it_takes_more(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log.duckdb"
    recorded, said = fill(path, file_bytes=3_000_000)
    assert "\n" not in said
    assert "nothing recorded is lost" in said
    with Log.open(path) as log:
        assert log.head() == recorded + 100 > 100
        assert log.verify() is None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a disk of 4 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=False)
    if mounted.returncode != 0:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_loses_nothing(small_disk: Path) -> None:
    path = small_disk / "log.duckdb"
    recorded, said = fill(path)
    assert "\n" not in said
    assert "nothing recorded is lost" in said
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    with Log.open(path) as log:
        assert log.head() == recorded > 0
        assert log.verify() is None
        assert log.append([(recorded + 1, numbered(recorded + 1))]) == 1


APPENDING = """
import sys
from pathlib import Path
from store.log import Log
from tests.store.envelopes import batch
log, n = Log.open(Path(sys.argv[1])), 0
while True:
    log.append(batch(n + 1, n + 7))
    n += 7
    print(n, flush=True)
"""


@pytest.mark.parametrize("round_", range(3))
def test_whatever_was_said_to_be_durable_survives_kill_9(tmp_path: Path, round_: int) -> None:
    path = tmp_path / "log.duckdb"
    with started(
        [sys.executable, "-c", APPENDING, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        lines = random.Random(round_).randint(1, 60)  # noqa: S311 - any moment will do
        said = "".join(writer.stdout.readline() for _ in range(lines))
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout.read()
    promised = int(said.rpartition("\n")[0].split()[-1])
    with Log.open(path) as log:
        assert log.head() >= promised >= 7 * lines
        assert log.head() % 7 == 0
        assert [seq for seq, _ in log.read()] == list(range(1, log.head() + 1))
        assert log.verify() is None
