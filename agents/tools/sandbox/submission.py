"""Finding a submission among what hostile code left behind, without following its tricks."""

import os
import stat
from pathlib import Path

PLACES = ("submission/submission.csv", "working/submission.csv", "submission.csv")
"""Where models write it, the proper place first."""

_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def find(work: Path, limit: int) -> tuple[Path | None, str]:
    """Return the first file that may be read, or None and what is wrong with the first found.

    *limit* is the most bytes it may have.
    """
    fault = ""
    for place in PLACES:
        wrong = _fault(work, place, limit)
        if wrong == "":
            return work / place, ""
        fault = fault or wrong or ""
    return None, fault


def _fault(work: Path, place: str, limit: int) -> str | None:
    """Return what is wrong with the file at *place*: "" for nothing, None when there is none."""
    *folders, name = place.split("/")
    opened: list[int] = []
    try:
        opened.append(os.open(work, _FOLDER))
        for folder in folders:
            opened.append(os.open(folder, _FOLDER, dir_fd=opened[-1]))
        found = os.stat(name, dir_fd=opened[-1], follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{place} is not read: {error.strerror}"
    finally:
        for descriptor in opened:
            os.close(descriptor)
    if not stat.S_ISREG(found.st_mode):
        return f"{place} is not read: not a regular file"
    if found.st_nlink != 1:
        return f"{place} is not read: it has another name elsewhere"
    if found.st_size > limit:
        return f"{place} is not read: {found.st_size} bytes are more than the {limit} allowed"
    return ""
