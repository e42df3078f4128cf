"""A task: what a competition asks for, and the form its answers take. Structs only."""

from typing import Literal

from msgspec import Struct

Kind = Literal["tabular", "text", "image"]
Evaluation = Literal["held-out", "reported"]


class Artifact(Struct, frozen=True, kw_only=True, gc=False):
    """Bytes too large for an event, named by their SHA-256 (hexadecimal)."""

    sha256: str
    size: int
    name: str


class Task(Struct, frozen=True, kw_only=True):
    """A competition as solutions and roles may know it; nothing private.

    `targets` are the submission's prediction columns in order. `label` is the training column
    they come from: equal to the single target, or the column whose values are the targets
    (one probability column per class). `kind` is a guess from the data, for prompts only.
    """

    id: str
    title: str
    description: str
    metric: str
    lower_is_better: bool
    kind: Kind
    id_column: str
    targets: tuple[str, ...]
    label: str | None
    train_file: str
    test_file: str
    sample_file: str


class SampleFormat(Struct, frozen=True, kw_only=True):
    """The form of a submission as solutions must write it: columns in order, number of rows."""

    columns: tuple[str, ...]
    rows: int
