"""The best submission so far, whole at every moment, where people look for it. Writes one folder.

`best` is a link that is swapped in one step to a finished folder, so that whoever opens it sees
either the old best or the new one.
"""

import json
import os
import shutil
from pathlib import Path

from msgspec import Struct


class Best(Struct, frozen=True, kw_only=True):
    """A solution worth handing over, and where it came from."""

    node: str
    metric: float | None
    obtained: str | None
    seq: int


def publish(run_directory: Path, best: Best, submission: Path, code: str) -> None:
    """Make `best/` hold the submission, the program and one line of provenance."""
    versions = run_directory / "versions"
    folder = versions / f"{best.seq}-{best.node}"
    unfinished = versions / f".{folder.name}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    shutil.copyfile(submission, unfinished / "submission.csv")
    (unfinished / "submission.csv").chmod(0o644)
    (unfinished / "solution.py").write_text(code)
    provenance = {"node": best.node, "score": best.metric, "obtained": best.obtained}
    (unfinished / "provenance.json").write_text(json.dumps(provenance) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    link, new = run_directory / "best", run_directory / ".best"
    new.unlink(missing_ok=True)
    new.symlink_to(folder.relative_to(run_directory))
    os.replace(new, link)  # noqa: PTH105 - Path.replace would do the same; the step is the point
    for old in versions.iterdir():
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)


def current(run_directory: Path) -> dict[str, object] | None:
    """Return the provenance of the best submission, None while there is none."""
    try:
        found: dict[str, object] = json.loads((run_directory / "best/provenance.json").read_text())
    except FileNotFoundError:
        return None
    return found
