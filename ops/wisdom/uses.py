"""Which prompts carried what a run taught, and what was made of it, as far as the record shows. Pure.

A prompt carries it when a part of its context is that wisdom, or rests on it: a node whose program
was written by such a prompt, a phase or a plan that such nodes are part of, the wisdom of such a run.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from schemas.envelope import Recorded
from schemas.events import (
    ContextPart,
    ModelAsked,
    NodeProposed,
    PhaseClosed,
    WisdomDistilled,
)

Followed = ModelAsked | NodeProposed | PhaseClosed | WisdomDistilled

_PROGRAMS = frozenset({"draft", "debug", "improve"})


class Use(Struct, frozen=True, kw_only=True):
    """A prompt that carried it: in which run and call, about what, and through what."""

    seq: int
    run: str
    call: str
    about: str
    carried: tuple[str, ...]


class Uses:
    """Follows what some runs taught through the events of the whole log, in order."""

    def __init__(self, runs: Iterable[str]) -> None:
        self._taught = {*runs}
        self._withdrawn = frozenset(self._taught)
        self._planned: set[tuple[str, str]] = set()
        self._nodes: set[tuple[str, str]] = set()
        self._phases: set[tuple[str, str]] = set()
        self._plans: set[tuple[str, str]] = set()

    @property
    def derived(self) -> frozenset[str]:
        """The other runs whose own wisdom rests on it."""
        return frozenset(self._taught - self._withdrawn)

    def take(self, event: Recorded[Any]) -> Iterator[Use]:
        """Yield what the next event of the log says of it."""
        run = event.run
        if run in self._withdrawn:
            return
        match event.data:
            case ModelAsked() as asked:
                carried = (*self._carried(run, asked),)
                if carried:
                    self._mark(run, asked)
                    yield Use(
                        seq=event.seq,
                        run=run,
                        call=f"{asked.role}.{asked.call}",
                        about=asked.subject,
                        carried=carried,
                    )
            case NodeProposed(node=node, phase=phase, suggestion=suggestion):
                if suggestion and (run, str(phase)) in self._plans:
                    self._planned.add((run, node))
            case PhaseClosed(phase=phase, nodes=nodes):
                if any((run, node) in self._nodes for node in nodes):
                    self._phases.add((run, str(phase)))
            case WisdomDistilled(rests_on=nodes):
                if any((run, node) in self._nodes for node in nodes):
                    self._taught.add(run)
            case _:
                pass

    def _carried(self, run: str, asked: ModelAsked) -> Iterator[str]:
        """Yield through what a prompt rests on it; nothing where it does not."""
        for part in asked.context:
            if self._rests(run, part):
                yield f"{part.tier} {part.reference}"
        about = run, asked.subject
        if about in self._planned:
            yield "suggestion"
        if asked.purpose == "knowledge" and about in self._phases:
            yield f"phase {asked.subject}"
        if asked.purpose == "wisdom" and any(of == run for of, _ in self._nodes):
            yield "nodes"

    def _rests(self, run: str, part: ContextPart) -> bool:
        of = run, part.reference
        match part.tier:
            case "wisdom":
                return part.reference in self._taught
            case "knowledge":
                return of in self._phases or of in self._plans
            case "experience" | "parent":
                return (
                    of in self._nodes or (run, part.reference.removeprefix("plan-")) in self._plans
                )
            case _:
                return False

    def _mark(self, run: str, asked: ModelAsked) -> None:
        """Remember what is made by a prompt that carried it."""
        if asked.purpose in _PROGRAMS:
            self._nodes.add((run, asked.subject))
        elif asked.purpose == "plan":
            self._plans.add((run, asked.subject))
