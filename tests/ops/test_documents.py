"""The documents say what is: tables, commands, settings, links and the picture are held to the code."""

import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

from agents.role import Role, discover
from ops import picture
from ops.cli import COMMANDS, flowstone
from schemas import events, metrics, settings
from schemas.events import Event
from store.log import Log
from store.query import query

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OF_EVERY_ACTOR = {events.ActorStarted, events.ActorStopped, events.WorkAbandoned}

_FENCED = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_ASSIGNED = re.compile(r"[A-Z_]+=\S*")
_SECTIONS = "|".join({key.partition(".")[0] for key in settings.keys() if "." in key})  # noqa: SIM118 - a function
_SETTING = re.compile(rf"\b(?:{_SECTIONS})\.[a-z_]+\b")
_VARIABLE = re.compile(r"\bFLOWSTONE_([A-Z]+__[A-Z_]+)\b")
_ENDS_A_COMMAND = {"|", "||", "&&", "&", ";", ">", ">>", "2>", "<"}


def core_roles() -> list[Role[Any]]:
    """Return the roles that Flowstone itself has."""
    return [role for role in discover() if _module(role).startswith("agents.")]


def _module(role: Role[Any]) -> str:
    function = role.decide or role.perform
    return function.__module__ if function else ""


def rows_of(document: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading, without backticks."""
    text = (ROOT / document).read_text(encoding="utf-8")
    under = text.split(f"\n{heading}\n", 1)[1]
    lines = re.search(r"(?:^\|.*\n)+", under, re.MULTILINE)
    assert lines, f"{document}: no table under {heading}"
    table = [
        [cell.strip().replace("`", "") for cell in line.strip("|").split(" | ")]
        for line in lines.group(0).splitlines()
    ]
    return table[2:]


def commands(text: str) -> Iterator[list[str]]:
    """Yield every command line of ours in code blocks and code spans, as words after its name."""
    for block in _FENCED.finditer(text):
        if block.group(1) in {"sh", "console"}:
            yield from _commands_of(block.group(2))
    for span in _SPAN.findall(_FENCED.sub("", text)):
        if span.startswith("flowstone ") or " flowstone " in span:
            yield from _commands_of(span)


def _commands_of(script: str) -> Iterator[list[str]]:
    waiting = ""
    for line in script.splitlines():
        waiting += line.removeprefix("$ ").removesuffix("\\") + " "
        try:
            words = shlex.split(waiting, comments=True)
        except ValueError:  # a quotation that goes on in the next line
            continue
        if line.endswith("\\"):
            continue
        waiting = ""
        while words and _ASSIGNED.fullmatch(words[0]):
            words.pop(0)
        if words and words[0] == "flowstone":
            end = (n for n, word in enumerate(words) if word in _ENDS_A_COMMAND)
            yield words[1 : next(end, None)]


def check(words: list[str]) -> None:
    """Parse a command line as click would, without running it or looking at values."""
    command: click.Command = flowstone
    context = click.Context(flowstone, info_name="flowstone")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, *words = words
        found = command.get_command(context, name)
        assert found, f"there is no command {name!r}"
        command, context = found, click.Context(found, info_name=name, parent=context)
    _, left, _ = command.make_parser(context).parse_args(list(words))
    assert not left or isinstance(command, click.Group), f"too much: {left}"
    if isinstance(command, click.Group):
        return
    given = [word for word in words if not word.startswith("-")]
    needed = [each for each in command.params if isinstance(each, click.Argument) and each.required]
    assert len(given) >= len(needed) or not words, f"{command.name}: something is missing"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_line_can_be_given(path: Path) -> None:
    for words in commands(path.read_text(encoding="utf-8")):
        try:
            check(words)
        except (AssertionError, click.ClickException) as error:
            pytest.fail(f"flowstone {' '.join(words)}: {error}")


@pytest.mark.parametrize("wrong", ["fly", "run x --fast", "task check a b", "sql --limit"])
def test_a_command_line_that_cannot_be_given_is_found(wrong: str) -> None:
    with pytest.raises((AssertionError, click.ClickException)):
        check(shlex.split(wrong))


def test_every_command_is_told_of() -> None:
    told = {words[0] for path in DOCUMENTS for words in commands(path.read_text()) if words}
    assert told >= COMMANDS.keys(), f"not in the documents: {COMMANDS.keys() - told}"


def test_every_setting_that_is_named_exists() -> None:
    known = settings.keys()
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        named = {name for span in _SPAN.findall(text) for name in _SETTING.findall(span)}
        named |= {name.lower().replace("__", ".") for name in _VARIABLE.findall(text)}
        assert named <= known.keys(), f"{path.name}: {named - known.keys()}"


def test_every_link_leads_somewhere() -> None:
    for path in DOCUMENTS:
        for link in _LINK.findall(_FENCED.sub("", path.read_text(encoding="utf-8"))):
            if "://" in link:
                continue
            place, _, anchor = link.partition("#")
            target = path.parent / place if place else path
            assert target.exists(), f"{path.name}: {link}"
            if anchor:
                assert anchor in _anchors(target), f"{path.name}: {link}"


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def test_the_table_of_events() -> None:
    assert [row[:3] for row in rows_of("docs/architecture.md", "## All events")] == [
        [each.__name__, _owner(each), ".".join(each.keyed_by) or events.ONCE]
        for each in events.ALL
        if each.__module__ == events.__name__
    ]


def _owner(event: type[Event]) -> str:
    owners = sorted(role.name for role in core_roles() if event in role.emits)
    if event in OF_EVERY_ACTOR:
        return "every actor"
    return ", ".join(owners) or "command line"


def test_the_table_of_roles() -> None:
    assert rows_of("docs/architecture.md", "## Who may say what") == [
        [
            role.name,
            role.replicas,
            _names(role.consumes),
            _names(role.requests),
            _names(role.emits),
        ]
        for role in sorted(core_roles(), key=lambda role: role.name)
    ]


def _names(types: Iterable[type[Event]]) -> str:
    return ", ".join(sorted(each.__name__ for each in types)) or "nothing"


def test_the_table_of_settings() -> None:
    assert [row[:2] for row in rows_of("docs/operations.md", "## Settings")] == [
        [key, _text(_default(key)) or '""']
        for key in settings.keys()  # noqa: SIM118 - a function
    ]


def _default(key: str) -> Any:
    value: Any = settings.Settings()
    for name in key.split("."):
        value = getattr(value, name)
    return value


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return (
        "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    )


def test_the_table_of_metrics() -> None:
    assert [row[:4] for row in rows_of("docs/tasks.md", "## Metrics")] == [
        [each.name, each.title, each.needs, "lower" if each.lower_is_better else "higher"]
        for each in metrics.KNOWN.values()
    ]


def test_the_picture_is_of_these_roles() -> None:
    assert (ROOT / "docs/roles.dot").read_text(encoding="utf-8") == picture.dot(core_roles())


def test_every_query_can_be_asked(tmp_path: Path) -> None:
    asked = [
        words[1]
        for path in DOCUMENTS
        for words in commands(path.read_text(encoding="utf-8"))
        if words[:1] == ["sql"] and words[1:]
    ]
    assert asked
    with Log.open(tmp_path / "log.duckdb") as log:
        for statement in asked:
            query(log, statement, private=True)


def test_the_example_of_a_role_passes_its_own_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs/roles.md").read_text(encoding="utf-8")
    role, its_tests = (code for language, code in _FENCED.findall(text) if language == "python")
    made = ModuleType("slow_solutions")
    monkeypatch.setitem(__import__("sys").modules, made.__name__, made)
    exec(compile(role, "docs/roles.md", "exec"), made.__dict__)  # noqa: S102 - our own document
    spec = ModuleType("test_slow_solutions")
    exec(compile(its_tests, "docs/roles.md", "exec"), spec.__dict__)  # noqa: S102
    tests = [each for name, each in vars(spec).items() if name.startswith("test_")]
    assert len(tests) == 2
    for each in tests:
        each()
