"""Solved tasks as folders and lines: what is read, what it becomes, and that it is the same again."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.context import estimate
from agents.descriptor import MOST_TOKENS, shortened
from agents.embedding import embed
from agents.testing import recorded
from ops.wisdom import lines, pairs
from ops.wisdom.lines import Line
from ops.wisdom.pairs import Pair
from schemas.envelope import subject_of
from schemas.events import WisdomDistilled
from store.projections import wisdom

DESCRIPTION = """\
# Wine quality

Predict the quality of a wine. [The data](https://somewhere) were collected in Porto.

## Data fields

- alcohol: percent

## Evaluation

RMSE.
"""
SOLUTION = (
    '"""Boosted trees."""\nimport lightgbm as lgb\nlgb.LGBMRegressor(n_estimators=9).fit(x, y)\n'
)
PAIR = Pair(task="wine-quality", description=DESCRIPTION, solution=SOLUTION)


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_a_folder_of_pairs_one_of_a_kind(tmp_path: Path) -> None:
    one = write(
        tmp_path / "all" / "Wine quality", description__md=DESCRIPTION, solution__py=SOLUTION
    )
    write(tmp_path / "all" / "other", README__md="Other.", solution__py="x = 1\n")
    write(tmp_path / "all" / "unsolved", description__md="?")
    write(tmp_path / "all" / "untold", solution__py="pass")
    write(tmp_path / "all" / "void", description__txt=" ", solution__py="pass")
    write(tmp_path / "all" / ".hidden", description__md="a", solution__py="pass")
    (tmp_path / "all" / "notes.txt").write_text("no folder")

    found = [*pairs.pairs(tmp_path / "all")]

    read = [each for each in found if isinstance(each, Pair)]
    assert [each.task for each in read] == ["Wine-quality", "other"]
    assert [str(each).rpartition(": ")[2] for each in found if isinstance(each, str)] == [
        "no solution.py",
        "no description.md",
        "description or solution is empty",
    ]
    assert [*pairs.pairs(one)] == read[:1]


def test_a_pair_becomes_wisdom_without_a_model() -> None:
    made = pairs.wisdom_of(PAIR)
    assert made.descriptor == (
        "Wine quality. Predict the quality of a wine. The data were collected in Porto."
        " - alcohol: percent RMSE."
    )
    assert made.embedding == embed(made.descriptor)
    assert made.data_summary == "- alcohol: percent"
    assert made.model_summary.splitlines() == [
        "Boosted trees.",
        "It imports lightgbm.",
        "It makes:",
        "- lgb.LGBMRegressor(n_estimators=9)",
        "It fits:",
        "- lgb.LGBMRegressor(n_estimators=9).fit(x, y)",
    ]
    assert (made.task, made.origin, made.mechanical) == ("wine-quality", "wine-quality", True)


def test_without_a_section_on_data_the_description_speaks() -> None:
    made = pairs.wisdom_of(Pair(task="t", description="Tell apples from pears.", solution="x = 1"))
    assert made.data_summary == "Tell apples from pears."
    assert made.descriptor == "t. Tell apples from pears."


TEXTS = st.text(max_size=200)


@given(task=st.just("t"), description=TEXTS, solution=TEXTS)
def test_a_pair_has_one_name_that_can_be_a_run(task: str, description: str, solution: str) -> None:
    pair = Pair(task=task, description=description, solution=solution)
    again = Pair(task="renamed", description=f"\n{description} ", solution=f"{solution}\n")
    assert pair.run == again.run
    assert subject_of(WisdomDistilled, pair.run, "once")
    other = Pair(task=task, description=description, solution=f"{solution} and more")
    assert pair.run != other.run


def entry(made: WisdomDistilled, run: str) -> wisdom.Entry:
    return wisdom.apply(wisdom.START, recorded(made, run=run)).entries[run]


@pytest.mark.parametrize("run", ["wisdom-0123456789abcdef", "digits-3f1c", "wisdom-of my own!"])
def test_what_is_written_is_read_as_the_same_entry(run: str) -> None:
    kept = entry(pairs.wisdom_of(PAIR), run)
    (line,) = lines.read([lines.written(kept), ""])
    assert isinstance(line, Line)
    assert "embedding" not in lines.written(kept)
    made = lines.wisdom_of(line)
    assert made.embedding == kept.embedding
    assert (made.origin, made.mechanical) == ("wine-quality", True)
    assert line.name == (run if run == "wisdom-0123456789abcdef" else line.name)
    assert subject_of(WisdomDistilled, line.name, "once")
    # From the next home on it keeps its name.
    (again,) = lines.read([lines.written(entry(made, line.name))])
    assert isinstance(again, Line)
    assert again.name == line.name


def test_lines_may_be_pairs() -> None:
    text = json.dumps({"task": "t", "description": "d", "solution": "s"})
    assert [*lines.read([text])] == [Pair(task="t", description="d", solution="s")]


@pytest.mark.parametrize("text", ["[]", "{", '{"task": "t"}', '{"solution": 1}', '"x"'])
def test_a_line_that_is_neither_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="line 2: "):
        list(lines.read(["", text]))


@given(st.text() | st.text(min_size=400).map(lambda text: text * 3))
def test_a_descriptor_of_somebody_else_is_made_short(text: str) -> None:
    short = shortened(text)
    assert estimate(short) < MOST_TOKENS
    assert shortened(short) == short
    if estimate(" ".join(text.split())) < MOST_TOKENS:
        assert short == " ".join(text.split())


def test_a_long_descriptor_keeps_whole_sentences() -> None:
    short = shortened("This is one sentence of many. " * 60)
    assert short.endswith("many.")
    assert estimate(short) > MOST_TOKENS - 12
