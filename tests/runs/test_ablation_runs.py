"""Real runs with and without each tier of the memory."""

from pathlib import Path

import pytest

from ops.bench import ablating


@pytest.mark.long
def test_every_condition_is_run_on_the_same_wisdom(small: Path, tmp_path: Path) -> None:
    told = list[str]()
    runs = [
        *ablating.measured([str(small)], tmp_path, seeds=1, nodes=2, earlier=[], told=told.append)
    ]
    assert [each.condition for each in runs] == [*ablating.CONDITIONS]
    assert all(each.sound <= 2 for each in runs)
    assert len(told) == len(runs)
    assert not [*tmp_path.iterdir()]
