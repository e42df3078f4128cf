"""What a solution can reach: its own directory and the public data, nothing else."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from tests.sandbox.conftest import MODES, Bench

CONFINED = ("strongest", "landlock")
"""The modes that hold files and network back; "bare" has nothing to do it with."""

SECRET = "sk-the-key-nobody-may-see"  # noqa: S105 - a decoy


@pytest.mark.parametrize("mode", MODES)
async def test_the_environment_is_clean(
    benches: Callable[[str], Bench], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "NATS_PASSWORD", "FLOWSTONE_HOME"):
        monkeypatch.setenv(name, SECRET)

    finished = await benches(mode).run(
        "import os; print(dict(os.environ), open('/proc/self/environ').read(), os.environ['HOME'])"
    )

    assert finished.outcome == "ok"
    assert SECRET not in finished.head
    assert "OPENAI" not in finished.head
    assert finished.head.rstrip().endswith("/.home")


@pytest.mark.parametrize("mode", CONFINED)
async def test_other_files_are_out_of_reach(
    benches: Callable[[str], Bench], mode: str, tmp_path: Path
) -> None:
    bench = benches(mode)
    other = bench.root.parent / "another"
    other.mkdir(exist_ok=True)
    places = [tmp_path / "private" / "answers.csv", other / "solution.py", Path.home() / ".decoy"]
    for place in places:
        place.parent.mkdir(exist_ok=True)
        place.write_text(SECRET)
    try:
        finished = await bench.run(
            dedent(f"""
            import os
            for place in {[str(each) for each in places]}:
                try: print(open(place).read())
                except OSError as error: print("refused", error.errno)
            for place in ("/root", "/home", {str(bench.root)!r}, {str(Path(__file__).parents[2])!r}):
                try: print(place, os.listdir(place))
                except OSError as error: print("refused", error.errno)
            """)
        )
    finally:
        places[-1].unlink()
        places[1].unlink()
        other.rmdir()

    assert finished.outcome == "ok", finished
    assert SECRET not in finished.head
    assert finished.head.count("refused") >= 3
    assert "answers.csv" not in finished.head
    assert "pyproject.toml" not in finished.head


@pytest.mark.parametrize("mode", CONFINED)
async def test_other_processes_are_out_of_reach(
    benches: Callable[[str], Bench], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    finished = await benches(mode).run(
        dedent(f"""
        import os
        for process in (1, os.getppid(), {os.getpid()}):
            for file in ("environ", "mem", "root/etc/shadow", "cwd/solution.py"):
                try: print("read", process, file, open(f"/proc/{{process}}/{{file}}", "rb").read(1))
                except OSError: pass
        for process in (os.getppid(), {os.getpid()}):
            try: os.kill(process, 9); print("killed", process)
            except OSError as error: print("refused")
        """)
    )

    assert finished.outcome == "ok", finished
    assert finished.head == "refused\nrefused\n"


async def test_a_program_that_kills_its_keeper_ends_with_it(
    benches: Callable[[str], Bench],
) -> None:
    bench = benches("bare")

    finished = await bench.run("import os, time; os.kill(os.getppid(), 9); time.sleep(20)")

    assert finished.outcome == "error"
    assert "killed" in finished.why
    assert (await bench.run("print('next')")).outcome == "ok"


@pytest.mark.parametrize("mode", CONFINED)
async def test_there_is_no_network(benches: Callable[[str], Bench], mode: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        finished = await benches(mode).run(
            dedent(f"""
            import socket
            for address in (("127.0.0.1", {port}), ("10.0.0.1", 80)):
                try: socket.create_connection(address, timeout=2); print("connected", address)
                except OSError as error: print("refused")
            """)
        )

    assert finished.head == "refused\nrefused\n", finished


@pytest.mark.parametrize("mode", CONFINED)
async def test_the_data_can_be_read_and_not_written(
    benches: Callable[[str], Bench], mode: str
) -> None:
    bench = benches(mode)
    data = bench.artifacts.data / "train.csv"
    before = data.read_bytes()

    finished = await bench.run(
        dedent("""
        import os
        print(open("input/train.csv").read(), end="")
        for action in (
            lambda: open("input/train.csv", "a").write("more"),
            lambda: open("input/new.csv", "w").write("more"),
            lambda: os.remove("input/train.csv"),
            lambda: open("/usr/planted", "w"),
        ):
            try: action(); print("written")
            except OSError: print("refused")
        """)
    )

    assert finished.head == before.decode() + "refused\n" * 4
    assert data.read_bytes() == before


@pytest.mark.parametrize("mode", MODES)
async def test_it_runs_as_promised(benches: Callable[[str], Bench], mode: str) -> None:
    bench = benches(mode)

    finished = await bench.run(
        "import os; print(os.getuid())\n"
        "print([line for line in open('/proc/self/status') if 'NoNewPrivs' in line or 'CapEff' in line])"
    )

    protections = bench.sandbox.protections
    uid = os.getuid() if bench.held.uid is None else bench.held.uid
    assert ("own user" in protections) == (bench.held.uid is not None)
    assert "no new privileges" in protections
    assert finished.head.startswith(f"{uid}\n"), finished
    assert "NoNewPrivs:\\t1" in finished.head
    if bench.held.powerless or uid:
        assert "CapEff:\\t0000000000000000" in finished.head
