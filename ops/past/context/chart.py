"""Curves over one another as a small picture (SVG). Pure text."""

from collections.abc import Iterator, Sequence
from html import escape

from msgspec import Struct

_WIDTH, _HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 28, 84, 58
_COLOURS = ("#b3541e", "#2a6f97")
_MOST_POINTS = 1000
_MOST_TICKS = 6
_NICE = (1, 2, 5, 10)


class Curve(Struct, frozen=True, kw_only=True):
    """A name and the values at the places 1, 2, 3, ... of the horizontal axis."""

    name: str
    values: Sequence[int]


class Chart(Struct, frozen=True, kw_only=True):
    """One or two curves, what they are of, and the names of the axes."""

    title: str
    across: str
    up: str
    curves: Sequence[Curve]

    @property
    def places(self) -> int:
        """How many places the horizontal axis has."""
        return max((len(each.values) for each in self.curves), default=0)

    @property
    def high(self) -> int:
        """Where the vertical axis ends: the first tick that no value exceeds."""
        top = max((value for each in self.curves for value in each.values), default=0)
        step = _step(top)
        return max(step, step * -(-top // step))

    def x(self, place: int) -> float:
        """Return how far from the left *place* lies."""
        return _LEFT + (place - 1) / max(self.places - 1, 1) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: int) -> float:
        """Return how far from the top *value* lies."""
        return _HEIGHT - _BOTTOM - value / self.high * (_HEIGHT - _TOP - _BOTTOM)


def svg(chart: Chart) -> str:
    """Return *chart* as a picture, with ticks on both axes and the peak of each curve in a legend."""
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    letters = 'font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#33424f"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {letters}>',
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
            _text(_LEFT, 24, chart.title, 'font-size="15" font-weight="bold"'),
            *_axes(chart),
            *(line for number in range(len(chart.curves)) for line in _curve(chart, number)),
            "</svg>",
            "",
        ]
    )


def _axes(chart: Chart) -> Iterator[str]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    for value in range(0, chart.high + 1, _step(chart.high)):
        y = chart.y(value)
        colour = "#33424f" if value == 0 else "#d9e0e6"
        yield f'<path d="M{_LEFT} {y:.1f}H{right}" stroke="{colour}"/>'
        yield _text(_LEFT - 8, y + 4, f"{value:,}", 'text-anchor="end"')
    for place in range(0, chart.places + 1, _step(chart.places)):
        x = chart.x(max(place, 1))
        yield f'<path d="M{x:.1f} {bottom}v5" stroke="#33424f"/>'
        yield _text(x, bottom + 20, f"{max(place, 1):,}", 'text-anchor="middle"')
    yield _text((_LEFT + right) / 2, _HEIGHT - 14, chart.across, 'text-anchor="middle"')
    middle = (_TOP + bottom) / 2
    yield _text(20, middle, chart.up, f'text-anchor="middle" transform="rotate(-90 20 {middle})"')


def _curve(chart: Chart, number: int) -> Iterator[str]:
    curve, colour = chart.curves[number], _COLOURS[number]
    points = (f"{chart.x(place):.1f},{chart.y(value):.1f}" for place, value in _thinned(curve))
    style = f'fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"'
    yield f'<polyline points="{" ".join(points)}" {style}/>'
    y = 46 + 18 * number
    yield f'<path d="M{_LEFT} {y - 4}h26" stroke="{colour}" stroke-width="3"/>'
    peak = max(curve.values, default=0)
    yield _text(_LEFT + 34, y, f"{curve.name}: peak {peak:,}")


def _thinned(curve: Curve) -> Iterator[tuple[int, int]]:
    """Yield places and values, of very many the highest in each stretch."""
    stretch = -(-len(curve.values) // _MOST_POINTS) or 1
    for start in range(0, len(curve.values), stretch):
        places = range(start, min(start + stretch, len(curve.values)))
        place = max(places, key=lambda at: curve.values[at])
        yield place + 1, curve.values[place]


def _step(top: int) -> int:
    """Return the distance of ticks up to *top*: 1, 2 or 5 times a power of ten."""
    power = 1
    while True:
        for nice in _NICE:
            if nice * power * _MOST_TICKS >= top:
                return nice * power
        power *= 10


def _text(x: float, y: float, text: str, style: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'.replace(" >", ">")
