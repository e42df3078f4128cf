"""`flowstone roles`: what each role wakes for and what it may emit, from its declaration."""

from collections.abc import Iterable

import click

from schemas.events import Event

EPILOG = """\b
Examples:
  flowstone roles
  flowstone roles --dot | dot -Tsvg -o roles.svg
  flowstone actor grader --help"""


@click.command(epilog=EPILOG)
@click.option("--dot", is_flag=True, help="Print who wakes whom as a Graphviz digraph instead.")
def roles(*, dot: bool) -> None:
    """List the roles: what each wakes for and what it may emit.

    Roles of other installed packages (entry-point group flowstone.roles) are listed as well.
    """
    from rich.box import SIMPLE  # noqa: PLC0415 - slow to import
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from agents.role import discover  # noqa: PLC0415
    from ops import picture  # noqa: PLC0415

    if dot:
        click.echo(picture.dot(discover()), nl=False)
        return
    table = Table("role", "copies", "decides on", "performs", "emits", box=SIMPLE)
    for role in sorted(discover(), key=lambda role: role.name):
        table.add_row(
            role.name,
            role.replicas,
            _names(role.consumes),
            _names(role.requests),
            _names(role.emits),
            end_section=True,
        )
    Console().print(table)


def _names(types: Iterable[type[Event]]) -> str:
    return "\n".join(sorted(each.__name__ for each in types))
