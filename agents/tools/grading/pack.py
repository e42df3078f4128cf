"""What solutions see as ./input: which public files, under which names, in one archive.

Reads the public folder, writes the archive.
"""

import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from agents.tools.grading.folder import ARCHIVES, LoadedTask
from agents.tools.tables import BrokenTable, find, is_table

MOST_TABLES = 100
"""Further tables that are looked into for labels."""


def stem(path: PurePosixPath | Path) -> str:
    """Return a file's name without any of its endings."""
    return path.name.partition(".")[0] if not path.name.startswith(".") else path.name


def left_out(task: LoadedTask, paths: Sequence[Path]) -> frozenset[Path]:
    """Return the files that hold what other files hold too.

    Archives of a neighbour, archives of the training table, and the training table in another
    format: each would give away the labels of rows that were set aside.
    """
    neighbours = {
        (part.parent, stem(part))
        for path in paths
        if path.suffix.lower() not in ARCHIVES
        for part in (path, *path.parents[:-1])
    }
    train = task.train.path.name if task.train else ""
    double = {
        path
        for path in paths
        if path.suffix.lower() in ARCHIVES
        and ((path.parent, stem(path)) in neighbours or _holds(task.public / path, train))
    }
    copies = {
        path
        for path in paths
        if train
        and path.parent == Path()
        and stem(path) == stem(Path(train))
        and path.name != train
    }
    return frozenset(double | copies)


def _holds(archive: Path, name: str) -> bool:
    if not name or not zipfile.is_zipfile(archive):
        return False
    with zipfile.ZipFile(archive) as opened:
        return any(PurePosixPath(each).name == name for each in opened.namelist())


def other_labels(task: LoadedTask, paths: Iterable[Path], label: str, *, kept: bool) -> str:
    """Return why no rows can be set aside because of further tables; empty when they can.

    *kept* says that every row goes by the id that it always had.
    """
    own = {table.path for table in (task.train, task.test, task.sample) if table}
    others = [path for path in paths if is_table(path) and task.public / path not in own]
    telling = {label} if label else set(task.targets)
    for path in others[:MOST_TABLES]:
        try:
            columns = set(find(task.public / path).columns)
        except BrokenTable:
            continue
        if telling & columns:
            return f"{path} has labels too"
        if task.id_column in columns and not kept:
            return f"{path} goes by {task.id_column} too"
    return ""


def carried(
    paths: Sequence[Path],
    *,
    renamed: Mapping[str, str],
    moved: Mapping[str, str],
    kept: bool,
) -> dict[Path, PurePosixPath] | str:
    """Return each path's name among what solutions see, or why files cannot follow their rows.

    Files that belong to a row are those in top folders, named by the row's id: `renamed` are the
    test rows' ids, old to new, `moved` those of held-out rows, from the training folder.
    """
    named: defaultdict[str, set[str]] = defaultdict(set)
    for path in paths:
        if len(path.parts) > 1:
            named[path.parts[0]].add(_row(path))
    trains = {
        top: top.replace("test", "train").replace("Test", "Train")
        for top, rows in named.items()
        if "train" not in top.lower() and 2 * len(rows & renamed.keys()) > len(renamed)
    }
    for top, train in trains.items():
        alone = train == top
        if (alone and not kept) or (not alone and not moved.keys() <= named.get(train, set())):
            return f"files in {top}/ belong to rows, and not every held-out row has one"
    back = {train: top for top, train in trains.items() if train != top}
    names: dict[Path, PurePosixPath] = {}
    for path in paths:
        names[path] = PurePosixPath(*path.parts)
        top, row = path.parts[0], _row(path)
        if top in back and row in moved:
            names[path] = _under(path, back[top], row, moved[row])
        elif top in back.values() and row in renamed:
            names[path] = _under(path, top, row, renamed[row])
    return names


def _row(path: Path) -> str:
    return stem(Path(path.parts[1])) if len(path.parts) > 1 else ""


def _under(path: Path, top: str, row: str, new: str) -> PurePosixPath:
    return PurePosixPath(top, new + path.parts[1].removeprefix(row), *path.parts[2:])


def pack(archive: Path, contents: Mapping[PurePosixPath, Path]) -> None:
    """Write a tar that is the same for the same contents: sorted, without times or owners."""
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, source in sorted(contents.items()):
            entry = tarfile.TarInfo(str(name))
            entry.mode = 0o644
            entry.size = source.stat().st_size
            with source.open("rb") as file:
                tar.addfile(entry, file)
