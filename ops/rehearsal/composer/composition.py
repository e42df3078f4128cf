"""Choosing what to write: a first design, one change to a design, or a repair. Pure.

What the memory shows is not tried again; what wisdom and knowledge praise comes first. Draws come
from the prompt's digest. `given` counts what was composed before, since several requests
may come before the memory shows the first of them.
"""

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from ops.rehearsal.composer import recipe as designs
from ops.rehearsal.composer.facts import Facts
from ops.rehearsal.composer.families import Family, families, first
from ops.rehearsal.composer.moves import Move, moves
from ops.rehearsal.composer.recipe import Recipe, program

DRAFTS_PER_BUG = 6
IMPROVEMENTS_PER_BUG = 12
SHORT_LIMIT = 60.0
_BLEND = "blend with"

_KNOWLEDGE = re.compile(
    r"^## (?:execution summary|promising directions|dead ends).*?(?=^## (?:n\d|what phase)|\Z)",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)
_DEAD = re.compile(r"^- ([^\n:]+)", re.MULTILINE)
_PROMISING = re.compile(
    r"promising directions\W*\n(.*?)(?=\n#|\ndead ends|\Z)", re.IGNORECASE | re.DOTALL
)

BUGS = (
    ("import numpy as np\n", ""),
    ('Path("input")', 'Path("inputs")'),
    ('read_table(task["train"])', 'read_table(task["training"])'),
    ("matrices[view][rows:]", "matrices[view][rows + 1 :]"),
    ("submission/submission.csv", "submission.csv"),
)
"""Mistakes that people make: what the program should say, and what it says instead."""

CAUSES = {
    "NameError": "a module is used that the program never imports",
    "FileNotFoundError": "the data lies in ./input, and the program looks elsewhere",
    "KeyError": "the program asks for a name that is not there",
    "IndexError": "the predictions are one row short of the test file",
    "MemoryError": "the matrices are too large, so the design has to become lighter",
    "TimeoutError": "the program takes too long, so the design has to become lighter",
    "ModuleNotFoundError": "a library is used that is not installed",
}
_ERROR = re.compile(r"^(?:\w+\.)*(\w*(?:Error|Exception|Interrupt))\b:?[^\n]*$", re.MULTILINE)
_TOO_MUCH = re.compile(r"MemoryError|TimeoutError|timed? ?out|time limit|memory|[Kk]illed")


class Asked(Struct, frozen=True, kw_only=True):
    """What the composer goes by."""

    facts: Facts
    memory: str = ""
    wisdom: str = ""
    focus: str = ""
    code: str = ""
    output: str = ""
    limit_seconds: float = 600.0
    digest: bytes = b""


class Composed(Struct, frozen=True, kw_only=True):
    """A plan, its program, and the words that name the idea."""

    idea: str
    plan: str
    code: str


def draft(asked: Asked, given: Mapping[str, int]) -> Composed:
    """Return a first solution around a family that was not tried yet."""
    promising = _promising(asked)
    known = tried(asked)
    praised = f"{asked.wisdom}\n{promising}\n{asked.focus}".lower()

    def order(placed: tuple[int, Family]) -> tuple[bool, float, int, float]:
        place, family = placed
        phrase = family.phrase.lower()
        position = praised.find(phrase)
        return (
            phrase in known,
            given.get(family.phrase, 0),
            position if position >= 0 else len(praised) + 1,
            place + 1.5 * draw(asked.digest, family.phrase),
        )

    _, family = min(enumerate(families(asked.facts)), key=order)
    recipe = first(family, asked.facts)
    if order((0, family))[0]:  # every family was tried: vary the features instead
        recipe = _varied(recipe, asked)
    sentences = [
        f"Fit {family.phrase}: {family.why}.",
        *_described(recipe, asked.facts),
        *_cautions(asked.facts),
    ]
    code = _with_bug(program(recipe, asked.facts), asked.digest, DRAFTS_PER_BUG)
    return Composed(idea=family.phrase, plan=" ".join(sentences), code=code)


def improvement(asked: Asked, given: Mapping[str, int], *, blend: bool = False) -> Composed:
    """Return the solution shown with one thing changed; *blend* prefers to add a model."""
    recipe = designs.read(asked.code)
    if recipe is None:
        foreign = draft(asked, given)
        plan = f"The program shown was not composed here, so this one starts anew. {foreign.plan}"
        return Composed(idea=foreign.idea, plan=plan, code=foreign.code)
    known = tried(asked)
    fresh = [
        move
        for move in moves(recipe, asked.facts)
        if move.phrase.lower() not in known and _light_enough(move.after, asked)
    ]
    praised = f"{_promising(asked)}\n{asked.wisdom}".lower()

    def worth(move: Move) -> float:
        phrase = move.phrase.lower()
        return (
            move.worth
            + 2.0 * (phrase in praised)
            + 4.0 * (phrase in asked.focus.lower())
            + 3.0 * (blend and phrase.startswith(_BLEND))
            - 2.0 * given.get(move.phrase, 0)
            + 1.5 * draw(asked.digest, phrase)
        )

    move = max(fresh, key=worth) if fresh else _jittered(recipe, asked)
    sentences = [
        f"Change one thing: {move.phrase}, since {move.why}.",
        *_described(move.after, asked.facts),
    ]
    code = _with_bug(program(move.after, asked.facts), asked.digest, IMPROVEMENTS_PER_BUG)
    return Composed(idea=move.phrase, plan=" ".join(sentences), code=code)


