"""What a program says of itself without being run: what it imports, makes and fits. Pure."""

import ast
import difflib
import sys
import warnings
from collections.abc import Iterator

_LONGEST = 200
_SHOWN = 20
_BEGINNING = 800
_FITTING = frozenset({"fit", "fit_transform", "partial_fit", "train", "cross_val_score", "cv"})


def told(code: str) -> str:
    """Return in a few lines what a program imports, makes and fits; else how it begins."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of strings with odd escapes
            understood = _told(ast.parse(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        understood = ""
    return understood or f"It begins:\n{code.strip()[:_BEGINNING]}"


def _told(tree: ast.Module) -> str:
    imported = dict(_imports(tree))
    lines = [_first_paragraph(ast.get_docstring(tree) or "")]
    if imported:
        packages = sorted({module.partition(".")[0] for module in imported.values()})
        lines.append(f"It imports {', '.join(packages)}.")
    calls = [each for each in ast.walk(tree) if isinstance(each, ast.Call)]
    calls.sort(key=lambda each: (each.lineno, each.col_offset))
    made = [each for each in calls if _makes(each, imported)]
    fitted = [each for each in calls if _name(each.func) in _FITTING]
    for word, found in (("makes", made), ("fits", fitted)):
        shown = {_short(each): None for each in found[:_SHOWN]}
        if shown:
            lines += [f"It {word}:", *(f"- {each}" for each in shown)]
    return "\n".join(filter(None, lines))


def difference(before: str, after: str, most: int) -> str:
    """Return the first *most* lines that *after* lacks (-) or adds (+) in comparison."""
    compared = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    changed = [each for each in compared if each[:1] in "+-" and each[:3] not in {"+++", "---"}]
    return "\n".join(each[:_LONGEST] for each in changed[:most])


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield what each imported name stands for, but for the standard library."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [(each.asname or each.name.partition(".")[0], each.name) for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [(each.asname or each.name, node.module) for each in node.names]
        else:
            continue
        for name, module in names:
            if module.partition(".")[0] not in sys.stdlib_module_names:
                yield name, module


def _makes(call: ast.Call, imported: dict[str, str]) -> bool:
    """Return whether an imported class is called."""
    root = call.func
    while isinstance(root, ast.Attribute):
        root = root.value
    return isinstance(root, ast.Name) and root.id in imported and _name(call.func)[:1].isupper()


def _name(function: ast.expr) -> str:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def _short(call: ast.Call) -> str:
    text = " ".join(ast.unparse(call).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _first_paragraph(text: str) -> str:
    return " ".join(text.strip().partition("\n\n")[0].split())
