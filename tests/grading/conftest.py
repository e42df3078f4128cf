"""Fixtures for the grader's tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.grading.folders import Files, Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    place = tmp_path / "shelf"
    place.mkdir()
    return Shelf(place)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Files], Path]:
    def write(files: Files) -> Path:
        folder = tmp_path / "a-task"
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return folder

    return write
