"""The picture of two curves: well-formed, within its frame, true to its values."""

import re
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from ops.past.context.chart import Chart, Curve, svg

SPACE = "{http://www.w3.org/2000/svg}"
VALUES = st.lists(st.integers(0, 10**7), max_size=40)


def chart(*values: list[int], name: str = "as it was") -> Chart:
    curves = [Curve(name=name, values=each) for each in values]
    return Chart(title="Memory & more", across="question", up="tokens", curves=curves)


def points(picture: str) -> list[list[tuple[float, float]]]:
    lines = ET.fromstring(picture).findall(f"{SPACE}polyline")  # noqa: S314 - our own
    found = (re.findall(r"([\d.]+),([\d.]+)", each.attrib["points"]) for each in lines)
    return [[(float(x), float(y)) for x, y in each] for each in found]


@given(one=VALUES, other=VALUES)
def test_every_point_lies_within_the_frame(one: list[int], other: list[int]) -> None:
    drawn = points(svg(chart(one, other)))
    assert [len(each) for each in drawn] == [len(one), len(other)]
    for each in drawn:
        assert all(84 <= x <= 732 and 84 <= y <= 362 for x, y in each)
        assert [x for x, _ in each] == sorted(x for x, _ in each)


@given(values=st.lists(st.integers(0, 10**5), min_size=2, max_size=40))
def test_a_higher_value_lies_higher(values: list[int]) -> None:
    (drawn,) = points(svg(chart(values)))
    order = sorted(range(len(values)), key=lambda at: values[at])
    assert [drawn[at][1] for at in order] == sorted((y for _, y in drawn), reverse=True)


def test_very_many_values_are_thinned_and_keep_their_peak() -> None:
    values = [0] * 90_000
    values[70_001] = 500
    picture = svg(chart(values))
    (drawn,) = points(picture)
    assert len(drawn) <= 1000
    assert min(y for _, y in drawn) == 84
    assert "as it was: peak 500" in picture


def test_texts_are_escaped_and_the_axes_named() -> None:
    picture = svg(chart([1, 2], name="a<b"))
    texts = [each.text for each in ET.fromstring(picture).findall(f"{SPACE}text")]  # noqa: S314
    assert {"Memory & more", "question", "tokens", "a<b: peak 2"} <= {*texts}
