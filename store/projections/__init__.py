"""The pure folds over the log: one idea per file, no I/O. Each module offers its `projection`."""

from collections.abc import Mapping
from typing import Any

from store.projections import actors, experience, knowledge, ledger, tree, wisdom
from store.projections.projection import Projection

PROJECTIONS: Mapping[str, Projection[Any]] = {
    module.projection.name: module.projection
    for module in (tree, experience, knowledge, wisdom, ledger, actors)
}
"""Every fold that has a live table, by name."""
