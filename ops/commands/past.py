"""Commands that look back on a past run: why."""

import sys
from typing import TYPE_CHECKING

import click

from ops.commands.read import with_log
from ops.options import nats

if TYPE_CHECKING:
    from ops.past.access import Records

WHY_EPILOG = """\b
Examples:
  flowstone why last n12
  flowstone why wine-3f1c n3 --json

\b
A number in brackets is that of the event which says it: flowstone log RUN shows it."""


@click.command(epilog=WHY_EPILOG)
@click.argument("run")
@click.argument("node")
@click.option("--json", "as_json", is_flag=True, help="Write the tree as one JSON object.")
@nats
def why(*, run: str, node: str, as_json: bool, nats: str | None) -> None:
    """Show what one solution rests on, down to raw executions.

    The nodes that it was made from, the question whose answer wrote it, and of each part of that
    question's context where it came from: experience, plans, knowledge, wisdom of earlier runs.
    """

    async def answer(log: "Records") -> None:
        import msgspec  # noqa: PLC0415 - slow to import

        from ops.past.runs import chosen  # noqa: PLC0415
        from ops.past.why.asking import why as grounds  # noqa: PLC0415
        from ops.past.why.told import lines  # noqa: PLC0415

        found = await grounds(log, (await chosen(log, run)).run, node)
        if as_json:
            sys.stdout.write(f"{msgspec.json.encode(found).decode()}\n")
            return
        first, *others = lines(found)
        click.secho(first, bold=True)
        for line in others:
            click.echo(line)

    with_log(answer, nats)
