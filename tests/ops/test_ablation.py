"""The table of runs with and without each tier of the memory."""

from ops.bench import ablating
from ops.bench.ablating import Ended


def ended(condition: str, seed: int, private: float | None) -> Ended:
    return Ended(
        task="../data/small",
        condition=condition,
        seed=seed,
        validation=0.5,
        private=private,
        sound=3 + seed,
    )


def test_a_row_has_mean_and_spread_over_the_seeds() -> None:
    runs = [
        ended("all tiers", 1, 0.5),
        ended("all tiers", 2, 0.7),
        ended("no wisdom (L3)", 1, None),
    ]
    _, *rows = ablating.table(runs)
    assert rows == [
        ["small", "all tiers", "0.5 ± 0", "0.6 ± 0.14", "4.5 ± 0.71"],
        ["small", "no wisdom (L3)", "0.5", "none", "4"],
    ]
