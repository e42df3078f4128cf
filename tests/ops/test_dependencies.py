"""What is imported is declared, and what docs/dependencies.md describes is true of this environment."""

import ast
import re
import sys
import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

from ops.names import NAMES

ROOT = Path(__file__).parents[2]


def _declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lists = [project["project"]["dependencies"], project["dependency-groups"]["dev"]]
    return {re.split(r"[^\w.-]", each)[0] for all_of in lists for each in all_of}


def _imported() -> set[str]:
    found = set()
    for path in (path for name in NAMES for path in (ROOT / name).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {each.name.partition(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found


def _described() -> dict[str, str]:
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| ([a-z][\w-]*) \| [^|]+ \| ([^|]+) \|", text)
    return {name: licence for name, licence in rows if name != "package"}


def test_every_import_is_declared() -> None:
    owners = packages_distributions()
    ours = {*NAMES, "launcher"}  # the sandbox's launcher is started by its own name
    foreign = _imported() - ours - sys.stdlib_module_names
    undeclared = {
        name
        for name in foreign
        if not {each.replace("_", "-") for each in owners.get(name, [name])} & _declared()
    }
    assert undeclared <= {"numpy", "scipy", "threadpoolctl"}  # scikit-learn needs them itself


def test_what_is_declared_is_described() -> None:
    assert {*_described()} == _declared()


def test_licences_are_those_of_the_installed_packages() -> None:
    for name, licence in _described().items():
        said = distribution(name).metadata
        fields = ("License-Expression", "License", "Classifier")
        known = " ".join(line for field in fields for line in said.get_all(field) or [])
        family = licence.split("-")[0].split()[0]
        assert family in known, f"{name}: {licence!r} is not what its metadata says: {known}"
