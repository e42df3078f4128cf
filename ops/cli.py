"""The command `flowstone`: finds the command that was named, runs it, and puts errors into one line.

Imports little: what a command needs is imported when it is called.
"""

import gc
import sys
from collections.abc import Iterator
from importlib import import_module
from keyword import iskeyword
from typing import NoReturn

import click

from ops import errors, names
from ops.errors import Problem

# Imports make hundreds of thousands of objects and no garbage: to look for it less often
# saves every process a tenth of its start.
gc.set_threshold(20_000, 20, 20)

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "Solve a task with everything on this machine."),
    "resume": ("run", "Go on with a run that was interrupted."),
    "up": ("up", "Bring a system up that waits for runs."),
    "start": ("up", "Start a run on a system that is up."),
    "status": ("read", "Show how runs stand."),
    "stop": ("steer", "End a run now, with the best submission so far."),
    "pause": ("steer", "Begin nothing new in a run until it is resumed."),
    "say": ("steer", "Give a run guidance in your own words."),
    "log": ("read", "Show the events of a run, and follow it."),
    "sql": ("read", "Ask the log in SQL."),
    "verify": ("read", "Check that nobody changed the log."),
    "replay": ("read", "Rebuild a run from its log, look back, decide again."),
    "why": ("past", "Trace a solution back to the executions that it rests on."),
    "context": ("past", "Compare what prompts remembered with another memory policy."),
    "import": ("bring", "Bring runs that happened elsewhere into this home's log."),
    "wisdom": ("wisdom", "Keep what runs taught: list, import, export, withdraw."),
    "actor": ("actor", "Run one actor, here or on another machine."),
    "recorder": ("actor", "Record a server's events in this home's log."),
    "task": ("task", "Check a task, or list the tasks that come with Flowstone."),
    "doctor": ("doctor", "Say what this machine has and lacks."),
    "settings": ("settings", "Print every setting, its value and where that came from."),
    "roles": ("roles", "List the roles: what each wakes for and what it may emit."),
    "rehearsal": ("rehearsal", "Serve a stand-in for a language model, with the OpenAI interface."),
    "bench": ("bench", "Measure what the system itself costs on this machine."),
}
"""Command -> the module in ops/commands that defines a click command of that name, and a summary."""

EPILOG = """\b
Examples:
  flowstone run package:breast-cancer --minutes 2
  flowstone COMMAND --help"""


class Commands(click.Group):
    """A group that imports a command's module only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of the table."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command; None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"ops.commands.{COMMANDS[cmd_name][0]}")
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(module, f"{name}_" if iskeyword(name) else name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that *args* name; raises NoSuchCommand with the nearest ones."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


def _version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:  # noqa: FBT001
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - slow to import

        click.echo(f"flowstone {version(names.DISTRIBUTION)}")
        ctx.exit()


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Say it."
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error; goes anywhere.")
def flowstone(*, debug: bool) -> None:
    """Work on machine-learning tasks for hours: plan, write, run, grade, improve, record all."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    asked = given[: given.index("--")] if "--" in given else given
    debug = "--debug" in asked
    if debug:
        given = [each for each in given if each != "--debug"]
    try:
        names.check()
        status = flowstone.main(given, prog_name="flowstone", standalone_mode=False)
    except SystemExit:
        raise
    except BaseException as error:
        if debug and not isinstance(error, click.UsageError):
            raise
        line, status = told(error)
        click.echo(line, err=True)
    sys.exit(status if isinstance(status, int) else 0)


def told(error: BaseException) -> tuple[str, int]:
    """Return the line that tells people of *error*, and the exit status."""
    leaves = [*_leaves(error)]
    cause = next((each for each in leaves if isinstance(each, Problem)), leaves[0])
    match cause:
        case Problem():
            return f"flowstone: {cause}", cause.status
        case click.ClickException():
            return _asked_wrongly(cause)
        case KeyboardInterrupt() | click.Abort():
            return "flowstone: interrupted", errors.INTERRUPTED
        case BrokenPipeError():
            return "flowstone: whoever read the output has gone", errors.FAILED
        case Exception() if type(cause).__module__.partition(".")[0] in names.NAMES:
            return f"flowstone: {_line(str(cause))}", errors.FAILED  # ours are written for people
        case _:
            text = _line(f"{type(cause).__name__}: {cause}")
            return f"flowstone: {text}; --debug shows where this happened", errors.BROKEN


def _asked_wrongly(error: click.ClickException) -> tuple[str, int]:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message(), errors.USAGE
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else "flowstone"
    return f"{path}: {_line(error.format_message())}; see {path} --help", errors.USAGE


def _line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors inside nested groups (anyio raises groups)."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error
