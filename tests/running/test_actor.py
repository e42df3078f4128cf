"""What one actor process does at once."""

import pytest

from ops.actors.process import places_of
from schemas.settings import Coder, Executor, Settings

SETTINGS = Settings(coder=Coder(calls=9), executor=Executor(slots=3))


@pytest.mark.parametrize(
    ("role", "places"), [("coder", 9), ("executor", 3), ("grader", 4), ("somebody-else", 4)]
)
def test_a_process_has_the_places_that_its_settings_say(role: str, places: int) -> None:
    assert places_of(role, SETTINGS) == places


def test_a_coder_may_ask_for_every_node_that_the_defaults_keep_in_flight() -> None:
    default = Settings()
    in_flight = default.executor.slots * default.search.max_lookahead
    assert places_of("coder", default) >= in_flight
