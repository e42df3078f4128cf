"""Artifacts for machines that share no disk, lent between the logins that actors really have."""

from pathlib import Path

import anyio

from bus import objects
from bus.connection import connect, ensure_streams
from bus.permissions import Declaration, inbox, of_role
from bus.server import EmbeddedServer
from schemas.events import ExecutionFinished, SolutionGraded
from tests.servers import Running

LENDER = Declaration(name="grader", emits=frozenset({SolutionGraded}))
BORROWER = Declaration(name="executor", emits=frozenset({ExecutionFinished}))
HASH = "5a" * 32


async def test_an_actor_elsewhere_gets_what_an_actor_here_has(
    tmp_path: Path, run_server: Running
) -> None:
    kept, got = tmp_path / "kept", tmp_path / "got"
    kept.write_bytes(b"the data of a task" * 100_000)
    files = {HASH: kept}
    roles = [LENDER, BORROWER]
    server = EmbeddedServer(tmp_path / "nats")
    access = server.prepare({each.name: of_role(each, roles) for each in roles})
    with run_server(server):
        async with (
            connect(access.url(), name="administrator") as bus,
            connect(access.url("grader"), name="grader", inbox=inbox("grader")) as here,
            connect(access.url("executor"), name="executor", inbox=inbox("executor")) as there,
            anyio.create_task_group() as tasks,
        ):
            await ensure_streams(bus)
            tasks.start_soon(objects.lend, here, "here", lambda wanted: files[wanted])
            tasks.start_soon(objects.lend, there, "there", lambda _: None)
            with anyio.fail_after(10):
                assert await objects.fetch(there, HASH, got)
            tasks.cancel_scope.cancel()
    assert got.read_bytes() == kept.read_bytes()
