"""`flowstone task`: look at a task the way a run would, before a run."""

import click

GROUP_EPILOG = """\b
Examples:
  flowstone task list
  flowstone task check ../data/spooky-author-identification"""

CHECK_EPILOG = """\b
Examples:
  flowstone task check ../data/spooky-author-identification
  flowstone task check package:breast-cancer --preview

\b
A folder needs a description.md, a sample_submission.csv, a train.csv and a test.csv, and a metric:
metric = "NAME" in its task.toml."""

LIST_EPILOG = """\b
Examples:
  flowstone task list
  flowstone run package:breast-cancer --minutes 2"""


@click.group(epilog=GROUP_EPILOG)
def task() -> None:
    """Check a task, or list the tasks that come with Flowstone."""


@task.command(epilog=CHECK_EPILOG)
@click.argument("task", metavar="FOLDER|package:NAME")
@click.option("--preview", is_flag=True, help="Print the data preview that prompts carry, too.")
def check(task: str, *, preview: bool) -> None:
    """Prepare a task as a run would, and say what was understood; nothing is kept."""
    from ops import configuration, trial  # noqa: PLC0415 - slow to import

    prepared = trial.prepared(task, configuration.load().settings)
    about = prepared.task
    direction = "lower is better" if about.lower_is_better else "higher is better"
    scored = (
        f"on {prepared.heldout_rows} rows that are set aside"
        if prepared.evaluation == "held-out"
        else f"as solutions report: {prepared.hashes.get('reported', 'no rows can be set aside')}"
    )
    for name, value in {
        "task": f"{about.title} ({about.id})",
        "kind": about.kind,
        "metric": f"{about.metric}, {direction}",
        "scored": scored,
        "data": f"train {about.train_file or 'none'}, test {about.test_file or 'none'}",
        "label": about.label or "none",
        "submission": f"{', '.join(prepared.sample.columns)}; {prepared.sample.rows} rows",
    }.items():
        click.echo(f"{name:<11} {value}")
    if preview:
        click.echo(f"\n{prepared.preview}")
    click.echo(f"It can be run: flowstone run {task}")


@task.command("list", epilog=LIST_EPILOG)
def list_tasks() -> None:
    """List the tasks that come with Flowstone: real data out of installed packages."""
    from agents.tools.packages import KNOWN, PREFIX  # noqa: PLC0415 - slow to import

    for name, packaged in KNOWN.items():
        click.echo(f"{PREFIX + name:<24} {packaged.title} ({packaged.metric})")
