"""Which wisdom of earlier runs a new run is given, and which it must not see. Pure.

ML-Master 2.0's prefetch (arXiv 2601.10402, section 3.1): every entry whose descriptor has a cosine
above the threshold. What was made from the same task is left out: it knows the answers.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from agents.descriptor import described, descriptor
from agents.embedding import cosine, embed
from schemas.events import RecalledWisdom, TaskPrepared, WisdomRecalled
from schemas.settings import Memory
from store.projections.wisdom import Entry


class Seeker(Struct, frozen=True, kw_only=True):
    """Who looks for wisdom: a run, its task, that task's test table, and the vectors it is told by.

    Of `vectors` the nearer counts: entries made from a description alone are told by less.
    """

    run: str
    task: str
    test_hash: str
    vectors: tuple[Sequence[float], ...]


class Found(Struct, frozen=True, kw_only=True):
    """The entries to recall with their cosines, nearest first; and why others must not be."""

    entries: tuple[tuple[Entry, float], ...]
    reasons: dict[str, str]


def recalled(
    prepared: TaskPrepared, run: str, entries: Iterable[Entry], settings: Memory
) -> WisdomRecalled:
    """Return what *run* recalls of *entries*, and what it leaves out for which reason."""
    paragraph, task = descriptor(prepared), prepared.task
    seeker = Seeker(
        run=run,
        task=task.id,
        test_hash=hash_of_tests(prepared),
        vectors=(embed(paragraph), embed(described(task.title, task.description))),
    )
    found = sift(seeker, entries, settings)
    return WisdomRecalled(
        descriptor=paragraph,
        entries=tuple(_recalled(entry, similarity) for entry, similarity in found.entries),
        excluded=tuple(found.reasons),
        reasons=found.reasons,
    )


def sift(seeker: Seeker, entries: Iterable[Entry], settings: Memory) -> Found:
    """Return the entries strictly above the threshold, the nearest first, and those left out."""
    found, reasons = list[tuple[Entry, float]](), dict[str, str]()
    for entry in entries:
        similarity = max(cosine(vector, entry.embedding) for vector in seeker.vectors)
        if why := _why_not(seeker, entry, similarity, settings):
            reasons[entry.run] = why
        elif similarity > settings.recall_threshold:
            found.append((entry, similarity))
    found.sort(key=lambda each: -each[1])
    return Found(entries=tuple(found[: settings.recall_limit]), reasons=reasons)


def hash_of_tests(prepared: TaskPrepared) -> str:
    """Return the SHA-256 of the task's test table; empty where it has none."""
    return prepared.hashes.get(prepared.task.test_file, "")


def _why_not(seeker: Seeker, entry: Entry, similarity: float, settings: Memory) -> str:
    """Return why an entry must not be recalled, or nothing."""
    ceiling = settings.same_task_similarity
    if entry.run == seeker.run:
        return "it is the run itself"
    if settings.allow_same_task:
        return ""
    if entry.task == seeker.task:
        return f"it is of the same task, {entry.task}"
    if entry.test_hash and entry.test_hash == seeker.test_hash:
        return f"its task {entry.task} has the same test data"
    if ceiling is not None and similarity >= ceiling:
        return f"its task {entry.task} reads the same: a cosine of {similarity:.3f}"
    return ""


def _recalled(entry: Entry, similarity: float) -> RecalledWisdom:
    # Where room is short the end is cut: what worked comes first.
    text = f"## {entry.task}\n### Model\n{entry.model_summary}\n### Data\n{entry.data_summary}"
    return RecalledWisdom(run=entry.run, task=entry.task, similarity=similarity, text=text)
