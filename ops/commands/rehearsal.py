"""`flowstone rehearsal`: the model server that needs no model."""

from pathlib import Path

import click

from ops import signals
from ops.errors import USAGE, Problem

EPILOG = """\b
Examples:
  flowstone rehearsal --port 8400
  flowstone rehearsal --latency 2 --fault rate_limited=0.2 --fault cut=0.05
  OPENAI_BASE_URL=http://127.0.0.1:8400/v1 flowstone run package:breast-cancer

\b
Faults: rate_limited (HTTP 429), server_error (500), unauthorized (401), cut (the connection ends
halfway), malformed (broken JSON), no_code, refusal, empty."""


@click.command(epilog=EPILOG)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8400,
    show_default=True,
    help="Port to listen on; 0 takes any.",
)
@click.option(
    "--recording",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Answer with the recorded solutions of this file.",
)
@click.option("--latency", default=0.0, metavar="SECONDS", help="Wait before every answer.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="KIND=SHARE",
    help="Spoil this share of the requests, between 0 and 1; may be repeated.",
)
@click.option("--seed", default=0, help="Which requests are spoiled follows from it.")
def rehearsal(
    *,
    host: str,
    port: int,
    recording: Path | None,
    latency: float,
    faults: tuple[str, ...],
    seed: int,
) -> None:
    """Serve a stand-in for a language model, with the OpenAI interface.

    It holds no language model. It composes working programs from what the prompt says about the
    data, so that everything else can be tried and tested, and it can be told to misbehave.
    """
    from ops.rehearsal.faults import Faults  # noqa: PLC0415
    from ops.rehearsal.server import run_rehearsal  # noqa: PLC0415

    spoiled = Faults(seed=seed, latency_seconds=latency, **_shares(faults))

    def ready(url: str) -> None:
        click.echo(f"The rehearsal model, which is no language model, answers at {url}")
        click.echo(f"To use it: OPENAI_BASE_URL={url} flowstone run TASK")

    async def serve() -> None:
        await run_rehearsal(port=port, host=host, recording=recording, faults=spoiled, ready=ready)

    try:
        signals.run(serve)
    except OSError as error:
        remedy = "choose another with --port, or 0 for any"
        raise Problem(error.strerror or str(error), where=f"{host}:{port}", remedy=remedy) from None
    except ValueError as error:
        remedy = "give a file of recorded nodes"
        raise Problem(str(error), where=str(recording), remedy=remedy) from None


def _shares(faults: tuple[str, ...]) -> dict[str, float]:
    from ops.rehearsal.faults import KINDS  # noqa: PLC0415 - slow to import

    shares: dict[str, float] = {}
    for each in faults:
        kind, _, share = each.partition("=")
        if kind not in KINDS:
            known = f"known are {', '.join(KINDS)}"
            raise Problem(f"no fault {kind!r}", where="--fault", remedy=known, status=USAGE)
        try:
            shares[kind] = float(share)
        except ValueError:
            raise Problem(
                f"{each!r} names no share", where="--fault", remedy="write KIND=0.1", status=USAGE
            ) from None
    return shares
