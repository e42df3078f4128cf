"""Another memory policy for a past run: the one it was started with, with some keys set otherwise. Pure."""

from collections.abc import Collection, Mapping
from typing import Any

from msgspec.structs import replace

from ops.errors import USAGE, Problem
from schemas.settings import Settings, SettingsError, decode

MEMORY = "memory"
PHASES = "search.phase_nodes"


def changed(
    recorded: Settings, values: Mapping[str, Any], *, also: Collection[str] = ()
) -> Settings:
    """Return *recorded* with *values* by dotted key; raises Problem for a key that cannot be set.

    Those are the keys under `memory` and those in *also*.
    """
    try:
        found = decode({"--set": values})
    except SettingsError as error:
        raise Problem(str(error), status=USAGE) from None
    settings = recorded
    for key in values:
        section, _, leaf = key.partition(".")
        if section != MEMORY and key not in also:
            raise Problem(
                f"{key} has no part in what was shown",
                where="--set",
                remedy="set keys under memory, or search.phase_nodes with --paper",
                status=USAGE,
            )
        value = getattr(getattr(found, section), leaf)
        settings = replace(
            settings, **{section: replace(getattr(settings, section), **{leaf: value})}
        )
    return settings
