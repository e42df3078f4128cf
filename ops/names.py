"""Whether the five import names are ours: they are plain words, and other packages install them too."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from ops.errors import Problem

NAMES = ("agents", "bus", "ops", "schemas", "store")

KNOWN = {
    "agents": "openai-agents",
    "ops": "ops (Canonical)",
    "schemas": "schemas",
    "store": "store",
}
"""Distributions known to install a package of that name."""

DISTRIBUTION = "flowstone"


def check(names: Iterable[str] = NAMES, root: Path = Path(__file__).parents[1]) -> None:
    """Raise Problem when one of *names* would be imported from anywhere but *root*."""
    for name in names:
        place = _place(name)
        if place is None:
            raise Problem(
                f"the package {name!r} cannot be found",
                where=str(root),
                remedy="install Flowstone again: make setup",
            )
        if place != root:
            raise Problem(
                f"the import name {name!r} belongs to something else",
                where=str(place / name),
                remedy=f"uninstall {KNOWN.get(name, 'what put it there')} from this environment,"
                " or give Flowstone its own: make setup",
            )


def strangers() -> dict[str, list[str]]:
    """Return, for each of our names, the other distributions that install files under it.

    Two wheels of one name are merged silently, which `check` cannot see; this reads the metadata
    of every installed distribution, which takes a second.
    """
    from importlib.metadata import packages_distributions  # noqa: PLC0415 - slow to import

    owners = packages_distributions()
    found = {name: sorted({*owners.get(name, [])} - {DISTRIBUTION}) for name in NAMES}
    return {name: others for name, others in found.items() if others}


def _place(name: str) -> Path | None:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))).resolve().parent
