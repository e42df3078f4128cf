"""Output of any size and kind becomes a short text and a bounded artifact."""

from collections.abc import Callable

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tools.sandbox.output import CUT_CHARACTERS, WHOLE_CHARACTERS, Output
from tests.sandbox.conftest import Bench

FLOODS = {
    "lines": "import os\nfor _ in range(2000): os.write(1, b'0123456789\\n' * 9000)\nprint('last')",
    "one line": "import os\nfor _ in range(2000): os.write(1, b'x' * 100_000)\nprint('last')",
}


@pytest.mark.parametrize("kind", FLOODS)
async def test_a_flood_costs_no_memory_and_not_the_run(
    benches: Callable[[str], Bench], kind: str
) -> None:
    bench = benches("strongest")
    before = psutil.Process().memory_info().rss

    finished = await bench.run(FLOODS[kind], output_kb=64)

    assert finished.outcome == "ok"
    assert finished.tail.endswith("last\n")
    assert len(finished.head) == len(finished.tail) == CUT_CHARACTERS
    assert 64 * 1024 < len(bench.content(finished.output)) < 65 * 1024
    assert bench.content(finished.output).endswith(b"further bytes were dropped]\n")
    assert psutil.Process().memory_info().rss - before < 20_000_000


@given(st.lists(st.binary(max_size=20_000), max_size=5), st.integers(0, 30_000))
def test_whatever_is_printed_can_be_written_down(chunks: list[bytes], limit: int) -> None:
    output = Output(limit)
    for chunk in chunks:
        output.add(chunk)
    whole = b"".join(chunks)

    head, tail = output.excerpt
    for text in (head, tail, output.last_line):
        text.encode()
        assert "\0" not in text
    assert len(head) + len(tail) <= WHOLE_CHARACTERS
    assert output.size == len(whole)
    assert output.content[:limit] == whole[:limit]
    if len(whole) <= limit:
        assert output.content == whole


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_text_is_kept_whole_or_cut_in_the_middle(text: str) -> None:
    output = Output(0)
    for piece in (text, "é" * 100):
        output.add(piece.encode())
    assert output.excerpt == (text + "é" * 100, "")

    output.add(("€" * WHOLE_CHARACTERS).encode())
    head, tail = output.excerpt
    assert head == (text + "é" * 100 + "€" * WHOLE_CHARACTERS)[:CUT_CHARACTERS]
    assert tail == "€" * CUT_CHARACTERS
