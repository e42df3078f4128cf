"""The rehearsal model as an HTTP server on this machine. Does network I/O; reads the recording."""

import json
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from agents.prompts.steering import CONTROL, THINK, THOUGHT
from ops.rehearsal import wire
from ops.rehearsal.faults import Fault, Faults
from ops.rehearsal.speaker import Speaker
from ops.rehearsal.tool_calls import arguments, forced_tool
from ops.rehearsal.wire import Json, Said

NO_CODE = "I would look at the distribution of the target first, then try a linear model."
REFUSAL = "I cannot help with that."

Reply = Callable[[Json], str]


class _CutError(ConnectionError):
    """Raised inside an answer so that the connection closes before its end."""


async def run_rehearsal(
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    recording: Path | None = None,
    faults: Faults | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until cancelled; calls *ready* with the base URL once connections are accepted.

    Port 0 takes a free one. Raises OSError when the port is taken, and ValueError when
    the recording cannot be read.
    """
    app = application(Speaker.of(recording), faults or Faults())
    with socket.create_server((host, port)) as listening:
        server = _Server(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level=logging.CRITICAL,
                access_log=False,
                timeout_graceful_shutdown=1,
            )
        )
        async with anyio.create_task_group() as group:
            group.start_soon(_serve, server, listening)
            try:
                if ready:
                    ready(f"http://{host}:{listening.getsockname()[1]}/v1")
                await anyio.sleep_forever()
            finally:
                server.should_exit = True


def application(speaker: Speaker, faults: Faults) -> Starlette:
    """Return the HTTP interface around *speaker*."""
    door = _Door(speaker, faults)
    return Starlette(
        routes=[
            Route("/v1/models", door.models),
            Route("/v1/chat/completions", door.chat, methods=["POST"]),
            Route("/v1/completions", door.completion, methods=["POST"]),
            Route("/v1/embeddings", door.embeddings, methods=["POST"]),
        ]
    )


class _Server(uvicorn.Server):
    """A server that leaves the signals to the process it runs in."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(server: uvicorn.Server, listening: socket.socket) -> None:
    with anyio.CancelScope(shield=True):  # it ends by itself once should_exit is set
        await server.serve([listening])


class _Door:
    """The routes; counts the requests, since a request's number decides its fault."""

    def __init__(self, speaker: Speaker, faults: Faults) -> None:
        self._speaker = speaker
        self._faults = faults
        self._numbers = count()

    async def models(self, request: Request) -> Response:  # noqa: ARG002 - starlette's signature
        return JSONResponse(wire.models())

    async def chat(self, request: Request) -> Response:
        body = await _read(request)
        if isinstance(body, Response):
            return body
        messages = _texts(body)
        prompt = "\n".join(content for _, content in messages)

        def answer() -> Said:
            if tool := forced_tool(body):
                return Said(text=json.dumps(arguments(tool, prompt)), tool=str(tool["name"]))
            return Said(text=self._speaker.reply(messages))

        def parts(identity: str, said: Said) -> Iterable[Json]:
            with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
            return wire.chat_chunks(identity, prompt, said, with_usage=with_usage)

        return await self._answered(
            body, answer, lambda identity, said: wire.chat(identity, prompt, said), parts
        )

    async def completion(self, request: Request) -> Response:
        body = await _read(request)
        if isinstance(body, Response):
            return body
        prompt = _prompt(body.get("prompt", ""))

        def answer() -> Said:
            said = self._speaker.reply([("user", _without_control(prompt))])
            return Said(
                text=f"I know what to do.\n{THOUGHT}\n\n{said}" if THINK in prompt else said
            )

        return await self._answered(
            body,
            answer,
            lambda identity, said: wire.completion(identity, prompt, said),
            wire.completion_chunks,
        )

    async def embeddings(self, request: Request) -> Response:
        body = await _read(request)
        if isinstance(body, Response):
            return body
        given = body.get("input", "")
        texts = [_prompt(each) for each in given] if isinstance(given, list) else [_prompt(given)]
        dimensions = body.get("dimensions") or wire.DIMENSIONS
        in_base64 = body.get("encoding_format") == "base64"
        return JSONResponse(wire.embeddings(texts, dimensions=int(dimensions), in_base64=in_base64))

    async def _answered(
        self,
        body: Json,
        answer: Callable[[], Said],
        whole: Callable[[str, Said], Json],
        parts: Callable[[str, Said], Iterable[Json]],
    ) -> Response:
        """Return the answer in the form that was asked for, or the fault that was drawn."""
        number = next(self._numbers)
        await anyio.sleep(self._faults.latency_seconds)
        fault = self._faults.drawn(number)
        if failed := self._failed(fault):
            return failed
        said = _spoiled(fault) or answer()
        identity = f"rehearsal-{number}"
        if body.get("stream"):
            events = [wire.event(part) for part in parts(identity, said)]
            pieces = [*events, wire.event(None)]
            if fault == "malformed":
                middle = len(pieces) // 2
                pieces[middle] = pieces[middle][: len(pieces[middle]) // 2] + b"\n\n"
        else:
            encoded = json.dumps(whole(identity, said)).encode()
            half = len(encoded) // 2
            pieces = [encoded[:half]] if fault == "malformed" else [encoded[:half], encoded[half:]]
        kind = "text/event-stream" if body.get("stream") else "application/json"
        return StreamingResponse(_sent(pieces, cut=fault == "cut"), media_type=kind)

    def _failed(self, fault: Fault | None) -> Response | None:
        match fault:
            case "rate_limited":
                wait = {"retry-after": f"{self._faults.retry_after_seconds:g}"}
                body = wire.error("too many requests", "rate_limit_error", "rate_limit_exceeded")
                return JSONResponse(body, 429, wait)
            case "server_error":
                return JSONResponse(wire.error("rehearsed failure", "server_error"), 500)
            case "unauthorized":
                body = wire.error("incorrect API key", "invalid_request_error", "invalid_api_key")
                return JSONResponse(body, 401)
            case _:
                return None


def _without_control(prompt: str) -> str:
    """Return a prompt in a model's own template with a line for each of its control tokens."""
    for token in CONTROL:
        prompt = prompt.replace(token, "\n")
    return prompt


def _spoiled(fault: Fault | None) -> Said | None:
    match fault:
        case "no_code":
            return Said(text=NO_CODE)
        case "refusal":
            return Said(refusal=REFUSAL)
        case "empty":
            return Said()
        case _:
            return None


async def _sent(pieces: list[bytes], *, cut: bool) -> AsyncIterator[bytes]:
    for piece in pieces[: max(1, len(pieces) // 2)] if cut else pieces:
        yield piece
    if cut:
        raise _CutError("rehearsed: the connection closes here")


async def _read(request: Request) -> Json | Response:
    try:
        body: Any = json.loads(await request.body())
    except ValueError as error:
        message = f"the request is not JSON: {error}"
        return JSONResponse(wire.error(message, "invalid_request_error"), 400)
    if not isinstance(body, dict):
        return JSONResponse(wire.error("the request is no object", "invalid_request_error"), 400)
    return body


def _texts(body: Json) -> list[tuple[str, str]]:
    """Return role and text of each message; anything but text is left out."""
    messages = body.get("messages")
    given = (
        [each for each in messages if isinstance(each, dict)] if isinstance(messages, list) else []
    )
    return [(str(each.get("role", "user")), _prompt(each.get("content"))) for each in given]


def _prompt(content: Any) -> str:
    """Return the text in a message's content, a prompt or an input, whichever form it has."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return str(content.get("text", ""))
    if isinstance(content, list):
        return "\n".join(_prompt(each) for each in content if isinstance(each, (str, dict, list)))
    return ""
