"""Commands that look back on a past run: why, and context."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ops.commands.read import with_log
from ops.errors import Problem
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


CONTEXT_EPILOG = """\b
Examples:
  flowstone context last --set memory.tiers=experience,wisdom
  flowstone context last --set memory.scope=phase --set memory.budget_tokens=70000 -o memory.svg
  flowstone context last --paper -o tiers.svg

\b
No model is called. What a prompt was given is in its question; the rest is folded again."""


@click.command(epilog=CONTEXT_EPILOG)
@click.argument("run")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="memory.KEY=VALUE",
    help="What the other policy sets otherwise than the run; may be repeated.",
)
@click.option(
    "--paper",
    is_flag=True,
    help="The whole run's context after each event, everything kept and in tiers.",
)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the two curves into this file (SVG).",
)
@nats
def context(
    *,
    run: str,
    assignments: Sequence[str],
    paper: bool,
    as_json: bool,
    output: Path | None,
    nats: str | None,
) -> None:
    """Show what the prompts of a past run would have remembered under another policy.

    A row for each question of the coder: tokens of memory by tier, then and now, with totals and
    peaks. With --paper, a row for each phase: the largest length of the context.
    """

    async def answer(log: "Records") -> None:
        from ops.configuration import assigned  # noqa: PLC0415 - slow to import
        from ops.past.context import asking, told  # noqa: PLC0415
        from ops.past.context.chart import svg  # noqa: PLC0415
        from ops.past.runs import chosen  # noqa: PLC0415
        from ops.past.shown import show  # noqa: PLC0415

        values, name = assigned(assignments), (await chosen(log, run)).run
        if paper:
            points = await asking.in_tiers(log, name, values)
            chart, written = told.lengths(name, points), told.tiers_as_json(name, points)
            columns, rows = told.PHASES, told.phases(points)
        else:
            found = await asking.compared(log, name, values)
            policy = ", ".join(assignments) or "the same again"
            chart, written = told.prompts(found, policy), told.compared_as_json(found)
            columns, rows = told.COLUMNS, told.calls(found)
            if others := sum(not each.same for each in found.calls):
                said = f"{others} of {len(found.calls)} prompts were made otherwise than today"
                click.echo(said, err=True)
        if output:
            _write(output, svg(chart))
        if as_json:
            sys.stdout.write(f"{written.decode()}\n")
        else:
            show(columns, rows)

    with_log(answer, nats)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        why = error.strerror or str(error)
        raise Problem(why, where=str(path), remedy="choose another with -o") from None
