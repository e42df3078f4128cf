"""A small task whose solutions run in a moment, and recordings of such solutions. Writes files."""

import json
from pathlib import Path

ROWS = 40
ASKED = 10

_PROGRAM = """\
import csv
import os
import time

time.sleep({seconds})
with open("input/test.csv") as file:
    rows = list(csv.DictReader(file))
os.makedirs("submission", exist_ok=True)
with open("submission/submission.csv", "w") as file:
    print("id,more", file=file)
    for row in rows:
        more = float(row["a"]) > float(row["b"]) + {margin}
        print(row["id"], int(more), sep=",", file=file)
"""


def write_task(folder: Path, about: str = "Which is more", turn: int = 7) -> Path:
    """Write a whole task: is one number more than another. Other data for another *turn*."""
    folder.mkdir(parents=True)
    train = [f"{n},{n % turn},{n % 5},{int(n % turn > n % 5)}" for n in range(ROWS)]
    test = [f"{n},{n % turn},{n % 5}" for n in range(ROWS, ROWS + ASKED)]
    sample = [f"{n},0" for n in range(ROWS, ROWS + ASKED)]
    for name, head, rows in (
        ("train.csv", "id,a,b,more", train),
        ("test.csv", "id,a,b", test),
        ("sample_submission.csv", "id,more", sample),
    ):
        (folder / name).write_text("\n".join([head, *rows]) + "\n")
    (folder / "description.md").write_text(
        f"# {about}\n\n## Evaluation\n\nThe metric is accuracy.\n"
    )
    return folder


def write_recording(
    path: Path, *, seconds: float = 0.0, program: str = "", count: int = 60
) -> Path:
    """Write solutions for the rehearsal model to play back, each better than the one before."""
    nodes = [
        {
            "node_index": number,
            "parent_index": 0,
            "plan": f"Ask for a margin; number {number}.",
            "code": f"# {number}\n"
            + (program or _PROGRAM.format(seconds=seconds, margin=max(0.0, 5 - number / 2))),
        }
        for number in range(1, count + 1)
    ]
    path.write_text(json.dumps([nodes]))
    return path
