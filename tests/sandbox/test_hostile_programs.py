"""Whatever a program does, it ends as the right outcome and the next one is none the worse."""

from collections.abc import Callable

import psutil
import pytest

from tests.sandbox.conftest import Bench
from tests.sandbox.hostile import PROGRAMS

NEEDS_OWN_USER = {"thread flood"}
"""Where the user is not the sandbox's own, the kernel cannot count its threads."""


def descendants() -> set[int]:
    return {each.pid for each in psutil.Process().children(recursive=True)}


@pytest.mark.parametrize("mode", ["strongest", "bare"])
@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_hostile_program(benches: Callable[[str], Bench], mode: str, name: str) -> None:
    bench, program = benches(mode), PROGRAMS[name]
    if name in NEEDS_OWN_USER and bench.held.uid is None and not bench.held.user_namespace:
        pytest.skip("needs a user of the sandbox's own")
    before = descendants()

    finished = await bench.run(program.code, **program.limits)

    assert finished.outcome in program.outcome.split(" or "), finished
    assert program.says in finished.why + finished.head + finished.tail, finished
    assert descendants() <= before
    assert bench.leftovers == []
    assert (await bench.run("print('next')")).head == "next\n"
