"""The five import names are plain words; nobody else in the environment may own one of them."""

import sys
from pathlib import Path

import pytest

from ops import names
from ops.errors import Problem


def test_our_names_are_ours() -> None:
    names.check()
    assert names.strangers() == {}


def test_a_name_that_belongs_to_another_package_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "openpackage").mkdir()
    (tmp_path / "openpackage" / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(Problem, match="'openpackage' belongs to something else; uninstall"):
        names.check(["openpackage"])


def test_a_missing_package_is_reported() -> None:
    with pytest.raises(Problem, match="'no_such_room' cannot be found; install Flowstone again"):
        names.check(["no_such_room"])
