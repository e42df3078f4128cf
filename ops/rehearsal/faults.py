"""How the rehearsal model misbehaves when it is told to: which request gets which fault. Pure."""

from hashlib import sha256
from typing import Literal

from msgspec import Struct

Fault = Literal[
    "rate_limited",
    "server_error",
    "unauthorized",
    "cut",
    "malformed",
    "no_code",
    "refusal",
    "empty",
]

KINDS: tuple[Fault, ...] = (
    "rate_limited",
    "server_error",
    "unauthorized",
    "cut",
    "malformed",
    "no_code",
    "refusal",
    "empty",
)


class Faults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The share of requests, between 0 and 1, that gets each fault; times in seconds.

    `rate_limited` is HTTP 429 with Retry-After, `server_error` HTTP 500, `unauthorized` HTTP 401,
    `cut` a connection that closes halfway, `malformed` JSON that ends halfway, `no_code` a
    reply of words alone, `refusal` a refusal and `empty` a reply that says nothing.
    """

    seed: int = 0
    latency_seconds: float = 0.0
    retry_after_seconds: float = 0.0
    rate_limited: float = 0.0
    server_error: float = 0.0
    unauthorized: float = 0.0
    cut: float = 0.0
    malformed: float = 0.0
    no_code: float = 0.0
    refusal: float = 0.0
    empty: float = 0.0

    def drawn(self, request: int) -> Fault | None:
        """Return the fault of the *request*-th request, the same for the same seed."""
        digest = sha256(f"{self.seed} {request}".encode()).digest()
        drawn = int.from_bytes(digest[:8]) / 2.0**64
        for kind in KINDS:
            drawn -= getattr(self, kind)
            if drawn < 0:
                return kind
        return None
