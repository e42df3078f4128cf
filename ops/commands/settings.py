"""`flowstone settings`: every setting, its value, its default and where the value came from."""

from collections.abc import Sequence
from typing import Any

import click

from ops import configuration
from ops.options import assignments
from schemas.settings import Settings, keys

EPILOG = """\b
Examples:
  flowstone settings
  flowstone settings --set search.drafts=3
  FLOWSTONE_SEARCH__DRAFTS=3 flowstone settings

\b
The same in flowstone.toml, here or in FLOWSTONE_HOME:
  [search]
  drafts = 3"""


@click.command(epilog=EPILOG)
@assignments
def settings(assignments: Sequence[str]) -> None:
    """Print every setting, its value and where that came from.

    Later places win: flowstone.toml in FLOWSTONE_HOME, flowstone.toml here, the environment
    (FLOWSTONE_SECTION__KEY), --set.
    """
    configured = configuration.load(assignments)
    rows = []
    for key in keys():
        value, default = _value(configured.settings, key), _value(Settings(), key)
        origin = configured.origins.get(key, "default")
        rows.append((key, _text(value), "" if value == default else _text(default), origin))
    head = ("setting", "value", "default", "from")
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(3)]
    for row in [head, *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[3]]).rstrip())


def _value(tree: Any, key: str) -> Any:
    for name in key.split("."):
        tree = getattr(tree, name)
    return tree


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)
