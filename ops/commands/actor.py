"""`flowstone actor` and the recorder: one process of a system, here or on another machine."""

import click

from ops import signals
from ops.options import assignments

ACTOR_EPILOG = """\b
Examples:
  flowstone actor executor --nats nats://executor:PASSWORD@host:4222 --slots 4
  FLOWSTONE_NATS_URL=nats://host:4222 flowstone actor coder

\b
Ctrl-C gives back what it was working on."""

RECORDER_EPILOG = """\b
Examples:
  flowstone recorder --nats nats://host:4222"""

nats = click.option(
    "--nats",
    metavar="URL",
    envvar="FLOWSTONE_NATS_URL",
    required=True,
    help="The server, with this role's login where it has logins.",
)


@click.command(epilog=ACTOR_EPILOG)
@click.argument("role")
@nats
@click.option("--slots", type=int, help="How many requests it works on at once.")
@assignments
def actor(*, role: str, nats: str, slots: int | None, assignments: tuple[str, ...]) -> None:
    """Run one actor of ROLE until Ctrl-C; it joins whatever runs there are."""
    from ops import configuration, logs  # noqa: PLC0415
    from ops.actors.process import act  # noqa: PLC0415
    from ops.worker import actor_name  # noqa: PLC0415

    settings = configuration.load(assignments).settings
    home = configuration.home()
    logs.configure(actor_name(role), home, settings.log_level)

    async def work() -> None:
        await act(role, nats, home, settings, slots)

    signals.run(work)


@click.command(epilog=RECORDER_EPILOG)
@nats
@assignments
def recorder(*, nats: str, assignments: tuple[str, ...]) -> None:
    """Record every event of a server in this home's log, until Ctrl-C."""
    from ops import configuration, logs  # noqa: PLC0415
    from ops.processes.asked import until_asked  # noqa: PLC0415
    from ops.recording.recorder import serve  # noqa: PLC0415

    settings = configuration.load(assignments).settings
    home = configuration.home()
    logs.configure("recorder", home, settings.log_level)
    signals.run(until_asked, serve, home, nats)
