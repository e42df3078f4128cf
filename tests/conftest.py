"""Fixtures and strategies that all tests share."""

import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import strategies as st

from bus.connection import Bus, connect, ensure_streams
from bus.server import Access, EmbeddedServer
from tests.servers import Running, running

ROOT = Path(__file__).parents[1]

# Whoever starts the tests may ignore or block signals (a shell does for what runs in the
# background), and the programs that they start would inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)
for each in (signal.SIGCHLD, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
    signal.signal(each, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, ())

# JSON carries finite floats and 64-bit integers, no more.
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(int, st.integers(min_value=-(2**63), max_value=2**63 - 1))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Name the only loop that nats-py knows."""
    return "asyncio"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real competitions beside the checkout, read in place."""
    for above in ROOT.parents:
        if (folder := above / "shared" / "data").is_dir():
            return folder
    return pytest.skip(f"there is no shared/data above {ROOT}")


@pytest.fixture
def run_server() -> Running:
    """Return the way to run a prepared server, for tests that stop and start it."""
    return running


@pytest.fixture
def access(tmp_path: Path) -> Iterator[Access]:
    """Run a real nats-server of the embedded kind, without logins for roles."""
    server = EmbeddedServer(tmp_path / "nats")
    access = server.prepare({})
    with running(server):
        yield access


@pytest.fixture
async def bus(access: Access) -> AsyncIterator[Bus]:
    """Return a connection to a real server with the streams in place."""
    async with connect(access.url(), name="test") as bus:
        await ensure_streams(bus)
        yield bus
