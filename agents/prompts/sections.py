"""Markdown sections: how every prompt is laid out so that each part can be found again. Pure."""

import re

TASK = "# Task description"
EXTERNAL = "# External knowledge"
MEMORY = "# Memory"
PREVIEW = "# Data preview"
PREVIOUS = "# Previous solution"
OUTPUT = "# Execution output"
FIRST = "# First solution"
TRAJECTORIES = "# Trajectories"
BEST = "# Best solution"
INSTRUCTIONS = "# Instructions"

HEADINGS = (
    TASK,
    EXTERNAL,
    MEMORY,
    PREVIEW,
    PREVIOUS,
    OUTPUT,
    FIRST,
    TRAJECTORIES,
    BEST,
    INSTRUCTIONS,
)

_OUR_HEADING = re.compile(
    rf"^(?=(?:{'|'.join(re.escape(each) for each in HEADINGS)})[ \t]*$)", re.MULTILINE
)
_BACKTICKS = re.compile(r"`{3,}")


def section(heading: str, text: str) -> str:
    """Return *text* under *heading*, or nothing when there is no text."""
    return f"{heading}\n\n{text.strip()}\n" if text.strip() else ""


def quoted(text: str) -> str:
    """Return foreign *text* with lines that equal one of our headings set a level lower."""
    return _OUR_HEADING.sub("#", text)


def fenced(text: str, language: str = "") -> str:
    """Return *text* in a fence longer than any run of backticks inside it."""
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def joined(*sections: str) -> str:
    """Return the sections that say something, a blank line between them."""
    return "\n".join(each for each in sections if each)
