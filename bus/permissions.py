"""What each login may do on the bus, derived from the declarations of the roles. Pure."""

from collections.abc import Iterable

from msgspec import Struct

from bus.subjects import LOG_SERVICE, OBJECTS, STREAM, SYSTEM, WANTED, filters
from schemas.envelope import PREFIX
from schemas.events import LIGHT, Event


class Declaration(Struct, frozen=True, kw_only=True):
    """What a role says of itself, as far as the bus must know: its name, what it may record."""

    name: str
    emits: frozenset[type[Event]]


class Permissions(Struct, frozen=True, kw_only=True):
    """Subjects that a login may publish (but for those denied) and subscribe to."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    deny: tuple[str, ...] = ()


ADMINISTRATOR = Permissions(publish=(">",), subscribe=(">",))
"""The supervisor, the recorder and the person's own commands."""

CLASSES = ("cpu", "gpu", LIGHT)


def deciding(role: str) -> str:
    """Return the name of the durable consumer from which a role takes events to decide on."""
    return f"{role}-decide"


def performing(role: str, job_class: str | None = None) -> str:
    """Return the name of the durable consumer from which a role takes requests to answer."""
    return f"{role}-perform-{job_class}" if job_class else f"{role}-perform"


def inbox(role: str) -> str:
    """Return the prefix of a role's inboxes, so that no role reads another's answers."""
    return f"_INBOX_{role}"


def of_role(declared: Declaration, others: Iterable[Declaration]) -> Permissions:
    """Return what a role's login may do: record what it declares, read the public stream.

    Consumers of its own that only follow have no fixed names; so it may pull from any consumer
    but the durable ones of *others*.
    """
    foreign = [
        consumer for other in others if other.name != declared.name for consumer in _durable(other)
    ]
    return Permissions(
        publish=(
            *filters(declared.emits, role=declared.name),
            *(f"{PREFIX}.{SYSTEM}.{fact}.*" for fact in ("ActorStarted", "ActorStopped")),
            f"{PREFIX}.*.WorkAbandoned.{declared.name}.>",
            "$JS.API.INFO",
            f"$JS.API.STREAM.INFO.{STREAM}",
            f"$JS.API.CONSUMER.CREATE.{STREAM}.>",
            f"$JS.API.CONSUMER.CREATE.{STREAM}",
            f"$JS.API.CONSUMER.INFO.{STREAM}.>",
            f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.*",
            f"$JS.API.DIRECT.GET.{STREAM}.>",
            f"$JS.API.STREAM.MSG.GET.{STREAM}",
            f"$JS.ACK.{STREAM}.>",
            *_objects(),
            f"{LOG_SERVICE}.wisdom",
            f"{LOG_SERVICE}.page",
            f"{WANTED}.*",
        ),
        subscribe=(f"{inbox(declared.name)}.>", f"{WANTED}.*"),
        deny=(
            *(f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{consumer}" for consumer in foreign),
            *(f"$JS.API.CONSUMER.CREATE.{STREAM}.{consumer}" for consumer in foreign),
            *(f"$JS.API.CONSUMER.CREATE.{STREAM}.{consumer}.>" for consumer in foreign),
            *(f"$JS.ACK.{STREAM}.{consumer}.>" for consumer in foreign),
        ),
    )


def _durable(declared: Declaration) -> Iterable[str]:
    name = declared.name
    return (deciding(name), performing(name), *(performing(name, each) for each in CLASSES))


def _objects() -> Iterable[str]:
    bucket = f"OBJ_{OBJECTS}"
    return (
        f"$O.{OBJECTS}.>",
        "$JS.API.STREAM.NAMES",
        f"$JS.API.STREAM.INFO.{bucket}",
        f"$JS.API.STREAM.MSG.GET.{bucket}",
        f"$JS.API.DIRECT.GET.{bucket}.>",
        f"$JS.API.CONSUMER.CREATE.{bucket}.>",
        f"$JS.API.CONSUMER.CREATE.{bucket}",
        f"$JS.API.CONSUMER.DELETE.{bucket}.>",
        f"$JS.API.STREAM.PURGE.{bucket}",
        "$JS.FC.>",
    )
