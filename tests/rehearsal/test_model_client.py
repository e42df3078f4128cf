"""The real client against the real server, well and badly behaved."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import anyio
import msgspec
import pytest
from anyio.abc import SocketAttribute, SocketStream

from agents.tools.model import LONGEST_WAIT, OpenAIModel, retry_after, wait_seconds
from ops.rehearsal.faults import KINDS, Faults
from ops.rehearsal.speaker import OTHER
from ops.rehearsal.wire import MODEL
from schemas.envelope import wrap
from schemas.events import ModelAnswered, ModelAsked
from schemas.settings import Template
from tests.rehearsal.conftest import Serving, question

KEY = "sk-secret-1234567890"


async def answered(url: str, asked: ModelAsked) -> ModelAnswered:
    """Ask once with a client of its own."""
    model = OpenAIModel(base_url=url, api_key=KEY)
    try:
        answer = await model.complete(asked)
    finally:
        await model.close()
    assert KEY not in msgspec.json.encode(answer).decode()
    wrap(answer, run="run", source="test", time=datetime.now(UTC), cause=None)
    return answer


@asynccontextmanager
async def replying(*bodies: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Run a server that answers each connection with the next of these bytes, the last for ever."""
    requests = list[bytes]()

    async def handle(stream: SocketStream) -> None:
        async with stream:
            requests.append(await stream.receive())
            await stream.send(bodies[min(len(requests), len(bodies)) - 1])

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - no Django here
        async with anyio.create_task_group() as group:
            group.start_soon(listener.serve, handle)
            yield f"http://127.0.0.1:{port}/v1", requests
            group.cancel_scope.cancel()


def http(status: str, body: str, kind: str = "application/json", more: str = "") -> bytes:
    """Return a whole HTTP answer."""
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body.encode())}\r\n"
    return f"{head}{more}connection: close\r\n\r\n{body}".encode()


WHOLE = http(
    "200 OK",
    '{"id":"1","object":"chat.completion","created":0,"model":"m","choices":[{"index":0,'
    '"finish_reason":"stop","message":{"role":"assistant","content":"hi"}}]}',
)


async def test_an_answer_is_streamed_counted_and_priced(serving: Serving) -> None:
    async with serving() as url:
        asked = question("Hello " * 100, usd_per_million_input=1.0, usd_per_million_output=2.0)
        answer = await answered(url, asked)
    assert (answer.outcome, answer.reply, answer.model) == ("answered", OTHER, MODEL)
    assert answer.input_tokens == 150
    assert answer.output_tokens == -(-len(OTHER) // 4)
    assert answer.usd == pytest.approx((150 + 2 * answer.output_tokens) / 1e6)
    assert answer.tries == 1
    assert answer.key == asked.key


async def test_lone_surrogates_do_no_harm(serving: Serving) -> None:
    async with serving() as url:
        assert (await answered(url, question("a \ud800 b"))).outcome == "answered"


@pytest.mark.parametrize(
    "fault", [each for each in KINDS if each not in ("unauthorized", "no_code")]
)
async def test_a_fault_in_half_of_the_requests_is_overcome(serving: Serving, fault: str) -> None:
    faults = msgspec.convert({fault: 0.5, "seed": 3}, Faults)
    tries = 0
    async with serving(faults) as url:
        for _ in range(5):
            answer = await answered(url, question(attempts=30))
            assert (answer.outcome, answer.reply) == ("answered", OTHER)
            tries += answer.tries
    assert tries > 5


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("rate_limited", "429"),
        ("server_error", "500"),
        ("cut", "broke off"),
        ("malformed", "makes no sense"),
        ("refusal", "refused"),
        ("empty", "empty"),
    ],
)
async def test_a_fault_for_ever_ends_as_an_answer(serving: Serving, fault: str, why: str) -> None:
    async with serving(msgspec.convert({fault: 1.0}, Faults)) as url:
        answer = await answered(url, question(attempts=3))
    assert (answer.outcome, answer.tries) == ("failed", 3)
    assert why in answer.why
    assert "\n" not in answer.why


async def test_a_refused_key_is_not_tried_again(serving: Serving) -> None:
    async with serving(Faults(unauthorized=1.0)) as url:
        answer = await answered(url, question())
    assert (answer.outcome, answer.tries) == ("failed", 1)
    assert "OPENAI_API_KEY" in answer.why


