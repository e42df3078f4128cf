"""Further files of a job: the solution finds them by their names, to be read and not changed."""

from collections.abc import Callable
from textwrap import dedent

import pytest

from schemas.task import Artifact
from tests.sandbox.conftest import MODES, Bench

READ = dedent("""
    import os
    print({name: open(f"files/{name}").read() for name in sorted(os.listdir("files"))})
    """)
CHANGE = dedent("""
    for act in (
        lambda: open("files/n1.csv", "w"),
        lambda: open("files/new.csv", "w"),
        lambda: __import__("os").remove("files/n1.csv"),
    ):
        try: act(); print("changed")
        except OSError: print("refused")
    """)


async def _kept(bench: Bench, **contents: str) -> dict[str, Artifact]:
    return {
        f"{name}.csv": await bench.artifacts.put(content.encode(), "submission.csv")
        for name, content in contents.items()
    }


@pytest.mark.parametrize("mode", MODES)
async def test_a_job_finds_its_files_by_their_names(
    benches: Callable[[str], Bench], mode: str
) -> None:
    bench = benches(mode)

    finished = await bench.run(READ, files=await _kept(bench, n1="a", n2="b"))

    assert finished.head == "{'n1.csv': 'a', 'n2.csv': 'b'}\n", finished
    assert bench.leftovers == []


async def test_they_are_not_changed(benches: Callable[[str], Bench]) -> None:
    bench = benches("strongest")
    files = await _kept(bench, n1="a")

    finished = await bench.run(CHANGE, files=files)

    if bench.held.uid is None:
        pytest.skip("needs a user of the sandbox's own")
    assert finished.head == "refused\n" * 3, finished
    assert bench.content(files["n1.csv"]) == b"a"


@pytest.mark.parametrize("name", ["../solution.py", "/etc/passwd", "a/b", "..", ""])
async def test_a_name_that_leads_elsewhere_is_refused(
    benches: Callable[[str], Bench], name: str
) -> None:
    bench = benches("bare")
    (kept,) = (await _kept(bench, n1="a")).values()

    with pytest.raises(ValueError, match="is no name of a file"):
        await bench.run("", files={name: kept})

    assert bench.leftovers == []
