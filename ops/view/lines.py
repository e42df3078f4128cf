"""One plain line for each event that people care about, and how times and scores read. Pure."""

from typing import Any

from ops.view.state import State
from schemas import events as said
from schemas.envelope import Recorded

_LONGEST_WHY = 100


def line(state: State, event: Recorded[Any]) -> str | None:
    """Return the line that tells people of *event*, which happens in *state*; None for most."""
    match event.data:
        case said.TaskPrepared() as prepared:
            return _prepared(prepared)
        case said.TaskRefused(why=why):
            return f"task refused: {_short(why)}"
        case said.NodeProposed(node=node, action=action, parent=parent):
            return f"{node} proposed: {action}{f' {parent}' if parent else ''}"
        case said.CodingFailed(node=node, why=why):
            return f"{node} has no program: {_short(why)}"
        case said.SolutionGraded() as graded:
            return _graded(state, graded)
        case said.PhaseClosed(phase=phase, why=why, nodes=nodes):
            return f"phase {phase} closed: {why}, {counted(len(nodes), 'node')}"
        case said.ModelAnswered(outcome="failed", role=role, why=why):
            return f"the model gave {role} no answer: {_short(why)}"
        case _:
            return _of_the_run(state, event.data)


def span(seconds: float) -> str:
    """Return a duration as 0:07, 12:30 or 3:05:00."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def score(metric: float) -> str:
    """Return a metric in five significant digits."""
    return f"{metric:.5g}"


def counted(number: int, word: str) -> str:
    """Return 1 node, 2 nodes."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _of_the_run(state: State, event: Any) -> str | None:
    match event:
        case said.RunPaused():
            return "paused: no new nodes until it is resumed"
        case said.RunResumed(minutes=minutes):
            return f"resumed{f', {minutes:g} more minutes' if minutes else ''}"
        case said.GuidanceGiven(text=text):
            return f"guidance: {_short(text)}"
        case said.WorkAbandoned() as abandoned:
            return f"{abandoned.role} gave up {abandoned.about}: {_short(abandoned.why)}"
        case said.ActorStopped(role=role, why=why) if not state.finished:
            return f"{role} stopped: {_short(why)}"
        case said.ActorStarted(role=role) if state.has_stopped(role):
            return f"{role} started again"
        case _:
            return _of_its_end(event)


def _of_its_end(event: Any) -> str | None:
    match event:
        case said.SearchTimeUp():
            return "time for searching is up"
        case said.SearchClosed(why=why, steps=steps):
            return f"search over: {_short(why)}; closing: {', '.join(steps)}"
        case said.ClosingStepDone(step=step, why=why) if why:
            return f"{step} has nothing to do: {_short(why)}"
        case said.TimeUp():
            return "time is up"
        case said.RunStopped(why=why):
            return f"stopping: {_short(why)}"
        case said.RunFinished() as finished:
            return _finished(finished)
        case _:
            return None


def _prepared(prepared: said.TaskPrepared) -> str:
    task = prepared.task
    direction = "lower" if task.lower_is_better else "higher"
    how = (
        f"scored on {prepared.heldout_rows} rows set aside"
        if prepared.evaluation == "held-out"
        else "scored as solutions report"
    )
    return f"task prepared: {task.title}, {task.metric}, {direction} is better, {how}"


def _graded(state: State, graded: said.SolutionGraded) -> str:
    if graded.metric is None or graded.buggy or not graded.valid:
        return f"{graded.node} failed: {_short(graded.analysis)}"
    text = f"{graded.node} scored {score(graded.metric)}"
    if state.is_record(graded.node, graded.metric):
        text += ", the best so far"
    above = state.above(graded.node)
    if above is None or above.metric is None:
        return text
    delta = abs(graded.metric - above.metric)
    if not delta:
        return f"{text}, the same as {above.name}"
    word = "better" if state.improves(graded.metric, above.metric) else "worse"
    return f"{text}, {delta:.3g} {word} than {above.name}"


def _finished(finished: said.RunFinished) -> str:
    made = f"{counted(finished.nodes, 'node')}, {finished.buggy} of them buggy"
    if finished.best is None or finished.metric is None:
        return f"finished without a valid submission: {_short(finished.why)}; {made}"
    best = f"best is {finished.best} with {score(finished.metric)}"
    return f"finished: {_short(finished.why)}; {best}; {made}"


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST_WHY else f"{words[: _LONGEST_WHY - 1]}…"
