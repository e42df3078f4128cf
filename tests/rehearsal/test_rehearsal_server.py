"""The OpenAI interface of the rehearsal model, through the real client."""

import json
import math
from typing import Any

import pytest
from openai import AsyncOpenAI, AuthenticationError

from ops.rehearsal.faults import KINDS, Faults
from ops.rehearsal.server import NO_CODE
from ops.rehearsal.speaker import OTHER
from ops.rehearsal.wire import DIMENSIONS, MODEL, embedding
from tests.rehearsal.conftest import Serving

REVIEW: dict[str, Any] = {
    "name": "submit_review",
    "parameters": {
        "type": "object",
        "properties": {
            "is_bug": {"type": "boolean"},
            "metric": {"type": ["number", "null"]},
            "lower_is_better": {"type": "boolean"},
            "summary": {"type": "string"},
        },
    },
}
ASKED: Any = [{"role": "user", "content": "Final validation score: 0.75, lower is better"}]


async def test_every_route_answers(serving: Serving) -> None:
    async with serving() as url, AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
        (model,) = (await client.models.list()).data
        assert "no-language-model" in model.id
        chat = await client.chat.completions.create(model=MODEL, messages=ASKED)
        assert chat.choices[0].message.content == OTHER
        assert chat.usage is not None
        assert chat.usage.total_tokens == chat.usage.prompt_tokens + chat.usage.completion_tokens
        text = await client.completions.create(model=MODEL, prompt=["Hello", "there"])
        assert text.choices[0].text == OTHER
        pieces = [
            chunk.choices[0].text
            async for chunk in await client.completions.create(
                model=MODEL, prompt="Hello", stream=True
            )
        ]
        assert "".join(pieces) == OTHER


async def test_a_forced_tool_is_called_with_what_the_prompt_says(serving: Serving) -> None:
    tools: Any = [{"type": "function", "function": REVIEW}]
    choice: Any = {"type": "function", "function": {"name": "submit_review"}}
    async with serving() as url, AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
        whole = await client.chat.completions.create(
            model=MODEL, messages=ASKED, tools=tools, tool_choice=choice
        )
        calls: Any = whole.choices[0].message.tool_calls
        filled = json.loads(calls[0].function.arguments)
        streamed = ""
        async for chunk in await client.chat.completions.create(
            model=MODEL, messages=ASKED, tools=tools, tool_choice="required", stream=True
        ):
            for call in chunk.choices[0].delta.tool_calls or ():
                streamed += (call.function and call.function.arguments) or ""
    assert json.loads(streamed) == filled
    assert (filled["is_bug"], filled["metric"], filled["lower_is_better"]) == (False, 0.75, True)
    assert filled["summary"]


async def test_embeddings_are_of_unit_length_and_alike_for_like_texts(serving: Serving) -> None:
    texts = ["tabular data, accuracy", "tabular data, log loss", "pictures of cactus", ""]
    async with serving() as url, AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
        packed = await client.embeddings.create(model=MODEL, input=texts)
        plain = await client.embeddings.create(model=MODEL, input=texts[0], encoding_format="float")
    vectors = [each.embedding for each in packed.data]
    assert [len(each) for each in vectors] == [DIMENSIONS] * 4
    for vector in vectors:
        assert math.hypot(*vector) == pytest.approx(1.0, abs=1e-5)
    near, far = (
        sum(a * b for a, b in zip(vectors[0], other, strict=True)) for other in vectors[1:3]
    )
    assert near > far
    assert plain.data[0].embedding == pytest.approx(vectors[0], abs=1e-6)
    assert embedding(texts[0]) == embedding(texts[0])


async def test_a_reply_without_code_and_a_refused_key_can_be_told(serving: Serving) -> None:
    async with (
        serving(Faults(no_code=1.0)) as url,
        AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client,
    ):
        chat = await client.chat.completions.create(model=MODEL, messages=ASKED)
    assert chat.choices[0].message.content == NO_CODE
    async with (
        serving(Faults(unauthorized=1.0)) as url,
        AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client,
    ):
        with pytest.raises(AuthenticationError):
            await client.chat.completions.create(model=MODEL, messages=ASKED)


def test_faults_are_drawn_in_their_shares_and_repeat() -> None:
    faults = Faults(seed=5, cut=0.25, empty=0.25)
    drawn = [faults.drawn(number) for number in range(2000)]
    assert drawn == [faults.drawn(number) for number in range(2000)]
    assert drawn.count("cut") == pytest.approx(500, abs=100)
    assert drawn.count("empty") == pytest.approx(500, abs=100)
    assert set(drawn) == {"cut", "empty", None}
    assert [Faults().drawn(number) for number in range(100)] == [None] * 100
    assert set(KINDS) < set(Faults.__struct_fields__)
