"""Other seeds: every seed moves, and nothing else of the program does."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.closing.reseed import LARGEST, reseeded

SEEDED = [
    "model = Forest(trees={n}, random_state={s})",
    "split(rows, {n}, random_state={s}, shuffle=True)  # seed=1, random_state=2",
    "SEED = {s}",
    "SEED: int = {s}  # größer, 种子",
    "RANDOM_STATE = random_seed = {s}",
    "self.seed = {s}",
    "params['bagging_seed'] = {s}",
    "params = {{'seed': {s}, 'depth': {n}, 'näher': {n}}}",
    "np.random.seed({s})",
    "torch.manual_seed({s}); torch.cuda.manual_seed_all({s})",
    "seed_everything({s})",
    "generator = np.random.default_rng({s})",
    "def fit(rows, depth={n}, seed={s}, *, folds={n}, random_state={s}):\n    return {n}",
    "def fit(rows, depth, /, *, seed, random_state={s}): ...",
    "fit = lambda seed={s}: seed + {n}",
    "for seed in [{s}, {s}]:\n    run(seed, {n})",
    "SEEDS = ({s}, {s})",
    "scores = [run(seed) for seed in ({s},)]",
]
OTHER = [
    "n_seeds = {n}",
    "SEEDS = {n}",
    "seeds = range({n})",
    "seed = None",
    "seed = True",
    "seed = base + {n}",
    "fit(n_seed={n}, num_seeds={n}, reseeding={n})",
    "rows = table.iloc[{n}:{n}]",
    "text = f'{{fit(seed={n})}} näher'",
    "text = 'seed={n}'",
    "fit(seed={n}.5)",
    "fit(seed=-{n})",
]


@st.composite
def programs(draw: st.DrawFn) -> tuple[str, str, int]:
    """Return a program, the same with its seeds moved, and by how much."""
    by = draw(st.integers(0, 10_000))
    before, after = [], []
    for template in draw(st.lists(st.sampled_from([*SEEDED, *OTHER]), max_size=8)):
        seed, number = draw(st.integers(0, 10_000)), draw(st.integers(0, 99))
        before.append(template.format(s=seed, n=number))
        after.append(template.format(s=seed + by, n=number))
    newline = draw(st.sampled_from(["\n", "\r\n", "\n\n\f"]))
    return newline.join(before), newline.join(after), by


@given(programs())
def test_seeds_move_and_nothing_else_does(drawn: tuple[str, str, int]) -> None:
    before, after, by = drawn
    assert reseeded(before, by) == after
    ast.parse(after)


@given(st.text(), st.integers(0, 100))
def test_whatever_it_is_given_it_gives_something_back(text: str, by: int) -> None:
    assert isinstance(reseeded(text, by), str)


@pytest.mark.parametrize("code", ["seed = 1 +", "seed = 1\0", "\ud800"])
def test_what_is_no_python_stays_as_it_is(code: str) -> None:
    assert reseeded(code, 1) == code


def test_a_seed_stays_one_that_every_library_takes() -> None:
    assert reseeded(f"seed = {LARGEST - 1}", 1) == "seed = 0"
    assert reseeded("seed = 0x2A; seed = 1_000", 1) == "seed = 43; seed = 1001"
