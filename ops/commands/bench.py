"""`flowstone bench`: measures what the system itself costs and prints it beside its targets."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ops.bench.figure import Result

EPILOG = """\b
Examples:
  flowstone bench
  flowstone bench --only turn --only start
  flowstone bench --against earlier.json -o now.json
  flowstone bench traces FOLDER --explain

\b
A figure that misses its target is no failure: exit status 1 means that a benchmark broke."""

TRACES_EPILOG = """\b
Example:
  flowstone bench traces FOLDER --explain

\b
Each time somebody chose a node and each time somebody stayed with a node or left it is a choice.
After every choice the tree follows the log, so that each is judged by itself. Exit status 1 means
that a choice is another and no tie."""

ABLATION_EPILOG = """\b
Example:
  flowstone bench ablation ../data/spaceship-titanic --seeds 3 --nodes 16

\b
As the table of ML-Master 2.0's paper: all tiers, no experience (every solution is a first one), no
knowledge, no wisdom. All runs have the same number of solutions and the wisdom of the same earlier
runs; the seed draws the rows that are set aside. The model is the configured one, and is paid for as in
any run. This takes as long as its runs do."""

NAMES = ("start", "turn", "busy", "log", "folds", "choose")


@click.group(epilog=EPILOG, invoke_without_command=True)
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="Measure this; repeatable.")
@click.option("--quick", is_flag=True, help="Small sizes: shows that it works, says little.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("bench.json"),
    show_default=True,
    help="Keep the figures in this file.",
)
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Compare with the figures that this file keeps.",
)
@click.pass_context
def bench(
    context: click.Context,
    *,
    only: tuple[str, ...],
    quick: bool,
    output: Path,
    against: Path | None,
) -> None:
    """Measure starting, the loop's turn, busy executors, the log and the folds here, in minutes."""
    if context.invoked_subcommand is not None:
        return
    from ops import configuration  # noqa: PLC0415 - slow to import
    from ops.bench import figure, report, suite  # noqa: PLC0415

    before = figure.read(against) if against else None
    chosen = [name for name in NAMES if not only or name in only]
    result = suite.measured(chosen, configuration.home(), quick=quick, told=_told)
    figure.write(output, result)
    report.show(result, before)
    _close(result, output)


@bench.command(epilog=TRACES_EPILOG)
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--explain", is_flag=True, help="Say of every tie whose values are equal.")
def traces(*, folder: Path, explain: bool) -> None:
    """Decide printed runs of ML-Master 1.0 again, with search.profile=code, and compare.

    FOLDER holds printed logs: JSON files of the project's web page, or plain text.
    """
    from ops.traces import reading, replay, report  # noqa: PLC0415 - slow to import

    runs = [replay.replay(reading.read(path)) for path in reading.logs(folder)]
    report.show(runs, explain=explain)
    raise SystemExit(1 if any(run.count("differs") for run in runs) else 0)


@bench.command(epilog=ABLATION_EPILOG)
@click.argument("tasks", nargs=-1, required=True, metavar="FOLDER|package:NAME...")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1))
@click.option("--nodes", default=16, show_default=True, type=click.IntRange(1))
def ablation(*, tasks: tuple[str, ...], seeds: int, nodes: int) -> None:
    """Run the search with and without each tier of its memory, and print a table."""
    from ops import configuration  # noqa: PLC0415 - slow to import
    from ops.bench import ablating, report  # noqa: PLC0415

    home = configuration.home()
    ended = [*ablating.measured(tasks, home, seeds=seeds, nodes=nodes, told=_told)]
    header, *rows = ablating.table(ended)
    report.draw(header, rows)


def _told(name: str) -> None:
    click.echo(f"measuring: {name}", err=True)


def _close(result: "Result", output: Path) -> None:
    click.echo(f"kept in {output}")
    for name, why in result.broken.items():
        click.echo(f"flowstone: the benchmark {name} broke: {why}", err=True)
    raise SystemExit(1 if result.broken else 0)
