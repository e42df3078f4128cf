"""The door to a language model behind any OpenAI-compatible endpoint. Does network I/O.

Whatever the endpoint does comes back as a ModelAnswered: transient faults are tried again with
growing waits, lasting ones are answered at once with what the person can do about them.
"""

import importlib
import re
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
from msgspec import Struct

from agents.prompts import steering
from schemas.events import ModelAnswered, ModelAsked
from schemas.settings import Model as Options

if TYPE_CHECKING:
    from openai import AsyncOpenAI

LONGEST_WAIT = 120.0
"""Seconds; no Retry-After and no backoff makes a role wait longer between two tries."""

CONNECT_SECONDS = 20.0
CHARACTERS_PER_TOKEN = 4
"""Where the endpoint does not count tokens, their number is estimated from the characters."""

_TRANSIENT = frozenset({408, 409, 425, 429})
_BAD_REQUEST = frozenset({400, 422})
_SERVER_ERROR = 500
_OPTIONAL = ("stream_options", "stream", "max_tokens", "temperature")
"""Parameters that some endpoints refuse; what is refused is left out from then on."""

_ADVICE = {
    401: "the endpoint does not accept the key; check OPENAI_API_KEY",
    403: "the endpoint does not allow this key the request; check OPENAI_API_KEY and model.name",
    404: "the endpoint does not know the address or the model; check OPENAI_BASE_URL and model.name",
}
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SECRET = re.compile(r"\b(?:sk|pk|key)-[\w*.-]{4,}|(?<=//)[^/@\s]+@|(?<=Bearer )\S+")
_WHY_LENGTH = 300


class _Reply(Struct, frozen=True, kw_only=True):
    text: str
    finish: str | None
    refusal: str
    model: str
    usage: tuple[int, int] | None


class _Fault(Struct, frozen=True, kw_only=True):
    """Why a try gave nothing; `after` are the seconds that the endpoint asks to wait."""

    why: str
    lasting: bool = False
    after: float = 0.0
    usage: tuple[int, int] | None = None


