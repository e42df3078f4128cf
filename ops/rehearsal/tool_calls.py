"""Tool calls: which tool a request forces, and arguments filled from what the prompt says. Pure."""

import re
from typing import Any

from ops.rehearsal.wire import Json

_SCORE = re.compile(r"(?:score|metric)\w*\s*[:=]\s*(-?\d+(?:\.\d+)?(?:e-?\d+)?)", re.IGNORECASE)
_FAILED = re.compile(r"Traceback \(most recent call last\)|\bError\b:|TimeoutError")
_SUMMARY = "The rehearsal model read the output of the program; it holds no language model."


def forced_tool(body: Json) -> Json | None:
    """Return the function that the request says must be called, if it says so."""
    functions: list[Json] = [
        each["function"]
        for each in body.get("tools") or ()
        if isinstance(each, dict) and isinstance(each.get("function"), dict)
    ]
    choice = body.get("tool_choice")
    if choice == "required" and functions:
        return functions[0]
    if isinstance(choice, dict):
        name = (choice.get("function") or {}).get("name")
        return next((each for each in functions if each.get("name") == name), None)
    return None


def arguments(tool: Json, prompt: str) -> Json:
    """Return a value for each parameter of *tool*, as its JSON schema asks."""
    properties = (tool.get("parameters") or {}).get("properties") or {}
    return {name: _value(name, schema, prompt) for name, schema in properties.items()}


def _value(name: str, schema: Json, prompt: str) -> Any:
    if choices := schema.get("enum"):
        return choices[0]
    kinds = schema.get("type", "string")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    match kind:
        case "boolean":
            return _truth(name, prompt)
        case "number" | "integer":
            found = _SCORE.findall(prompt)
            score = float(found[-1]) if found else 0.0
            return int(score) if kind == "integer" else score
        case "array":
            return []
        case "object":
            return arguments({"parameters": schema}, prompt)
        case _:
            return _SUMMARY


def _truth(name: str, prompt: str) -> bool:
    failed = bool(_FAILED.search(prompt))
    if "bug" in name or "error" in name or "fail" in name:
        return failed
    if "lower" in name:
        return "lower is better" in prompt.lower()
    return not failed
