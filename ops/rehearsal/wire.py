"""The OpenAI HTTP interface's answers as plain data: completions, chunks, embeddings. Pure."""

import base64
import json
import math
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from msgspec import Struct

MODEL = "flowstone-rehearsal-no-language-model"
CREATED = 0
DIMENSIONS = 256
CHUNK = 200
"""Characters in one piece of a stream."""

_CHARACTERS_PER_TOKEN = 4
_WORD = re.compile(r"\w+")

Json = dict[str, Any]


class Said(Struct, frozen=True, kw_only=True):
    """What the model says: text, a refusal, or a call of the tool with this name."""

    text: str = ""
    refusal: str | None = None
    tool: str | None = None


def usage(prompt: str, said: Said) -> Json:
    """Return the token counts of one exchange, estimated from the characters."""
    asked, answered = _tokens(prompt), _tokens(said.text)
    return {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": asked + answered,
    }


def chat(identity: str, prompt: str, said: Said) -> Json:
    """Return a whole chat completion."""
    message: Json = {"role": "assistant", "content": said.text, "refusal": said.refusal}
    if said.tool:
        message |= {"content": None, "tool_calls": [_tool_call(identity, said)]}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(said)}
    head = _head(identity, "chat.completion")
    return head | {"choices": [choice], "usage": usage(prompt, said)}


def chat_chunks(identity: str, prompt: str, said: Said, *, with_usage: bool) -> Iterator[Json]:
    """Yield a chat completion piece by piece."""
    head = _head(identity, "chat.completion.chunk")

    def chunk(delta: Json, finish: str | None = None) -> Json:
        return head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    yield chunk({"role": "assistant", "content": None if said.tool else ""})
    if said.tool:
        yield chunk({"tool_calls": [{"index": 0} | _tool_call(identity, said)]})
    elif said.refusal:
        yield chunk({"refusal": said.refusal})
    else:
        for start in range(0, len(said.text), CHUNK):
            yield chunk({"content": said.text[start : start + CHUNK]})
    yield chunk({}, _finish(said))
    if with_usage:
        yield head | {"choices": [], "usage": usage(prompt, said)}


def completion(identity: str, prompt: str, said: Said) -> Json:
    """Return a whole text completion."""
    choice = {"index": 0, "text": said.text, "logprobs": None, "finish_reason": "stop"}
    head = _head(identity, "text_completion")
    return head | {"choices": [choice], "usage": usage(prompt, said)}


def completion_chunks(identity: str, said: Said) -> Iterator[Json]:
    """Yield a text completion piece by piece."""
    head = _head(identity, "text_completion")
    for start in range(0, len(said.text), CHUNK):
        piece = said.text[start : start + CHUNK]
        yield head | {"choices": [{"index": 0, "text": piece, "finish_reason": None}]}
    yield head | {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}


def embeddings(texts: Sequence[str], *, dimensions: int, in_base64: bool) -> Json:
    """Return the embeddings of *texts* as numbers, or as the little-endian floats in base64."""
    data = []
    for index, text in enumerate(texts):
        vector = embedding(text, dimensions)
        packed = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
        value = packed if in_base64 else list(vector)
        data.append({"object": "embedding", "index": index, "embedding": value})
    tokens = sum(_tokens(text) for text in texts)
    counted = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": MODEL, "data": data, "usage": counted}


def embedding(text: str, dimensions: int = DIMENSIONS) -> tuple[float, ...]:
    """Return hashed words and letter trigrams as a vector of unit length, the same for ever."""
    vector = [0.0] * dimensions
    for word in _WORD.findall(text.lower()):
        padded = f" {word} "
        for gram in {padded, *(padded[i : i + 3] for i in range(len(padded) - 2))}:
            digest = int.from_bytes(
                blake2b(gram.encode("utf-8", "replace"), digest_size=8).digest()
            )
            vector[digest % dimensions] += 1.0 if digest >> 63 else -1.0
    length = math.sqrt(sum(each * each for each in vector))
    if not length:
        return (1.0, *vector[1:])
    return tuple(each / length for each in vector)


def models() -> Json:
    """Return the list of models: one, whose name says that it is none."""
    card = {"id": MODEL, "object": "model", "created": CREATED, "owned_by": "flowstone"}
    return {"object": "list", "data": [card]}


def error(message: str, kind: str, code: str | None = None) -> Json:
    """Return the body of a failed request."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def event(data: Mapping[str, Any] | None) -> bytes:
    """Return one server-sent event; None ends the stream."""
    return b"data: " + (json.dumps(data).encode() if data is not None else b"[DONE]") + b"\n\n"


def _head(identity: str, kind: str) -> Json:
    return {"id": identity, "object": kind, "created": CREATED, "model": MODEL}


def _finish(said: Said) -> str:
    return "tool_calls" if said.tool else "stop"


def _tool_call(identity: str, said: Said) -> Json:
    function = {"name": said.tool, "arguments": said.text}
    return {"id": f"call-{identity}", "type": "function", "function": function}


def _tokens(text: str) -> int:
    return -(-len(text) // _CHARACTERS_PER_TOKEN)
