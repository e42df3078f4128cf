"""Which submissions are taken, and which tricks are not."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.tools.sandbox import submission
from tests.sandbox.conftest import Bench

TRICKS = {
    "a named pipe": ("import os; os.mkfifo('submission/submission.csv')", "regular"),
    "a directory": ("import os; os.mkdir('submission/submission.csv')", "regular"),
    "a link": ("import os; os.symlink('/etc/passwd', 'submission/submission.csv')", "regular"),
    "a hard link": (
        "import os; open('kept', 'w').write('x'); os.link('kept', 'submission/submission.csv')",
        "another name",
    ),
    "a folder that is a link": (
        "import os; os.rmdir('submission'); os.symlink('/etc', 'submission')",
        "submission/submission.csv is not read",
    ),
    "a folder that is a file": (
        "import os; os.rmdir('submission'); open('submission', 'w').write('x')",
        "submission/submission.csv is not read",
    ),
    "a sparse file": (
        """
import os
try: open("submission/submission.csv", "w").truncate(10 << 30)
except OSError as error: print(error)
""",
        "",
    ),
    "nothing": ("pass", ""),
}


@pytest.mark.parametrize("place", ["submission/", "working/", "", "./"])
async def test_a_submission_is_taken_from_where_models_write_it(
    benches: Callable[[str], Bench], place: str
) -> None:
    bench = benches("strongest")

    finished = await bench.run(
        f"import os; open(os.path.abspath({place!r} + 'submission.csv'), 'w').write('id,x\\n')"
    )

    assert bench.content(finished.submission) == b"id,x\n"
    assert finished.why == ""


@pytest.mark.parametrize("mode", ["strongest", "bare"])
@pytest.mark.parametrize("trick", TRICKS)
async def test_a_trick_is_not_taken(benches: Callable[[str], Bench], mode: str, trick: str) -> None:
    code, why = TRICKS[trick]
    bench = benches(mode)

    finished = await bench.run(code)

    assert finished.outcome == "ok", finished
    assert why in finished.why
    taken = bench.content(finished.submission) if finished.submission else b""
    assert taken == b""


def test_a_submission_that_is_too_large_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "submission.csv").write_bytes(b"id\n1\n")

    assert submission.find(tmp_path, limit=5) == (tmp_path / "submission.csv", "")
    found, why = submission.find(tmp_path, limit=4)
    assert found is None
    assert "5 bytes are more than the 4 allowed" in why


async def test_a_failed_program_submits_nothing(benches: Callable[[str], Bench]) -> None:
    finished = await benches("strongest").run(
        "open('submission/submission.csv', 'w').write('id,x\\n'); raise ValueError('late')"
    )

    assert finished.outcome == "error"
    assert finished.why == "exit status 1: ValueError: late"
    assert finished.submission is None


@pytest.mark.parametrize("heard", [signal.default_int_handler, signal.SIG_IGN])
@pytest.mark.parametrize("mode", ["strongest", "bare"])
async def test_an_interrupted_program_may_still_write_its_submission(
    benches: Callable[[str], Bench], mode: str, heard: Callable[..., object]
) -> None:
    bench = benches(mode)
    before = signal.signal(signal.SIGINT, heard)

    finished = await bench.run(
        "import time\n"
        "try: time.sleep(20)\n"
        "except KeyboardInterrupt: open('submission/submission.csv', 'w').write('id,x\\n')",
        seconds=0.5,
        grace_seconds=5.0,
    )
    signal.signal(signal.SIGINT, before)

    assert finished.outcome == "timeout"
    assert finished.seconds < 4
    assert bench.content(finished.submission) == b"id,x\n"
