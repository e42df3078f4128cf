"""Making one file out of pieces: the source of what a program names, and of what that names. Pure.

The pieces are read as text and never imported, so that the server starts without scikit-learn.
"""

import ast
import re
import sys
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from msgspec import Struct

_ROOM = "ops.rehearsal.pieces"
_REMARK = re.compile(r"  # noqa.*")


class Piece(Struct, frozen=True, kw_only=True):
    """One function or constant: its source, the names it uses, where it stands."""

    name: str
    source: str
    uses: frozenset[str]
    place: int


@cache
def pieces() -> dict[str, Piece]:
    """Return every piece by name."""
    return _read()[0]


@cache
def imports() -> dict[str, tuple[str, str]]:
    """Return what binds each name: the module it is imported from, if any, and what is imported."""
    return _read()[1]


def assembled(roots: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the imports and the sources that *roots* need, in an order in which they can run."""
    known, bound = pieces(), imports()
    needed: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in needed and (name in known or name in bound):
            needed.add(name)
            waiting += known[name].uses if name in known else ()
    chosen = sorted((known[n] for n in needed if n in known), key=lambda piece: piece.place)
    return _import_lines({bound[n] for n in needed if n in bound}), [p.source for p in chosen]


@cache
def _read() -> tuple[dict[str, Piece], dict[str, tuple[str, str]]]:
    known: dict[str, Piece] = {}
    bound: dict[str, tuple[str, str]] = {}
    room = files(_ROOM)
    for module in ("tables", "scores", "features", "texts", "models", "solve"):
        text = (room / f"{module}.py").read_text(encoding="utf-8")
        for statement in ast.parse(text).body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                bound |= _bindings(statement)
            elif name := _defined(statement):
                source = _REMARK.sub("", ast.get_source_segment(text, statement) or "")
                uses = frozenset(
                    node.id for node in ast.walk(statement) if isinstance(node, ast.Name)
                )
                place = len(known)
                known.setdefault(name, Piece(name=name, source=source, uses=uses, place=place))
    return known, bound


def _bindings(statement: ast.Import | ast.ImportFrom) -> dict[str, tuple[str, str]]:
    module = (statement.module or "") if isinstance(statement, ast.ImportFrom) else ""
    if module.startswith(_ROOM):
        return {}
    return {
        alias.asname or alias.name: (
            module,
            f"{alias.name} as {alias.asname}" if alias.asname else alias.name,
        )
        for alias in statement.names
    }


def _defined(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.FunctionDef):
        return statement.name
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return None


def _import_lines(bindings: Iterable[tuple[str, str]]) -> list[str]:
    """Return the import statements, the standard library's first."""
    named: dict[str, list[str]] = {}
    lines = []
    for module, what in sorted(bindings):
        if module:
            named.setdefault(module, []).append(what)
        else:
            lines.append(f"import {what}")
    lines += [f"from {module} import {', '.join(what)}" for module, what in named.items()]
    return sorted(lines, key=_import_order)


def _import_order(line: str) -> tuple[bool, bool, str]:
    top = line.split()[1].partition(".")[0]
    return (top not in sys.stdlib_module_names, line.startswith("from"), line)