class OpenAIModel:
    """A model behind `base_url`, asked over HTTP and streamed where the endpoint can."""

    def __init__(self, *, base_url: str, api_key: str) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._client: AsyncOpenAI | None = None
        self._first_model = ""
        self._refused: set[str] = set()

    async def complete(self, asked: ModelAsked) -> ModelAnswered:
        """Return the model's answer, or why there is none after the tries that the options allow."""
        began = time.monotonic()
        spent_in, spent_out = 0, 0
        tries = 0
        while True:
            tries += 1
            tried = await self._try(asked)
            if tried.usage:
                spent_in, spent_out = spent_in + tried.usage[0], spent_out + tried.usage[1]
            if isinstance(tried, _Reply) or tried.lasting or tries >= asked.options.attempts:
                break
            await anyio.sleep(wait_seconds(asked, tries, tried.after))
        reply = tried if isinstance(tried, _Reply) else None
        return ModelAnswered(
            role=asked.role,
            call=asked.call,
            purpose=asked.purpose,
            subject=asked.subject,
            outcome="answered" if reply else "failed",
            reply=reply.text if reply else "",
            why="" if isinstance(tried, _Reply) else tried.why,
            model=reply.model if reply else asked.options.name,
            input_tokens=spent_in,
            output_tokens=spent_out,
            usd=_usd(asked.options, spent_in, spent_out),
            seconds=round(time.monotonic() - began, 3),
            tries=tries,
        )

    async def preload(self) -> None:
        """Load the client library, which takes about a second, without blocking the event loop."""
        await anyio.to_thread.run_sync(importlib.import_module, "openai")

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _try(self, asked: ModelAsked) -> _Reply | _Fault:
        """Return what one request gave; a request without a parameter just refused counts along."""
        await self.preload()
        openai = importlib.import_module("openai")
        while True:
            try:
                with anyio.fail_after(asked.options.timeout_seconds):
                    return _judged(await self._exchange(openai, asked), asked)
            except Exception as error:  # noqa: BLE001 - however an endpoint breaks, it is an answer
                if self._drop_refused(openai, error):
                    continue
                return self._fault(openai, error, asked.options)

    async def _exchange(self, openai: ModuleType, asked: ModelAsked) -> _Reply:
        client = self._connected(openai)
        name = asked.options.name or self._first_model
        if not name:
            listed = await client.models.list()
            name = self._first_model = _clean(listed.data[0].id)
        arguments = self._arguments(name, asked)
        asking = client.completions if "prompt" in arguments else client.chat.completions
        answer: Any = await asking.create(**arguments)
        if "stream" not in arguments:
            return _whole(answer, name)
        async with answer:
            reply = await _gathered(answer, name)
        if reply is None:
            self._refused.add("stream")
            raise ValueError("an answer without a stream to a request for one")
        return reply

    def _connected(self, openai: ModuleType) -> "AsyncOpenAI":
        if self._client is None:
            local = (urlsplit(self._base_url).hostname or "") in _LOOPBACK
            self._client = openai.AsyncOpenAI(
                base_url=self._base_url,
                api_key=self._api_key or "none",
                max_retries=0,
                # A proxy from the environment cannot reach a server on this machine.
                http_client=openai.DefaultAsyncHttpxClient(trust_env=False) if local else None,
            )
        return self._client

    def _arguments(self, name: str, asked: ModelAsked) -> dict[str, Any]:
        options = asked.options
        optional = {
            "temperature": options.temperature,
            "max_tokens": options.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        sent = {key: value for key, value in optional.items() if key not in self._refused}
        if "stream" not in sent:
            sent.pop("stream_options", None)
        if "max_tokens" in self._refused:
            sent["max_completion_tokens"] = options.max_tokens
        return {
            "model": name,
            **_prompt(asked),
            "timeout": importlib.import_module("openai").Timeout(
                options.timeout_seconds, connect=min(CONNECT_SECONDS, options.timeout_seconds)
            ),
            **sent,
        }

    def _drop_refused(self, openai: ModuleType, error: Exception) -> bool:
        """Return whether *error* blames an optional parameter that is now left out."""
        if not isinstance(error, openai.APIStatusError) or error.status_code not in _BAD_REQUEST:
            return False
        said = f"{getattr(error, 'param', '')} {error.message}"
        blamed = next((p for p in _OPTIONAL if p in said and p not in self._refused), None)
        if blamed is None or not isinstance(error.body, Mapping):
            return False
        self._refused.add(blamed)
        return True

    def _fault(self, openai: ModuleType, error: Exception, options: Options) -> _Fault:
        """Return what an exception of one try means."""
        if isinstance(error, openai.APIStatusError):
            return self._status_fault(error)
        if isinstance(error, (TimeoutError, openai.APITimeoutError)):
            return _Fault(why=f"no answer within {options.timeout_seconds:g} seconds")
        if isinstance(error, openai.APIConnectionError):
            cause = error.__cause__ or error
            if not type(cause).__name__.startswith("Connect"):
                return _Fault(why=f"the answer broke off ({self._said(cause)})")
            address = _SECRET.sub("", self._base_url)
            said = f"cannot reach {address} ({self._said(cause)})"
            return _Fault(why=f"{said}; check OPENAI_BASE_URL")
        return _Fault(why=f"the answer broke off or makes no sense ({self._said(error)})")

    def _status_fault(self, error: Any) -> _Fault:
        status: int = error.status_code
        body = error.body if isinstance(error.body, Mapping) else {}
        if body.get("code") == "insufficient_quota":
            return _Fault(why="the account has no quota left; check its plan", lasting=True)
        if status in _ADVICE:
            return _Fault(why=f"HTTP {status}: {_ADVICE[status]}", lasting=True)
        why = f"HTTP {status}: {self._said(error)}"
        if status in _TRANSIENT or status >= _SERVER_ERROR:
            return _Fault(why=why, after=retry_after(error.response.headers))
        return _Fault(why=why, lasting=True)

    def _said(self, error: BaseException) -> str:
        """Return an exception in one line that holds no secret."""
        text = " ".join(_clean(f"{type(error).__name__}: {error}").split())
        if self._api_key:
            text = text.replace(self._api_key, "…")
        return _SECRET.sub("…", text)[:_WHY_LENGTH]


def _prompt(asked: ModelAsked) -> dict[str, Any]:
    """Return what is asked, as messages or as one text in the model's own template."""
    if asked.options.template != "chat":
        return {"prompt": _clean(steering.rendered(asked.messages, asked.options.template))}
    messages = [{"role": each.role, "content": _clean(each.content)} for each in asked.messages]
    return {"messages": messages}


def wait_seconds(asked: ModelAsked, tries: int, after: float) -> float:
    """Return how long to wait after *tries* tries: exponential, with jitter drawn from the request.

    Two requests that failed together are not tried together again, yet each waits the same
    whenever it is replayed.
    """
    digest = sha256(f"{asked.key} {asked.subject} {tries}".encode()).digest()
    jitter = 0.5 + digest[0] / 510
    backoff = asked.options.backoff_seconds * 2.0 ** min(tries - 1, 30) * jitter
    return min(max(backoff, after), LONGEST_WAIT)


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that a Retry-After header asks for, as a number or as a date; 0 if none."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _judged(reply: _Reply, asked: ModelAsked) -> _Reply | _Fault:
    """Return *reply* with its tokens counted, or why it is none."""
    prompt = sum(len(each.content) for each in asked.messages)
    usage = reply.usage or (_estimate(prompt), _estimate(len(reply.text)))
    if reply.refusal or reply.finish == "content_filter":
        return _Fault(why=f"the model refused: {reply.refusal or 'content filter'}", usage=usage)
    if reply.finish is None:
        return _Fault(why="the reply was cut off before its end", usage=usage)
    if not reply.text.strip():
        return _Fault(why="the reply is empty", usage=usage)
    # A begun reasoning is part of the reply: where it never ends, there is no answer.
    begun = "" if asked.options.template == "chat" else f"{steering.THINK}\n"
    return _Reply(
        text=f"{begun}{reply.text}", finish=reply.finish, refusal="", model=reply.model, usage=usage
    )


def _whole(answer: Any, name: str) -> _Reply:
    if not answer.choices:
        raise ValueError("no choices in the answer")
    choice = answer.choices[0]
    said, refused = _parts(choice, "message")
    return _Reply(
        text=_clean(said),
        finish=choice.finish_reason,
        refusal=_clean(refused),
        model=_clean(answer.model or name),
        usage=_usage(answer),
    )


async def _gathered(chunks: AsyncIterator[Any], name: str) -> _Reply | None:
    """Return the reply that a stream adds up to, or None when nothing came."""
    text, refusal = list[str](), list[str]()
    finish, usage, model, seen = None, None, name, False
    async for chunk in chunks:
        seen = True
        usage = _usage(chunk) or usage
        model = chunk.model or model
        for choice in chunk.choices or ():
            said, refused = _parts(choice, "delta")
            text.append(said)
            refusal.append(refused)
            finish = choice.finish_reason or finish
    if not seen:
        return None
    return _Reply(
        text=_clean("".join(text)),
        finish=finish,
        refusal=_clean("".join(refusal)),
        model=_clean(model),
        usage=usage,
    )


def _parts(choice: Any, name: str) -> tuple[str, str]:
    """Return what a choice says and what it refuses, of a chat or of a completion."""
    message = getattr(choice, name, None)
    if message is None:
        return choice.text or "", ""
    return message.content or "", message.refusal or ""


def _usage(answer: Any) -> tuple[int, int] | None:
    usage = answer.usage
    return (usage.prompt_tokens or 0, usage.completion_tokens or 0) if usage else None


def _estimate(characters: int) -> int:
    return -(-characters // CHARACTERS_PER_TOKEN)


def _usd(options: Options, tokens_in: int, tokens_out: int) -> float | None:
    price_in, price_out = options.usd_per_million_input, options.usd_per_million_output
    if price_in is None and price_out is None:
        return None
    return (tokens_in * (price_in or 0.0) + tokens_out * (price_out or 0.0)) / 1e6


def _clean(text: str) -> str:
    """Return *text* with lone surrogates, which no encoder accepts, replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")
