"""The directory that one attempt works in: made, filled, and removed whatever became of it."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

INSIDE = "/workspace"
"""Where a solution sees its directory, where it has a file system of its own."""

FILES = "files"
"""The folder of the further files that a job names."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_FOLDERS = ("working", "submission", ".home", ".tmp")


class Workplace:
    """A fresh directory `<root>/<name>.<random>`, owned by *uid*; gone again at the end."""

    def __init__(self, root: Path, name: str, uid: int | None, *, keep: bool = False) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.work = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=root))
        self.mount_point = root / ".mount"
        self._uid = uid
        self._keep = keep

    def fill(self, code: str, data: Path, *, linked: bool) -> None:
        """Write the solution and make its folders; ./input is a link or a place to mount on."""
        self.mount_point.mkdir(exist_ok=True)
        program = self.work / "solution.py"
        program.write_bytes(code.encode("utf-8", errors="surrogatepass"))
        for folder in _FOLDERS:
            (self.work / folder).mkdir()
        if linked:
            (self.work / "input").symlink_to(data.absolute(), target_is_directory=True)
        else:
            (self.work / "input").mkdir()
        if self._uid is not None:
            for path in (program, self.work, *(self.work / each for each in _FOLDERS)):
                os.chown(path, self._uid, self._uid)

    def lay(self, files: Mapping[str, Path]) -> None:
        """Copy further files by their names, to be read; raises ValueError for a name that is none."""
        folder = self.work / FILES
        if files:
            folder.mkdir()
        for name, source in files.items():
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a file")
            shutil.copyfile(source, folder / name)
            (folder / name).chmod(0o444)

    def remove(self) -> None:
        """Remove the directory whatever was done to it."""
        if self._keep:
            return
        try:
            shutil.rmtree(self.work)
        except FileNotFoundError:
            return
        except (OSError, RecursionError):  # closed to us, or deeper than Python goes
            hard = self.work
            subprocess.run(["chmod", "-R", "u+rwX", "--", hard], check=False, capture_output=True)
            subprocess.run(["rm", "-rf", "--one-file-system", "--", hard], check=False)
