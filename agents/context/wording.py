"""How one trace is told in a prompt, without its program. Pure."""

from collections.abc import Sequence

from store.projections.experience import Trace

_PLAN, _VERDICT, _ERROR = 700, 400, 300
_NAMED = 5


def described(trace: Trace, alike: Sequence[str] = ()) -> str:
    """Return what was tried at a node and what came of it; *alike* are nodes that tell the same."""
    origin = f"{trace.action} of {trace.parent}" if trace.parent else trace.action
    lines = [f"## {trace.node} ({origin})", f"Plan: {cut(trace.plan, _PLAN)}"]
    if trace.defective:
        lines.append("It failed; another approach may not.")
        if trace.why or trace.tail:
            lines.append(f"Error: {_end(trace.why or trace.tail, _ERROR)}")
    else:
        lines.append(f"Validation score: {trace.metric:g}")
    if trace.analysis:
        lines.append(f"Result: {cut(trace.analysis, _VERDICT)}")
    if alike:
        named = ", ".join(alike[:_NAMED]) + (", …" if len(alike) > _NAMED else "")
        lines.append(f"{len(alike)} more came to the same: {named}.")
    return "\n".join(lines)


def cut(text: str, length: int) -> str:
    """Return at most *length* characters of *text*, from its beginning."""
    text = text.strip()
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _end(text: str, length: int) -> str:
    text = text.strip()
    return text if len(text) <= length else f"…{text[-length + 1 :]}"
