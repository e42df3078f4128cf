"""Facts: what the rehearsal model reads out of a data preview."""

from hypothesis import given
from hypothesis import strategies as st

from ops.rehearsal.composer.facts import Column, Facts, read
from tests.prompts.prepared import PREVIEW


def test_the_preview_is_read_line_by_line() -> None:
    facts = read(PREVIEW)
    assert (facts.metric, facts.needs, facts.lower_is_better) == ("accuracy", "labels", False)
    assert (facts.targets, facts.label, facts.classes) == (("kind",), "kind", ("a", "b"))
    assert (facts.rows, facts.train_only) == (120, ("kind",))
    names = [each.name for each in facts.columns]
    assert names == ["id", "size", "odd: name", "pixel0", "kind"]
    assert facts.columns[1] == Column(name="size", type="numeric", missing=0.05, unique=77, low=0)
    assert facts.columns[3].count == 4
    assert facts.of_type("numeric") == ("size", "pixel0")
    assert facts.of_type("categorical") == ("odd: name",)


def test_examples_tell_codes_from_words() -> None:
    line = '- cabin: type=categorical missing=0 unique=9 examples=["B/1/P", "C/22/S"]'
    (cabin,) = read(f"## Columns of train.csv (9 rows)\n{line}").columns
    (place,) = read(f"## Columns of t.csv (9 rows)\n{line.replace('/', '')}").columns
    assert (cabin.coded, place.coded) == (True, False)


@given(st.text() | st.lists(st.sampled_from(PREVIEW.splitlines()) | st.text()).map("\n".join))
def test_any_text_is_read(text: str) -> None:
    assert isinstance(read(text), Facts)
