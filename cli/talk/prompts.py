"""Calls of a model as text: what was sent, layer by layer, what was left out, what came back."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skill_agent.values import ModelCall, PromptMessage, ToolCall

NONE_KEPT = (
    "no prompts are kept of this: the model was not asked, they are past the age or size of "
    "[privacy] in config.toml, or they went with something that was erased"
)


def prompts_text(calls: "Sequence[ModelCall]") -> str:
    """The calls of one turn, one after the other."""
    return "\n\n".join(
        "\n".join(_lines(call, number, len(calls))) for number, call in enumerate(calls, 1)
    )


def _lines(call: "ModelCall", number: int, count: int) -> Iterator[str]:
    which = f"call {number} of {count}, for {call.purpose}" if call.usage.total_s else "not sent"
    about = "about " if call.estimated else ""
    yield f"# {which} · {call.agent} · {call.model} · {about}{call.tokens:,} tokens"
    width = max((len(layer.name) for layer in call.layers), default=0)
    for layer in call.layers:
        yield f"  {layer.name:<{width}}  {layer.tokens:>6,}  {layer.note}".rstrip()
    if told := figures(call):
        yield f"  {told}"
    yield f"  parameters: {json.dumps(call.parameters, ensure_ascii=False)}"
    for one in call.left_out:
        yield f"  left out: {one}"
    for message in call.messages:
        yield from _message(message)
    yield from _answer(call)


def figures(call: "ModelCall") -> str:
    """What the model told of a call, in one line; empty where it was not asked."""
    usage = call.usage
    parts: list[str] = []
    if usage.prompt_tokens:
        share = round(100 * usage.cached_tokens / usage.prompt_tokens)
        parts.append(
            f"{usage.cached_tokens:,} of {usage.prompt_tokens:,} tokens cached ({share} %)"
        )
    if usage.completion_tokens:
        parts.append(f"{usage.completion_tokens:,} in the answer")
    if usage.total_s:
        parts.append(f"first after {usage.first_token_s:.1f} s, all after {usage.total_s:.1f} s")
    return " · ".join(parts)


def _message(message: "PromptMessage") -> Iterator[str]:
    for part in message.parts:
        yield f"\n── {message.role} · {part.layer} · {part.tokens:,} tokens"
        if text := message.content[part.start : part.end].strip("\n"):
            yield text
        else:
            yield from map(_wish, message.tool_calls)


def _answer(call: "ModelCall") -> Iterator[str]:
    if not (call.text or call.tool_calls or call.error):
        return
    yield f"\n── answer · {call.finish or 'cut short'}"
    if call.text:
        yield call.text.strip("\n")
    yield from map(_wish, call.tool_calls)
    if call.error:
        yield f"error: {call.error}"


def _wish(call: "ToolCall") -> str:
    return f"> uses {call.name} {json.dumps(call.arguments, ensure_ascii=False)}"
