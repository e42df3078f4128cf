"""MLE-bench's own verdicts on good and malformed submissions are ours."""

import json
from pathlib import Path

import pytest

from agents.tools.grading.service import final

COMPETITIONS = [
    "nomad2018-predict-transparent-conductors",
    "random-acts-of-pizza",
    "spaceship-titanic",
    "spooky-author-identification",
]


@pytest.mark.parametrize("competition", COMPETITIONS)
def test_agrees_with_mle_bench(shared_data: Path, competition: str) -> None:
    folder = shared_data / competition
    cases = json.loads((folder / "oracle" / "cases.json").read_text())
    assert len(cases) >= 12
    for case in cases:
        graded = final(folder / case["file"], folder)
        ours = (graded.valid, graded.score, graded.medal, graded.above_median or False)
        theirs = (case["valid_submission"], case["score"], case["medal"], case["above_median"])
        assert ours == theirs, case["file"]
        assert graded.valid or case["file"].split("/")[1] in graded.message
