"""`flowstone doctor`: what this machine has and lacks."""

import json
import sys

import click

from ops.errors import FAILED

EPILOG = """\b
Examples:
  flowstone doctor
  flowstone doctor --json"""

MARKS = {"good": ("✓", "green"), "note": ("·", "yellow"), "missing": ("✗", "red")}


@click.command(epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list instead of a table.")
def doctor(*, as_json: bool) -> None:
    """Say what this machine has and lacks.

    Leaves with status 0 when Flowstone can run here, 1 when something necessary is missing.
    """
    from ops.doctor import examine  # noqa: PLC0415 - slow to import

    found = []
    for check in examine():
        found.append(check)
        if not as_json:
            mark, colour = MARKS[check.verdict]
            says = f"{check.says}; {check.remedy}" if check.remedy else check.says
            if sys.stdout.isatty():
                click.echo(f"{click.style(mark, fg=colour)} {check.name:<12} {says}")
            else:
                click.echo(f"{check.verdict:<8} {check.name:<12} {says}")
    if as_json:
        click.echo(json.dumps([each.as_dict() for each in found], indent=2))
    missing = [each.name for each in found if each.verdict == "missing"]
    if not as_json:
        click.echo(f"Missing: {', '.join(missing)}." if missing else "Flowstone can run here.")
    sys.exit(FAILED if missing else 0)
