"""A role of an outside package, with an event of its own, at work beside the others."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from tests.plugin.flowstone_critic import CritiqueWritten, role
from tests.runs.harness import Run, check_log, end_all, events, flowstone, settled

PACKAGE = Path(__file__).parents[1] / "plugin"
NODES = 6


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Build the package's wheel, install it in a folder, and return what makes Python find it."""
    place = tmp_path_factory.mktemp("installed")
    source = shutil.copytree(PACKAGE, place / "source")
    build = f"import uv_build; print(uv_build.build_wheel({str(place)!r}))"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    built = subprocess.run(
        [sys.executable, "-c", build],
        cwd=source,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    with zipfile.ZipFile(place / built.stdout.split()[-1]) as wheel:
        wheel.extractall(place / "site")
    return {"PYTHONPATH": str(place / "site")}


@pytest.fixture(scope="module")
def run(
    tmp_path_factory: pytest.TempPathFactory,
    small: Path,
    quick: tuple[str, ...],
    installed: Mapping[str, str],
) -> Run:
    home = tmp_path_factory.mktemp("plugin") / "home"
    run = Run(home, "run", str(small), *quick, "--nodes", str(NODES), more=installed)
    try:
        assert run.end() == 0, run.output
    finally:
        end_all([run])
    return run


def critiques(run: Run) -> dict[str, dict[str, Any]]:
    """Return the data of its events in the log, by node."""
    return {
        key: data for _, _, kind, key, data in events(run.home) if kind == CritiqueWritten.__name__
    }


def test_it_is_listed_with_what_its_types_declare(
    installed: Mapping[str, str], tmp_path: Path
) -> None:
    listed = flowstone(tmp_path, "roles", more={**installed, "COLUMNS": "200"})

    line = next(line for line in listed.stdout.splitlines() if "critic" in line)
    assert re.search(r"SolutionGraded .*CritiqueWritten", line)


def test_it_works_beside_the_others(run: Run) -> None:
    nodes = settled(run.home, run.name)
    found = critiques(run)

    assert len(nodes) == NODES
    # The last ones may have been graded when the run was over already.
    assert len(found) >= NODES - 2
    assert found.keys() <= nodes | {"fuse1"}
    assert re.match(r"\d\d lines, “scored 0\.", found["n1"]["critique"])
    check_log(run.home)


def test_its_events_are_kept_byte_for_byte(run: Run) -> None:
    with duckdb.connect(str(run.home / "log.duckdb"), read_only=True) as log:
        kept = log.execute(
            "select data from events where type = 'CritiqueWritten' order by seq"
        ).fetchall()

    for (data,) in kept:
        event = msgspec.json.decode(data, type=CritiqueWritten)
        assert data.encode() == msgspec.json.encode(event)
    ended = flowstone(run.home, "verify")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_they_are_read_in_sql_and_shown(run: Run) -> None:
    query = "select key, data->>'critique' as said from events where type = 'CritiqueWritten'"

    asked = flowstone(run.home, "sql", query, "--json")
    shown = flowstone(run.home, "log", run.name, "--type", "CritiqueWritten")

    rows = [json.loads(line) for line in asked.stdout.splitlines()]
    assert {row["key"]: row["said"] for row in rows} == {
        node: said["critique"] for node, said in critiques(run).items()
    }
    assert shown.stdout.count("CritiqueWritten") == len(rows)


@pytest.mark.parametrize("present", [True, False], ids=["installed", "gone"])
def test_its_run_is_replayed(run: Run, installed: Mapping[str, str], *, present: bool) -> None:
    more = installed if present else {}

    rebuilt = flowstone(run.home, "replay", run.name, more=more)
    again = flowstone(run.home, "replay", run.name, "--verify", more=more)

    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    assert "identical" in rebuilt.stdout
    assert again.returncode == 0, again.stdout + again.stderr
    assert ("critic" in again.stdout) == present


def test_its_login_may_do_what_it_declares_and_no_more(run: Run) -> None:
    configuration = (run.home / "nats" / "nats-server.conf").read_text()
    users = json.loads(re.split(r"(?m)^authorization: ", configuration)[1])["users"]
    logins = {user["user"]: user["permissions"]["publish"] for user in users}

    mine = [each for each in logins["critic"]["allow"] if "CritiqueWritten" in each]

    assert mine == ["flowstone.*.CritiqueWritten.>"]
    assert not [each for each in logins["critic"]["allow"] if "SolutionGraded" in each]
    for name in logins.keys() - {"critic", "flowstone"}:
        assert not [each for each in logins[name]["allow"] if "CritiqueWritten" in each]
    assert any("critic-decide" in each for each in logins["grader"]["deny"])


def test_the_role_here_is_the_one_that_was_installed(installed: Mapping[str, str]) -> None:
    site = Path(installed["PYTHONPATH"])

    assert role.name == "critic"
    for file in (PACKAGE / "flowstone_critic").glob("*.py"):
        assert (site / "flowstone_critic" / file.name).read_bytes() == file.read_bytes()


def test_a_policy_of_the_package_searches(
    tmp_path: Path, small: Path, quick: tuple[str, ...], installed: Mapping[str, str]
) -> None:
    chosen = ("--set", "search.policy=drafts-only", "--nodes", str(NODES))
    run = Run(tmp_path / "home", "run", str(small), *quick, *chosen, more=installed)
    try:
        assert run.end() == 0, run.output
    finally:
        end_all([run])

    proposals = [data for _, _, kind, _, data in events(run.home) if kind == "NodeProposed"]
    assert [each["action"] for each in proposals if not each["step"]] == ["draft"] * NODES
    again = flowstone(run.home, "replay", run.name, "--verify", more=installed)
    assert again.returncode == 0, again.stdout + again.stderr
