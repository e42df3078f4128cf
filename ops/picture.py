"""The picture of who says what to whom, made from the declarations of the roles. Pure text (DOT)."""

from collections.abc import Iterable
from typing import Any

from agents.role import Role
from schemas.events import ActorStarted, ActorStopped, WorkAbandoned

PERSON = "you and the clock"

_OF_EVERYONE = {ActorStarted, ActorStopped, WorkAbandoned}


def dot(roles: Iterable[Role[Any]]) -> str:
    """Return a Graphviz digraph: an arrow for all that wakes a role, from the role that says it."""
    roles = sorted(roles, key=lambda role: role.name)
    arrows: dict[tuple[str, str], list[str]] = {}
    for role in roles:
        for event in sorted(role.consumes | role.requests, key=lambda each: each.__name__):
            if event in _OF_EVERYONE:
                continue
            said_by = [each.name for each in roles if event in each.emits] or [PERSON]
            # A routed event reaches the role alone that it names, which is the one that said it.
            for owner in {role.name} if event.routed == "role" else said_by:
                if owner != role.name:
                    arrows.setdefault((owner, role.name), []).append(event.__name__)
    lines = [
        "digraph flowstone {",
        '  graph [rankdir=LR, fontname="Helvetica", nodesep=0.5, ranksep=1.1, bgcolor="white"]',
        '  node [shape=box, style="rounded,filled", fillcolor="#eef3f8", color="#4a6785"]',
        '  node [fontname="Helvetica", fontsize=13, margin="0.2,0.12"]',
        '  edge [color="#7a8b99", fontname="Helvetica", fontsize=10, fontcolor="#33424f"]',
        f'  "{PERSON}" [fillcolor="#fdf4e3", color="#b08a3c"]',
        *(f'  "{role.name}" [label="{_label(role)}"]' for role in roles),
    ]
    for (source, target), events in sorted(arrows.items()):
        said = "\\n".join(events)
        lines.append(f'  "{source}" -> "{target}" [label="{said}"]')
    return "\n".join([*lines, "}", ""])


def _label(role: Role[Any]) -> str:
    return f"{role.name}\\n({'one' if role.replicas == 'one' else 'any number'})"