def repair(asked: Asked, given: Mapping[str, int]) -> Composed:
    """Return the solution shown without what made it fail."""
    recipe = designs.read(asked.code)
    errors = list(_ERROR.finditer(asked.output))
    said = errors[-1][0].strip()[:160] if errors else "no valid submission"
    cause = CAUSES.get(errors[-1][1], "") if errors else "the submission is not where it belongs"
    if recipe is None:
        foreign = draft(asked, given)
        plan = (
            f"The run ended with: {said}. The program shown was not composed here, so a sound one"
            f" takes its place. {foreign.plan}"
        )
        return Composed(idea=f"repair {said}", plan=plan, code=foreign.code)
    mended = recipe
    same = program(recipe, asked.facts).strip() == asked.code.strip()
    if same or _TOO_MUCH.search(asked.output):
        mended = _safer(recipe, asked)
    sentences = [
        f"The run ended with: {said}.",
        f"The cause: {cause}." if cause else "The step that failed is left out.",
        "The method stays the same." if mended == recipe else "The design becomes simpler.",
        *_described(mended, asked.facts),
    ]
    code = program(mended, asked.facts)
    return Composed(idea=f"repair {said}", plan=" ".join(sentences), code=code)


def _safer(recipe: Recipe, asked: Asked) -> Recipe:
    """Return *recipe* without the step or model that the output names, or else a lighter one."""
    output = asked.output
    if not _TOO_MUCH.search(output):
        steps = tuple(step for step in recipe.steps if f"in {step}" not in output)
        if steps != recipe.steps:
            return replace(recipe, steps=steps)
        members = tuple(each for each in recipe.members if f"in {each.model}" not in output)
        if members and members != recipe.members:
            return replace(recipe, members=members)
    if len(recipe.members) > 1:
        return replace(recipe, members=recipe.members[:1], geometric=False)
    plain = first(families(asked.facts)[0], asked.facts)
    light = replace(plain, folds=2)
    return plain if plain != recipe and not _TOO_MUCH.search(output) else light


def _varied(recipe: Recipe, asked: Asked) -> Recipe:
    chosen = sorted(moves(recipe, asked.facts), key=lambda move: draw(asked.digest, move.phrase))
    return chosen[0].after if chosen else recipe


def _jittered(recipe: Recipe, asked: Asked) -> Move:
    """Return a change of settings drawn from the digest, for when all else was tried."""
    place = int(draw(asked.digest, "member") * len(recipe.members))
    member = recipe.members[place]
    drawn = draw(asked.digest, "setting")
    settings: dict[str, float | int | str] = {}
    if member.model.startswith(("lightgbm", "boosting")):
        settings = {"learning_rate": round(0.02 + 0.08 * drawn, 3)}
    elif member.model.startswith(("forest", "extra")):
        settings = {"min_samples_leaf": 1 + int(8 * drawn)}
    elif member.model.startswith(("logistic", "kernel")):
        settings = {"C": round(10 ** (3 * drawn - 1.5), 3)}
    elif member.model.startswith(("bayes", "ridge")):
        settings = {"alpha": round(10 ** (3 * drawn - 3), 4)}
    elif member.model.startswith("neighbours"):
        settings = {"n_neighbors": 2 + int(20 * drawn)}
    words = " and ".join(f"{key} {value}" for key, value in settings.items()) or "the same again"
    changed = replace(member, settings=member.settings | settings)
    members = (*recipe.members[:place], changed, *recipe.members[place + 1 :])
    return Move(
        phrase=f"try {words} in {member.model.replace('_', ' ')}",
        why="every larger change was tried already",
        after=replace(recipe, members=members),
        worth=0.0,
    )


def _described(recipe: Recipe, facts: Facts) -> Iterable[str]:
    models = ", ".join(each.model.replace("_", " ") for each in recipe.members)
    steps = ", ".join(each.replace("_", " ") for each in recipe.steps) or "the plain columns"
    several = " blended" if len(recipe.members) > 1 else ""
    yield f"The design: {models}{several} on {steps}."
    yield (
        f"Validate with {recipe.folds}-fold cross-validation by {facts.metric or 'the metric'},"
        " and average the models of the folds on the test rows."
    )


def _cautions(facts: Facts) -> Iterable[str]:
    suspicious = [c.name for c in facts.columns if designs.SUSPICIOUS.search(c.name)]
    if suspicious:
        yield f"Left out, since they are known only after the outcome: {', '.join(suspicious)}."


def _light_enough(recipe: Recipe, asked: Asked) -> bool:
    if asked.limit_seconds >= SHORT_LIMIT:
        return True
    return recipe.folds <= 3 and len(recipe.members) <= 2  # noqa: PLR2004 - what a minute allows


def _promising(asked: Asked) -> str:
    return "\n".join(_PROMISING.findall(asked.memory))


def tried(asked: Asked) -> str:
    """Return what the memory shows of this node's siblings, and the dead ends without a success."""
    promising = _promising(asked).lower()
    knowledge = "\n".join(_KNOWLEDGE.findall(asked.memory)).lower()
    dead = [
        phrase
        for part in knowledge.split("## dead ends")[1:]
        for phrase in _DEAD.findall(part.partition("\n## ")[0])
        if phrase not in promising
    ]
    return "\n".join([_KNOWLEDGE.sub("", asked.memory).lower(), *dead])


def _with_bug(code: str, digest: bytes, share: int) -> str:
    """Return *code*, with a mistake in one of *share* cases, so that repairing is rehearsed too."""
    if draw(digest, "bug") * share >= 1:
        return code
    fitting = [(right, wrong) for right, wrong in BUGS if right in code]
    right, wrong = fitting[int(draw(digest, "which") * len(fitting))]
    return code.replace(right, wrong, 1)


def draw(digest: bytes, what: str) -> float:
    """Return a number in [0, 1) that depends on the prompt and on *what* it is drawn for."""
    mixed = sha256(digest + what.encode("utf-8", "replace")).digest()
    return int.from_bytes(mixed[:6]) / 2.0**48
