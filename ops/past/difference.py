"""Where two values come apart, in words. Pure, no I/O."""

from typing import Any

import msgspec

_LONGEST = 60


def apart(one: Any, other: Any) -> tuple[str, str, str]:
    """Return the path to the first place where two values differ, and both values there, short."""
    path, left, right = _first(msgspec.to_builtins(one), msgspec.to_builtins(other), "")
    if isinstance(left, str) and isinstance(right, str):
        same = next(
            (at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b),
            min(len(left), len(right)),
        )
        start = max(0, same - _LONGEST // 3)
        left, right = left[start:], right[start:]
    return path or "it", short(left), short(right)


def short(value: Any) -> str:
    """Return *value* as it would be written, cut to a length for one line."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _first(one: Any, other: Any, path: str) -> tuple[str, Any, Any]:
    match one, other:
        case dict(), dict():
            for key in (*one, *(each for each in other if each not in one)):
                if one.get(key) != other.get(key):
                    return _first(one.get(key), other.get(key), f"{path}.{key}".lstrip("."))
        case list() | tuple(), list() | tuple() if len(one) == len(other):
            for at, (left, right) in enumerate(zip(one, other, strict=True)):
                if left != right:
                    return _first(left, right, f"{path}.{at}".lstrip("."))
        case _:
            pass
    return path, one, other