async def test_a_wrong_address_says_so(serving: Serving) -> None:
    async with serving() as url:
        answer = await answered(f"{url}/nowhere", question(name="m"))
    assert (answer.outcome, answer.tries) == ("failed", 1)
    assert "OPENAI_BASE_URL" in answer.why


async def test_nobody_at_home_is_tried_again() -> None:
    answer = await answered("http://user:word@127.0.0.1:9/v1", question(attempts=2))
    assert (answer.outcome, answer.tries) == ("failed", 2)
    assert "OPENAI_BASE_URL" in answer.why
    assert "word" not in answer.why


async def test_no_answer_in_time_is_tried_again(serving: Serving) -> None:
    async with serving(Faults(latency_seconds=5.0)) as url:
        answer = await answered(url, question(name="m", timeout_seconds=0.05, attempts=2))
    assert (answer.outcome, answer.tries) == ("failed", 2)
    assert "no answer within 0.05 seconds" in answer.why


async def test_an_endpoint_that_cannot_stream_is_asked_without() -> None:
    refusal = http("400 Bad Request", '{"error":{"message":"stream is not supported"}}')
    async with replying(refusal, WHOLE) as (url, requests):
        answer = await answered(url, question(name="m"))
    assert (answer.outcome, answer.reply) == ("answered", "hi")
    assert answer.output_tokens == 1
    assert b'"stream"' not in requests[-1]


async def test_a_refused_parameter_is_left_out() -> None:
    refusal = http("400 Bad Request", '{"error":{"message":"use another","param":"max_tokens"}}')
    async with replying(refusal, WHOLE) as (url, requests):
        answer = await answered(url, question(name="m"))
    assert answer.outcome == "answered"
    assert b'"max_completion_tokens"' in requests[1]


@pytest.mark.parametrize(
    "body",
    [
        '{"choices": []}',
        '{"choices": null}',
        '{"choices": [{"message": null}]}',
        '{"error": {"message": "overloaded"}}',
        "[]",
        "null",
        '"words"',
        '{"choices": [{"message"',
    ],
)
async def test_nonsense_is_tried_again_and_then_told(body: str) -> None:
    async with replying(http("200 OK", body)) as (url, _):
        answer = await answered(url, question(name="m", attempts=2))
    assert (answer.outcome, answer.tries) == ("failed", 2)
    assert answer.why


async def test_an_exhausted_account_is_not_tried_again() -> None:
    body = '{"error":{"message":"pay","code":"insufficient_quota"}}'
    async with replying(http("429 Too Many Requests", body)) as (url, _):
        answer = await answered(url, question(name="m"))
    assert (answer.outcome, answer.tries) == ("failed", 1)
    assert "quota" in answer.why


async def test_a_key_in_an_error_is_not_passed_on() -> None:
    body = f'{{"error":{{"message":"bad key {KEY} and sk-other-99999"}}}}'
    async with replying(http("418 Teapot", body)) as (url, _):
        answer = await answered(url, question(name="m"))
    assert "418" in answer.why
    assert "sk-other" not in answer.why


def test_waits_grow_differ_and_repeat() -> None:
    asked = question(backoff_seconds=1.0)
    waits = [wait_seconds(asked, tries, 0.0) for tries in range(1, 12)]
    assert waits == [wait_seconds(asked, tries, 0.0) for tries in range(1, 12)]
    for tries, wait in enumerate(waits):
        assert min(0.5 * 2**tries, LONGEST_WAIT) <= wait <= min(2**tries, LONGEST_WAIT)
    other = msgspec.structs.replace(asked, call="n2")
    assert wait_seconds(other, 1, 0.0) != waits[0]
    assert wait_seconds(asked, 1, 7.5) == 7.5
    assert wait_seconds(asked, 1, 1e9) == LONGEST_WAIT


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after({"retry-after": "2.5"}) == 2.5
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 55 < retry_after({"retry-after": later}) <= 60
    for text in ("", "soon", "-3", "nan", "Wed, 21 Oct 2015 07:28:00 GMT"):
        assert retry_after({"retry-after": text}) == 0.0


@pytest.mark.parametrize("template", ["deepseek", "qwen3"])
async def test_a_begun_reasoning_goes_to_completions_and_comes_back_whole(
    serving: Serving, template: Template
) -> None:
    asked = question(template=template)
    async with serving() as url:
        answer = await answered(url, asked)

    assert answer.outcome == "answered", answer.why
    assert answer.reply.startswith("<think>\nI know what to do.\n</think>\n\n")
    assert answer.input_tokens > 0
