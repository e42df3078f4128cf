"""What the rehearsal model says to a prompt: a composed or a recorded solution, or notes.

Remembers what it gave before, so that requests which arrive together get different ideas.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from agents.prompts.sections import fenced
from ops.rehearsal.composer import notes, plans
from ops.rehearsal.composer.composition import Asked, Composed, draft, improvement, repair
from ops.rehearsal.playback import Playback
from ops.rehearsal.prompt import Prompt, parsed

OTHER = (
    "This is Flowstone's rehearsal model. No language model is inside: it composes programs from"
    " the sections that Flowstone's prompts carry, and this prompt carries none of them."
)
LOWER = "lower is better"
SIGNATURE = "(Composed by the rehearsal model; no language model is inside.)"


class Speaker:
    """Answers prompts; with a recording, solutions come from it as long as they last."""

    def __init__(self, playback: Playback | None = None) -> None:
        self._playback = playback
        self._given: Counter[tuple[str, str]] = Counter()

    @classmethod
    def of(cls, recording: Path | None) -> "Speaker":
        """Return a speaker that plays *recording* back, or composes when there is none."""
        return cls(Playback.of(recording) if recording else None)

    def reply(self, messages: Sequence[tuple[str, str]]) -> str:
        """Return the reply to *messages*, pairs of role and text; total over all texts."""
        prompt = parsed(messages)
        match prompt.kind:
            case "other":
                return OTHER
            case "knowledge":
                return notes.knowledge(
                    prompt.trajectories, prompt.memory, lower=LOWER in prompt.task
                )
            case "plan":
                return plans.plan(_asked(prompt, prompt.best), prompt.instructions)
            case "wisdom":
                return notes.wisdom(prompt.facts, prompt.trajectories, prompt.best)
            case _:
                return self._solution(prompt)

    def _solution(self, prompt: Prompt) -> str:
        if self._playback and (played := self._playback.next(prompt.kind, prompt.code)):
            return f"{played.plan}\n\n{fenced(played.code, 'python')}\n"
        composed = self._composed(prompt)
        return f"{composed.plan} {SIGNATURE}\n\n{fenced(composed.code, 'python')}\n"

    def _composed(self, prompt: Prompt) -> Composed:
        asked = _asked(prompt, prompt.code)
        about = prompt.code or prompt.task
        given = {idea: n for (where, idea), n in self._given.items() if where == about}
        match prompt.kind:
            case "draft":
                composed = draft(asked, given)
            case "debug":
                composed = repair(asked, given)
            case _:
                composed = improvement(asked, given, blend=prompt.kind == "fuse")
        self._given[about, composed.idea] += 1
        return composed


def _asked(prompt: Prompt, code: str) -> Asked:
    return Asked(
        facts=prompt.facts,
        memory=prompt.memory,
        wisdom=prompt.wisdom,
        focus=prompt.focus,
        code=code,
        output=prompt.output,
        limit_seconds=prompt.limit_seconds,
        digest=prompt.digest,
    )
