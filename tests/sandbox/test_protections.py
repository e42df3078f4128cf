"""The sandbox gives up protections one by one, and says which hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tools.sandbox import Protections, SandboxError

STEPS = ("user", "network", "namespaces", "uid", "capabilities", "landlock", "start")


@given(st.builds(Protections), st.lists(st.sampled_from(STEPS), min_size=20))
def test_giving_up_comes_to_an_end(held: Protections, failures: list[str]) -> None:
    for failed in failures:
        try:
            fewer = held.without(failed)
        except SandboxError as error:
            assert failed in str(error)  # noqa: PT017 - when it comes is free, what it says is not
            return
        assert set(fewer.names) - {"no TCP"} <= set(held.names)
        held = fewer
    with pytest.raises(SandboxError, match="no solution can be started"):
        Protections().without("start")


def test_what_failed_is_no_longer_claimed() -> None:
    full = Protections(namespaces=True, network=True, uid=1, powerless=True, landlock=6)

    assert {"own processes", "own files", "no network", "own user"} <= set(full.names)
    assert "no network" not in full.without("network").names
    assert "no TCP" in full.without("network").names
    assert "own files" not in full.without("namespaces").names
    assert "own user" not in full.without("uid").names
    assert "landlock 6" not in full.without("landlock").names
    assert "no capabilities" not in full.without("capabilities").names
    assert Protections().names == (
        "no new privileges",
        "resource limits",
        "watched memory, processes and disk",
    )
