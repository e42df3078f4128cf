"""`flowstone why` from the inside: reads the run, and those whose wisdom it was given. Asks the log only."""

import difflib

from ops.errors import Problem
from ops.past.access import Records
from ops.past.why.grounds import Item, explain, recalled_runs
from ops.past.why.story import FOLLOWED, Story
from schemas.envelope import Vocabulary

_NEAR = 3


async def why(log: Records, run: str, node: str) -> Item:
    """Return what *node* of *run* rests on; raises Problem naming the nearest node."""
    story = await _story(log, run)
    if node not in story.nodes:
        near = difflib.get_close_matches(node, story.nodes, n=_NEAR, cutoff=0.4)
        meant = f"; did you mean {' or '.join(near)}?" if near else ""
        remedy = f"see them with `flowstone log {run} --type NodeProposed`"
        raise Problem(f"there is no node {node!r}{meant}", where=run, remedy=remedy)
    stories = {run: story}
    for earlier in recalled_runs(story, node):
        stories[earlier] = await _story(log, earlier)
    return explain(stories, run, node)


async def _story(log: Records, run: str) -> Story:
    story, types = Story(run=run), [each.__name__ for each in FOLLOWED]
    async for event in log.recorded(Vocabulary(), run=run, types=types):
        story.take(event)
    return story
