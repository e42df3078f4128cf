"""Commands that read the log: sql, log, status, verify and replay; the same with a system up or not."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import click

from ops import signals
from ops.errors import FAILED, Problem
from ops.options import nats

if TYPE_CHECKING:
    from ops.past.access import Records
    from ops.past.shown import Form

SQL_EPILOG = """\b
Examples:
  flowstone sql "select key, data->>'metric' as metric from nodes order by metric"
  flowstone sql "select type, count(*) from events group by type" --csv

\b
Tables: events; nodes, experience, knowledge, wisdom, ledger and actors as the folds say now.
Only one statement that reads is allowed. Times are UTC."""

LOG_EPILOG = """\b
Examples:
  flowstone log last
  flowstone log last --follow --type SolutionGraded
  flowstone log wine-3f1c --node n3 --json"""

STATUS_EPILOG = """\b
Examples:
  flowstone status
  flowstone status last"""

VERIFY_EPILOG = """\b
Examples:
  flowstone verify

\b
Exit status: 0 the log is whole; 1 it is not, and the first event that does not fit is named."""

REPLAY_EPILOG = """\b
Examples:
  flowstone replay last
  flowstone replay wine-3f1c --at 120
  flowstone replay last --verify

\b
Exit status: 0 identical; 1 something differs, and the first difference is named."""


@click.command(epilog=SQL_EPILOG)
@click.argument("statement", metavar='"SELECT ..."')
@click.option("--limit", default=1000, show_default=True, help="Rows to show at the most.")
@click.option("--json", "form", flag_value="json", help="Write one JSON object for each row.")
@click.option("--csv", "form", flag_value="csv", help="Write comma-separated values.")
@nats
def sql(*, statement: str, limit: int, form: "Form | None", nats: str | None) -> None:
    """Ask the log in SQL: a table on a terminal, tab-separated values elsewhere."""

    async def answer(log: "Records") -> None:
        from ops.past.shown import show  # noqa: PLC0415 - slow to import

        table = await log.sql(statement, limit=limit)
        show(table.columns, table.rows, form or "people")
        if table.more:
            click.echo(f"there are more than {limit} rows; see them with --limit", err=True)

    with_log(answer, nats)


@click.command(epilog=LOG_EPILOG)
@click.argument("run")
@click.option("--follow", is_flag=True, help="Go on with events as they happen, until Ctrl-C.")
@click.option(
    "--type", "types", multiple=True, metavar="T", help="Only this type; may be repeated."
)
@click.option("--node", help="Only what is about this node.")
@click.option("--json", "as_json", is_flag=True, help="Write whole events, one JSON object a line.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the newest so many.")
@nats
def log(
    *,
    run: str,
    follow: bool,
    types: Sequence[str],
    node: str | None,
    as_json: bool,
    limit: int | None,
    nats: str | None,
) -> None:
    """Show the events of a run: number, time (UTC), type, key, and a few words.

    RUN may be shortened as long as it is the only one that begins so; last is the newest.
    """

    async def answer(records: "Records") -> None:
        from ops.past.runs import chosen  # noqa: PLC0415 - slow to import
        from ops.past.trail import Wanted, trail  # noqa: PLC0415

        wanted = Wanted(types=types, node=node, as_json=as_json, limit=limit, follow=follow)
        await trail(records, (await chosen(records, run)).run, wanted)

    with_log(answer, nats)


@click.command(epilog=STATUS_EPILOG)
@click.argument("run", required=False)
@click.option("--json", "form", flag_value="json", help="Write one JSON object for each run.")
@nats
def status(*, run: str | None, form: "Form | None", nats: str | None) -> None:
    """Show every run, or one: how it stands, its nodes, its best score, the time it has used."""

    async def answer(log: "Records") -> None:
        from ops.past.runs import COLUMNS, chosen, row, runs  # noqa: PLC0415 - slow to import
        from ops.past.shown import show  # noqa: PLC0415

        wanted = [await chosen(log, run)] if run else await runs(log)
        show(COLUMNS, [row(each, up=log.bus is not None) for each in wanted], form or "people")
        if form is None:
            up = "a system is up" if log.bus else "no system is up; start one with `flowstone up`"
            click.echo(up, err=True)

    with_log(answer, nats)


@click.command(epilog=VERIFY_EPILOG)
@nats
def verify(*, nats: str | None) -> None:
    """Check the log: every event carries the hash of the one before it in its run."""

    async def answer(log: "Records") -> None:
        found = await log.verify()
        if found.why:
            raise Problem(
                f"{found.stream} event {found.seq} of {found.run}: {found.why}",
                remedy="what comes before it can be trusted; checkpoints are in checkpoints/",
            )
        click.echo(f"whole: {found.events} events of {found.runs} runs, every hash holds")

    with_log(answer, nats)


@click.command(epilog=REPLAY_EPILOG)
@click.argument("run")
@click.option(
    "--at", type=click.IntRange(min=0), metavar="SEQ", help="How it stood after an event."
)
@click.option("--verify", "again", is_flag=True, help="Make every recorded decision again.")
@nats
def replay(*, run: str, at: int | None, again: bool, nats: str | None) -> None:
    """Rebuild a run's folds from the log and compare them with the live tables."""
    if again and at is not None:
        raise click.UsageError("--at and --verify do not go together")

    async def answer(log: "Records") -> None:
        from ops.past.replay import decide_again, moment, rebuild  # noqa: PLC0415 - slow to import
        from ops.past.runs import chosen  # noqa: PLC0415

        name = (await chosen(log, run)).run
        if at is not None:
            for line in await moment(log, name, at):
                click.echo(line)
        elif again:
            said, different = await decide_again(log, name)
            click.echo(said)
            for difference in different:
                click.echo(str(difference), err=True)
            raise SystemExit(FAILED if different else 0)
        else:
            click.echo(await rebuild(log, name))

    with_log(answer, nats)


def with_log(answer: "Callable[[Records], Awaitable[None]]", url: str | None) -> None:
    """Find the log and let *answer* read it."""
    from ops import configuration  # noqa: PLC0415 - slow to import
    from ops.past.access import records  # noqa: PLC0415

    async def read() -> None:
        async with records(configuration.found_home(), url) as log:
            await answer(log)

    signals.run(read)
