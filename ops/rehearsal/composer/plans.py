"""The plan of a research phase: the most promising single changes, sorted into directions. Pure."""

import json
import re
from collections.abc import Sequence

from ops.rehearsal.composer import recipe as designs
from ops.rehearsal.composer.composition import Asked, draw, tried
from ops.rehearsal.composer.families import families
from ops.rehearsal.composer.moves import Move, moves
from ops.rehearsal.composer.recipe import Recipe

_SIZE = re.compile(r"(\d+) directions\D+(\d+) suggestions")
_DEFAULT_SIZE = (3, 2)


def plan(asked: Asked, instructions: str) -> str:
    """Return a plan of the size that is asked for, as JSON; what was tried comes last."""
    found = _SIZE.search(instructions)
    directions, suggestions = map(int, found.groups()) if found else _DEFAULT_SIZE
    ideas = _ideas(asked)
    parted: dict[str, list[str]] = {}
    for direction, idea in ideas:
        parted.setdefault(direction, []).append(idea)
    spare = [idea for ideas in parted.values() for idea in ideas[suggestions:]]
    names = [*parted, *(f"further changes {n}" for n in range(1, directions + 1))][:directions]
    chosen = {name: parted.get(name, [])[:suggestions] for name in names}
    for texts in chosen.values():
        while len(texts) < suggestions:
            texts.append(spare.pop(0) if spare else _again(asked, len(texts)))
    numbered = {
        name: {str(n): text for n, text in enumerate(texts, 1)} for name, texts in chosen.items()
    }
    return f"{json.dumps(numbered, indent=1, ensure_ascii=False)}\n"


def _ideas(asked: Asked) -> Sequence[tuple[str, str]]:
    """Return changes with the direction that each belongs to, the most promising first."""
    recipe = designs.read(asked.code)
    if recipe is None:
        return [
            ("models", f"Fit {each.phrase}, since {each.why}.") for each in families(asked.facts)
        ]
    known = tried(asked)

    def promise(move: Move) -> tuple[bool, float]:
        phrase = move.phrase.lower()
        return phrase in known, -move.worth - 1.5 * draw(asked.digest, phrase)

    ranked = sorted(moves(recipe, asked.facts), key=promise)
    return [
        (_direction(move, recipe), f"{move.phrase[0].upper()}{move.phrase[1:]}, since {move.why}.")
        for move in ranked
    ]


def _direction(move: Move, recipe: Recipe) -> str:
    if move.after.steps != recipe.steps:
        return "features"
    if len(move.after.members) != len(recipe.members):
        return "models"
    return "training"


def _again(asked: Asked, number: int) -> str:
    rate = round(0.02 + 0.08 * draw(asked.digest, f"rate {number}"), 3)
    return f"Fit with the learning rate {rate} and as many more rounds, since larger changes are used up."
