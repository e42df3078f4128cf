"""Composing: programs that compile, differ, follow what is shown, and run on real rows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ops.rehearsal.composer import recipe as designs
from ops.rehearsal.composer.assembly import pieces
from ops.rehearsal.composer.composition import BUGS, Asked, draft, improvement, repair
from ops.rehearsal.composer.facts import Column, Facts, read
from ops.rehearsal.composer.families import families, first
from ops.rehearsal.composer.moves import STEPS, moves
from ops.rehearsal.composer.notes import knowledge, wisdom
from ops.rehearsal.composer.recipe import Recipe, program
from ops.rehearsal.speaker import Speaker
from tests.prompts.prepared import PREVIEW

FACTS = read(PREVIEW)
VALUES = replace(FACTS, metric="rmsle", needs="numbers", lower_is_better=True, label="", classes=())
TEXTS = Facts(
    metric="log-loss",
    lower_is_better=True,
    needs="probabilities",
    targets=("EAP", "MWS"),
    label="author",
    columns=(Column(name="text", type="text"), Column(name="author", type="categorical")),
    train_only=("author",),
)
PICTURES = replace(FACTS, columns=(Column(name="pixel0", type="numeric", count=64),), rows=300)
MIXED = replace(FACTS, columns=(*FACTS.columns, Column(name="why", type="text")))
ALL = {"classes": FACTS, "values": VALUES, "texts": TEXTS, "pictures": PICTURES, "mixed": MIXED}


@pytest.mark.parametrize("name", ALL)
def test_every_design_within_a_change_reads_back_and_compiles(name: str) -> None:
    facts = ALL[name]
    programs = set[str]()
    for family in families(facts):
        start = first(family, facts)
        for recipe in (start, *(move.after for move in moves(start, facts))):
            code = program(recipe, facts)
            assert designs.read(code) == recipe
            if code not in programs:
                compile(code, "solution.py", "exec", dont_inherit=True)
            programs.add(code)
    assert len(programs) > 20


def test_drafts_differ_from_the_memory_and_from_one_another() -> None:
    memory, ideas = "", list[str]()
    for _ in families(FACTS):
        made = draft(Asked(facts=FACTS, memory=memory, digest=b"1"), {})
        ideas.append(made.idea)
        memory += f"\nPlan: {made.plan}"
    assert len(set(ideas)) == len(families(FACTS))
    at_once = dict[str, int]()
    for _ in range(3):
        made = draft(Asked(facts=FACTS, digest=b"1"), at_once)
        at_once[made.idea] = at_once.get(made.idea, 0) + 1
    assert set(at_once.values()) == {1}


def test_wisdom_decides_what_is_drafted_first() -> None:
    praised = "## MODEL SUMMARY\nExtremely randomised trees came first."
    for digest in (b"1", b"2", b"3"):
        made = draft(Asked(facts=FACTS, wisdom=praised, digest=digest), {})
        assert made.idea == "extremely randomised trees"


def test_an_improvement_changes_one_thing_and_repeats_none() -> None:
    start = first(families(FACTS)[0], FACTS)
    code, memory, seen = program(start, FACTS), "", set[str]()
    for _ in range(12):
        made = improvement(Asked(facts=FACTS, code=code, memory=memory, digest=b"7"), {})
        assert made.plan.startswith("Change one thing:")
        after = designs.read(made.code)
        assert after is not None
        changed = [n for n in Recipe.__struct_fields__ if getattr(after, n) != getattr(start, n)]
        assert len(changed) == 1
        assert made.idea not in seen
        seen.add(made.idea)
        memory += f"\n{made.plan}"


def test_what_knowledge_promises_is_tried_and_dead_ends_are_not() -> None:
    start = program(first(families(FACTS)[0], FACTS), FACTS)
    known = "## Promising directions\n- use five folds: 0.7 -> 0.8\n## Dead ends\n- blend with a random forest"
    for digest in (bytes([n]) for n in range(8)):
        made = improvement(Asked(facts=FACTS, code=start, memory=known, digest=digest), {})
        assert made.idea != "blend with a random forest"
    summary = (
        f"## Execution summary\n- n3: use five folds: 0.8\n{known}\n- use five folds: 0.8 -> 0.8"
    )
    chosen = {
        improvement(Asked(facts=FACTS, code=start, memory=summary, digest=bytes([n])), {}).idea
        for n in range(20)
    }
    assert "use five folds" in chosen
    focused = Asked(facts=FACTS, code=start, memory=known, focus="use five folds", digest=b"0")
    assert improvement(focused, {}).idea == "use five folds"


@pytest.mark.parametrize("bug", BUGS)
def test_a_repair_names_the_error_and_removes_the_mistake(bug: tuple[str, str]) -> None:
    right = program(first(families(FACTS)[0], FACTS), FACTS)
    assert bug[0] in right
    output = "Traceback (most recent call last):\n  in solve\nKeyError: 'training'"
    asked = Asked(facts=FACTS, code=right.replace(*bug, 1), output=output)
    made = repair(asked, {})
    assert made.code == right
    assert "KeyError: 'training'" in made.plan


def test_a_repair_of_what_is_sound_makes_the_design_lighter() -> None:
    heavy = Recipe(members=tuple(each.member for each in families(FACTS)), steps=("ratios", "gaps"))
    code = program(heavy, FACTS)
    slower = repair(Asked(facts=FACTS, code=code, output="TimeoutError: time limit"), {})
    lighter = designs.read(slower.code)
    assert lighter is not None
    assert len(lighter.members) == 1
    traceback = '  File "s.py", line 3, in ratios\nValueError: no'
    without = designs.read(repair(Asked(facts=FACTS, code=code, output=traceback), {}).code)
    assert without is not None
    assert without.steps == ("gaps",)


def test_some_drafts_fail_so_that_repairs_are_rehearsed() -> None:
    broken = 0
    for number in range(120):
        made = draft(Asked(facts=FACTS, digest=number.to_bytes(2)), {})
        recipe = designs.read(made.code)
        assert recipe is not None
        broken += made.code != program(recipe, FACTS)
    assert 8 <= broken <= 36


def test_what_is_known_only_after_the_outcome_is_left_out() -> None:
    leak = Column(name="giver_username_if_known", type="categorical")
    facts = replace(FACTS, columns=(*FACTS.columns, leak))
    made = draft(Asked(facts=facts, digest=b"1"), {})
    assert "giver_username_if_known" in made.plan
    assert re.search(r"'left out': \['giver_username_if_known'", made.code)


def test_notes_compare_solutions_with_their_parents() -> None:
    told = (
        "## n1 (draft)\nPlan: Fit LightGBM: why. More.\nValidation score: 0.7\n\n"
        "## n2 (improve of n1)\nPlan: Change one thing: use five folds, since x.\n"
        "Validation score: 0.8\n\n"
        "## n3 (improve of n1)\nPlan: Change one thing: add gaps, since x.\n"
        "Validation score: 0.6\n\n## n4 (draft)\nPlan: Fit forests: why.\nIt failed; again."
    )
    notes = knowledge(told, "")
    promising, dead = notes.split("## Promising directions")[1].split("## Dead ends")
    assert "use five folds: 0.7 -> 0.8 (n2)" in promising
    assert "add gaps: 0.7 -> 0.6 (n3)" in dead
    assert "forests" in dead
    best = program(first(families(FACTS)[0], FACTS), FACTS)
    written = wisdom(FACTS, told, best)
    assert written.index("DATA SUMMARY") < written.index("MODEL SUMMARY")
    assert "LightGBM (n_estimators=150)" in written
    assert written.index("n2: use five folds: 0.8") < written.index("n1: LightGBM: 0.7")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["system", "user"]), st.text())))
def test_any_messages_have_a_reply(messages: list[tuple[str, str]]) -> None:
    assert Speaker().reply(messages)


def test_the_server_side_loads_no_numerical_library() -> None:
    code = (
        "import sys, ops.rehearsal.server; print(*{'pandas', 'sklearn', 'numpy'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    assert done.stdout.strip() == ""


def test_every_step_and_model_named_is_a_piece() -> None:
    named = {step.name for step in STEPS}
    for facts in ALL.values():
        for family in families(facts):
            named |= {family.member.view, family.member.model, *first(family, facts).steps}
    assert named <= pieces().keys()
