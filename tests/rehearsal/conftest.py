"""A running rehearsal model and requests to it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
import pytest

from ops.rehearsal.faults import Faults
from ops.rehearsal.server import run_rehearsal
from schemas.events import Message, ModelAsked
from schemas.settings import Model

Serving = Callable[..., AbstractAsyncContextManager[str]]


@asynccontextmanager
async def _serving(
    faults: Faults | None = None, recording: Path | None = None
) -> AsyncIterator[str]:
    found = list[str]()
    listening = anyio.Event()

    def ready(url: str) -> None:
        found.append(url)
        listening.set()

    async with anyio.create_task_group() as group:
        group.start_soon(partial(run_rehearsal, faults=faults, recording=recording, ready=ready))
        await listening.wait()
        yield found[0]
        group.cancel_scope.cancel()


@pytest.fixture
def serving() -> Serving:
    """Return the way to run the real server on a free port."""
    return _serving


def question(content: str = "Hello", **options: object) -> ModelAsked:
    """Return a request with quick retries."""
    settings = {"backoff_seconds": 0.001, "timeout_seconds": 20.0, "attempts": 6} | options
    return ModelAsked(
        role="coder",
        call="n1",
        purpose="draft",
        subject="n1",
        messages=(Message(role="user", content=content),),
        options=Model(**settings),  # type: ignore[arg-type]  # the test names only real ones
    )
