"""Reading a reply: the plan, then ONE code block that compiles, or why it is not that. Pure."""

import ast
import re
import warnings

from msgspec import Struct

_FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`]*)$")
_PYTHON = frozenset({"", "python", "python3", "py"})
_THINK, _THOUGHT = "<think>", "</think>"


class Solution(Struct, frozen=True):
    """A plan in words and the program that follows it."""

    plan: str
    code: str


class Malformed(Struct, frozen=True):
    """Why a reply is not a solution, in words that can be shown to the model."""

    why: str


class _Block(Struct, frozen=True):
    language: str
    code: str
    closed: bool


def solution(reply: str) -> Solution | Malformed:
    """Return the solution in *reply*; total over all texts."""
    spoken = without_thoughts(reply)
    if spoken is None:
        return Malformed("the reply ends inside its reasoning")
    plan, blocks = _split(spoken)
    programs = [block for block in blocks if block.language in _PYTHON]
    if not programs:
        return Malformed("there is no Python code block")
    if len(programs) > 1:
        return Malformed(f"there are {len(programs)} Python code blocks instead of one")
    (program,) = programs
    if not program.closed:
        return Malformed("the code block is cut off before its end")
    if not plan:
        return Malformed("there is no plan before the code block")
    why = _why_not_python(program.code)
    return Malformed(why) if why else Solution(plan, program.code)


def without_thoughts(reply: str) -> str | None:
    """Return *reply* after its reasoning, or None when the reasoning never ends."""
    spoken = reply.rpartition(_THOUGHT)[2].strip()
    return None if spoken.startswith(_THINK) else spoken


def clean(text: str) -> str:
    """Return *text* with lone surrogates, which no encoder accepts, replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _split(text: str) -> tuple[str, list[_Block]]:
    """Return the words before the first code block, and all code blocks."""
    before: list[str] = []
    blocks: list[_Block] = []
    fence, language, inside = "", "", list[str]()
    for line in text.replace("\r\n", "\n").split("\n"):
        found = _FENCE.match(line)
        if fence:
            if found and not found["info"].strip() and found["fence"].startswith(fence):
                blocks.append(_Block(language, "\n".join(inside) + "\n", closed=True))
                fence = ""
            else:
                inside.append(line)
        elif found:
            fence, inside = found["fence"], []
            language = found["info"].strip().lower().partition(" ")[0]
        elif not blocks:
            before.append(line)
    if fence:
        blocks.append(_Block(language, "\n".join(inside) + "\n", closed=False))
    return clean("\n".join(before)).strip(), blocks


def _why_not_python(code: str) -> str:
    if not code.strip():
        return "the code block is empty"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
    except SyntaxError as error:
        return clean(f"the code does not compile: line {error.lineno}: {error.msg}")
    except (ValueError, RecursionError, MemoryError) as error:
        return clean(f"the code does not compile: {type(error).__name__}")
    return "" if tree.body else "the code block holds only comments"
