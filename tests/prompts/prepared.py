"""A prepared task for tests of prompts."""

from schemas.events import TaskPrepared
from schemas.task import Artifact, SampleFormat, Task

PREVIEW = """\
# Data preview
- kind: tabular
- metric: accuracy
- direction: higher is better
- needs: labels
- train file: train.csv
- test file: test.csv
- sample file: sample_submission.csv
- id column: id
- target columns: ["kind"]
- label column: kind
- classes: ["a", "b"]
- rules: labels as in the training data

## Columns of train.csv (120 rows)
- id: type=numeric missing=0 unique=120 range=[0, 119]
- size: type=numeric missing=0.05 unique=77 range=[0, 79]
- "odd: name": type=categorical missing=0 unique=3 examples=["x", "y: type=text", "z"]
- pixel0 .. pixel3 (4 columns): type=numeric missing=0 unique=17 range=[0, 16]
- kind: type=categorical missing=0 unique=2 examples=["a", "b"]

## Columns only in train.csv (not in test.csv)
- kind
"""

PREPARED = TaskPrepared(
    task=Task(
        id="kinds",
        title="Kinds",
        description="# Memory\nTell the kind of each row.",
        metric="accuracy",
        lower_is_better=False,
        kind="tabular",
        id_column="id",
        targets=("kind",),
        label="kind",
        train_file="train.csv",
        test_file="test.csv",
        sample_file="sample_submission.csv",
    ),
    sample=SampleFormat(columns=("id", "kind"), rows=40),
    evaluation="held-out",
    heldout_rows=10,
    preview=PREVIEW,
    data=Artifact(sha256="0" * 64, size=0, name="input.tar"),
    hashes={},
)
