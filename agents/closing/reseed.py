"""A program with other seeds: the same text but for the integers that seed what is random. Pure."""

import ast
import io
import re
from collections.abc import Iterator
from itertools import accumulate

LARGEST = 2**31
"""Seeds stay below it: some libraries take no larger ones."""

_SEED = re.compile(r"(?!n_|num_|number_)(?:\w*_)?(?:seed|random_?state)", re.IGNORECASE)
_SEEDS = re.compile(rf"{_SEED.pattern}s?", re.IGNORECASE)
"""Names of one seed, and of several: a plain number of the latter is how many there are."""
_SEEDING = re.compile(r"(?:\w*_)?seed(?:_all|_everything)?|default_rng|RandomState|Random")
"""Names of functions whose first argument is a seed."""


def reseeded(code: str, by: int) -> str:
    """Return *code* with *by* added to its seeds; what is no Python stays as it is.

    A seed is a plain integer, or one in a list, that is given under a name as `seed` or
    `random_state` (an argument, a variable, a key), or to a function as `seed` or `manual_seed`.
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return code
    text = bytearray(code.encode())
    begins = [0, *accumulate(len(line.encode()) for line in io.StringIO(code, newline=""))]
    found = {
        begins[each.lineno - 1] + each.col_offset: each
        for node in _walk(tree)
        for each in _seeds(node)
    }
    for start, each in sorted(found.items(), reverse=True):
        end = begins[(each.end_lineno or each.lineno) - 1] + (each.end_col_offset or 0)
        text[start:end] = str((_value(each) + by) % LARGEST).encode()
    return text.decode()


def _walk(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes but those in f-strings, where not every Python says where they stand."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.JoinedStr):
            yield node
            waiting += ast.iter_child_nodes(node)


def _seeds(node: ast.AST) -> Iterator[ast.Constant]:
    """Yield the integers that *node* gives as seeds."""
    for name, value in _given(node):
        if _SEED.fullmatch(name):
            yield from _integers([value])
        if _SEEDS.fullmatch(name) and isinstance(value, ast.List | ast.Tuple | ast.Set):
            yield from _integers(value.elts)


def _given(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield what *node* gives a name to: arguments, defaults, variables, keys, what is looped over."""
    match node:
        case ast.keyword(arg=str(name), value=value):
            yield name, value
        case ast.Assign(targets=targets, value=value):
            yield from ((_name(target), value) for target in targets)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield _name(target), value
        case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
            yield _name(target), value
        case ast.Dict(keys=keys, values=values):
            yield from ((_text(key), value) for key, value in zip(keys, values, strict=True))
        case ast.Call(func=function, args=[first, *_]) if _SEEDING.fullmatch(_name(function)):
            yield "seed", first
        case ast.arguments() as known:
            plain = [*known.posonlyargs, *known.args][-len(known.defaults) :]
            yield from zip((each.arg for each in plain), known.defaults, strict=False)
            for each, default in zip(known.kwonlyargs, known.kw_defaults, strict=True):
                if default is not None:
                    yield each.arg, default
        case _:
            return


def _name(target: ast.expr) -> str:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=key):
            return _text(key)
        case _:
            return ""


def _text(key: ast.expr | None) -> str:
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""


def _integers(values: list[ast.expr]) -> Iterator[ast.Constant]:
    for value in values:
        if isinstance(value, ast.Constant) and type(value.value) is int:
            yield value


def _value(constant: ast.Constant) -> int:
    assert isinstance(constant.value, int)  # noqa: S101 - for the type checker
    return constant.value
