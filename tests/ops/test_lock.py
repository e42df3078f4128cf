"""The lock file installs the same anywhere: hashes for all, and no place but the package index."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def _name(requirement: str) -> str:
    named = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert named, requirement
    return re.sub(r"[-_.]+", "-", named[0]).lower()


def test_it_names_no_host_and_no_path() -> None:
    assert not re.findall(r"(?m)^.*(?:://|index-url|find-links|file:|(?:^|\s)/).*$", LOCK)


def test_every_package_is_pinned_with_a_hash() -> None:
    for entry in re.split(r"\n(?=\S)", LOCK.strip()):
        assert re.match(r"[a-z0-9-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_it_holds_every_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    locked = {_name(line) for line in LOCK.splitlines() if "==" in line}
    assert {_name(each) for each in declared} <= locked
