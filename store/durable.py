"""Files that are whole or not there, and on disk once they are. Touches what it is given."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Wait until the file or directory *path* is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(unfinished: Path, final: Path) -> None:
    """Give the file *unfinished* its *final* name, all at once and for good."""
    sync(unfinished)
    unfinished.replace(final)
    sync(final.parent)


def write(final: Path, content: bytes) -> None:
    """Write *content* to *final*, which holds the old or the new content at every moment."""
    unfinished = final.with_name(f".{final.name}.{os.getpid()}")
    unfinished.write_bytes(content)
    publish(unfinished, final)
