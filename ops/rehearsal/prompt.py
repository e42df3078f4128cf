"""Reading a prompt: which kind of request it is, and what its sections say. Pure and total."""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

from msgspec import Struct

from agents.prompts import lessons, plan, sections
from agents.prompts.solution import REQUESTS
from ops.rehearsal.composer.facts import Facts, read

Kind = Literal["draft", "debug", "improve", "fuse", "plan", "knowledge", "wisdom", "other"]

_OURS = frozenset({sections.PREVIOUS, sections.OUTPUT, sections.FIRST, sections.BEST})
"""Sections in which foreign text stands in a fence, where a line may look like a heading."""

_FENCE = re.compile(r"^(`{3,})(?:python)?$")
_LIMIT = re.compile(r"stopped after (\d+):(\d\d):(\d\d)")
_FOCUS = re.compile(r"^In this attempt: (.*)$", re.MULTILINE)
_FIRST_LINES: dict[str, Kind] = {
    **{line: action for action, line in REQUESTS.items() if action != "repeat"},
    plan.REQUEST: "plan",
    lessons.KNOWLEDGE.partition("\n")[0]: "knowledge",
    lessons.WISDOM.partition("\n")[0]: "wisdom",
}


class Prompt(Struct, frozen=True, kw_only=True):
    """What a request says; `digest` differs for every other wording."""

    kind: Kind
    task: str
    facts: Facts
    memory: str
    wisdom: str
    code: str
    output: str
    trajectories: str
    best: str
    focus: str
    instructions: str
    limit_seconds: float
    digest: bytes


def parsed(messages: Sequence[tuple[str, str]]) -> Prompt:
    """Return the prompt in *messages*, given as pairs of role and text."""
    text = "\n".join(content for role, content in messages if role != "assistant")
    found = _sections(text)
    instructions = found.get(sections.INSTRUCTIONS, "").strip()
    limit = _LIMIT.search(instructions)
    focus = _FOCUS.search(instructions)
    return Prompt(
        kind=_FIRST_LINES.get(instructions.partition("\n")[0].strip(), "other"),
        task=found.get(sections.TASK, ""),
        facts=read(found.get(sections.PREVIEW, "")),
        memory=found.get(sections.MEMORY, ""),
        wisdom=found.get(sections.EXTERNAL, ""),
        code=_fenced(found.get(sections.PREVIOUS, "")),
        output=found.get(sections.OUTPUT, ""),
        trajectories=found.get(sections.TRAJECTORIES, ""),
        best=_fenced(found.get(sections.BEST, "")),
        focus=focus[1] if focus else "",
        instructions=instructions,
        limit_seconds=_seconds(limit) if limit else 600.0,
        digest=sha256(text.encode("utf-8", "replace")).digest(),
    )


def _sections(text: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    heading, fence = "", ""
    for line in text.splitlines():
        if heading in _OURS and (mark := _FENCE.match(line)):
            fence = "" if line == fence else fence or mark[1]
        if not fence and line.rstrip() in sections.HEADINGS:
            heading = line.rstrip()
        else:
            found.setdefault(heading, []).append(line)
    return {name: "\n".join(lines) for name, lines in found.items()}


def _fenced(text: str) -> str:
    """Return what stands in the first fence."""
    lines = text.splitlines()
    for start, line in enumerate(lines):
        if mark := _FENCE.match(line):
            inside = lines[start + 1 :]
            end = inside.index(mark[1]) if mark[1] in inside else len(inside)
            return "\n".join(inside[:end]) + "\n"
    return ""


def _seconds(limit: re.Match[str]) -> float:
    hours, minutes, seconds = (int(each) for each in limit.groups())
    return hours * 3600.0 + minutes * 60.0 + seconds
