"""The live view of a run: a picture that redraws itself on a terminal, plain lines elsewhere."""

from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, RenderableType
from rich.live import Live

from ops.view.lines import line, span
from ops.view.picture import elapsed, render
from ops.view.state import State, apply
from schemas.envelope import Recorded

_RECENT = 8
_REDRAWS_PER_SECOND = 4


def _now() -> datetime:
    return datetime.now(UTC)


class View:
    """What has been seen of a run, and how to show it."""

    def __init__(self, console: Console, now: Callable[[], datetime] = _now) -> None:
        self.state = State()
        self._console = console
        self._now = now
        self._recent: deque[tuple[datetime, str]] = deque(maxlen=_RECENT)

    def see(self, event: Recorded[Any]) -> str | None:
        """Take *event* in, and return the line that tells of it, if it is worth one."""
        text = line(self.state, event)
        self.state = apply(self.state, event)
        if text is None:
            return None
        self._recent.append((event.time, text))
        return f"{span(elapsed(self.state, event.time)):>7}  {text}"

    def __rich__(self) -> RenderableType:
        """Return the picture of this moment."""
        return render(self.state, list(self._recent), self._now(), self._console.width)


async def show(
    events: AsyncIterator[Recorded[Any]],
    *,
    console: Console | None = None,
    now: Callable[[], datetime] = _now,
) -> State:
    """Show *events* as they come, until there are no more; return what was seen of the run.

    A terminal shows one picture that redraws itself; anything else gets a plain line for each
    event that people care about.
    """
    console = console or Console()
    view = View(console, now)
    if console.is_terminal:
        with Live(view, console=console, refresh_per_second=_REDRAWS_PER_SECOND):
            async for event in events:
                view.see(event)
    else:
        async for event in events:
            if text := view.see(event):
                print(text, file=console.file, flush=True)
    return view.state
