"""Steerable reasoning: a prompt in a model's own template, its reasoning already begun. Pure.

After ML-Master 1.0 (arXiv 2506.16499, section 3.3): what was tried and seen stands in the first
person inside the open reasoning block, and the model goes on from there.
"""

from collections.abc import Sequence

from msgspec import Struct

from schemas.events import Message
from schemas.settings import Template

THINK, THOUGHT = "<think>", "</think>"


class _Form(Struct, frozen=True):
    """How a model writes the turns of a chat; `{}` is where the words go."""

    system: str
    user: str
    assistant: str


_FORMS: dict[Template, _Form] = {
    "deepseek": _Form("<｜begin▁of▁sentence｜>{}", "<｜User｜>{}", "<｜Assistant｜>"),
    "qwen3": _Form(
        "<|im_start|>system\n{}<|im_end|>\n",
        "<|im_start|>user\n{}<|im_end|>\n",
        "<|im_start|>assistant\n",
    ),
}
CONTROL = (
    "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>",
    "<|im_start|>", "<|im_end|>", "<|endoftext|>",
)  # fmt: skip
"""Tokens that would end a turn; foreign text may not hold them."""


def thought(*parts: str) -> Message:
    """Return the beginning of a reasoning that holds what *parts* say."""
    said = "\n\n".join(part.strip() for part in parts if part.strip())
    return Message(role="assistant", content=f"{THINK}\n{said}\n")


def rendered(messages: Sequence[Message], template: Template) -> str:
    """Return a chat as one text for a completion, with the reasoning left open at its end."""
    form, text, last = _FORMS[template], "", ""
    for message in messages:
        content = _without_control(message.content)
        if message.role == "assistant":
            last = content
            text += f"{form.assistant}{content}"
        else:
            text += (form.system if message.role == "system" else form.user).replace("{}", content)
    if last.startswith(THINK) and text.endswith(last):
        return text
    return f"{text}{form.assistant}{THINK}\n"


def _without_control(content: str) -> str:
    while found := [token for token in CONTROL if token in content]:
        for token in found:  # what is left may be a token again
            content = content.replace(token, "")
    return content
