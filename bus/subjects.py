"""Names on the bus: the streams, their subjects, and the filters that a role's types ask for. Pure."""

from collections.abc import Iterable

from schemas.envelope import PREFIX, PRIVATE_PREFIX
from schemas.events import Event

STREAM = "FLOWSTONE"
PRIVATE_STREAM = "FLOWSTONE-PRIVATE"
STREAM_SUBJECTS = {STREAM: f"{PREFIX}.>", PRIVATE_STREAM: f"{PRIVATE_PREFIX}.>"}
OBJECTS = "flowstone-artifacts"
LOG_SERVICE = "flowstone-log"
WANTED = "flowstone-wanted"
"""Where a machine asks for an artifact that it lacks, by its hash."""
SYSTEM = "system"
"""The run under which facts about the installation itself are recorded."""


def filters(
    types: Iterable[type[Event]], *, role: str = "*", job_class: str = "*", run: str = "*"
) -> list[str]:
    """Return the subjects that carry *types*; routed types only to *role* or *job_class*."""
    return sorted(_filter(each, role, job_class, run) for each in types)


def _filter(event_type: type[Event], role: str, job_class: str, run: str) -> str:
    prefix = PRIVATE_PREFIX if event_type.private else PREFIX
    first = {"role": f"{role}.", "class": f"{job_class}.", None: ""}[event_type.routed]
    return f"{prefix}.{run}.{event_type.__name__}.{first}>"


def strip_route(event_type: type[Event], key: str) -> str:
    """Return *key* without the token that only routes it."""
    return key.split(".", 1)[1] if event_type.routed else key
