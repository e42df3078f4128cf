"""The grounds of a solution as lines of a page. Pure, no I/O."""

from collections.abc import Iterator

from ops.past.why.grounds import Item

WIDTH = 80
_INDENT = "  "


def lines(item: Item, width: int = WIDTH) -> Iterator[str]:
    """Yield a line for *item* and for all that it rests on, each within *width* columns."""
    waiting = [(item, "")]
    while waiting:
        each, indent = waiting.pop()
        yield _line(each, indent, width)
        waiting += [(below, indent + _INDENT) for below in reversed(each.rests_on)]


def _line(item: Item, indent: str, width: int) -> str:
    after = " (above)" if item.again else ""
    after += f", {item.tokens} tokens" if item.tokens is not None else ""
    after += f" [{item.event}]" if item.event is not None else ""
    text = " ".join(item.text.split())
    room = max(1, width - len(indent) - len(after))
    return f"{indent}{text if len(text) <= room else f'{text[: room - 1]}…'}{after}"
