"""What a prompt is made of: its layers told apart in the messages, counted, and what was left out.

Pure text work but for the counting; credentials are taken out before anything is looked for.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from skill_agent.memory.recall.budget import Selection
from skill_agent.ports import ChatMessage, Model, ModelRequest
from skill_agent.text.gate import tamed, tamed_line, tokenless
from skill_agent.text.redaction import redact, redacted
from skill_agent.values import PromptLayer, PromptMessage, PromptPart, ToolCall

from .fitting import Draft, Fit, Tokens
from .known import Recollection


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """What a prompt was made of, so that its layers can be told apart later."""

    layers: tuple[tuple[str, str], ...] = ()
    """Names, and texts that stand somewhere in the messages."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """By layer, what else is to be said of it."""
    left_out: tuple[str, ...] = ()


def composed(
    draft: Draft, plan: Fit, recollection: Recollection | None, inbox: str = ""
) -> Composition:
    """What a draft became; no recollection where memory was not looked into. `inbox` is what
    colleagues wrote, with which the block begins."""
    recalled = recollection.selection if recollection else None
    found = plan.block.removesuffix(draft.handed).rstrip() if draft.handed else plan.block
    texts = [
        *draft.layers.items(),
        ("summary", tamed(plan.summary)),
        ("inbox", inbox if plan.block else ""),
        *_block(
            found.removeprefix(inbox).lstrip("\n"), recollection.always if recollection else ()
        ),
        ("handover", draft.handed if plan.block else ""),
        ("message", draft.text),
    ]
    notes = {}
    if recalled is not None and plan.block:
        count = _counted(len(recalled.hits), "item", "items")
        notes["recalled"] = f"{count}; room for {recalled.budget:,} tokens"
    return Composition(
        layers=tuple((name, text) for name, text in texts if text),
        notes=notes,
        left_out=tuple(_left_out(draft, plan, recalled)),
    )


def _block(block: str, always: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The data block's parts: what is always known, what was recalled, and the hint after it."""
    inside, end, hint = block.rpartition("</recalled>")
    yield "hint", hint.strip() if end else block
    lines = f"{inside}{end}".splitlines()
    known = [bool(line) and any(tamed_line(one) in line for one in always) for line in lines]
    for is_known, group in groupby(zip(known, lines, strict=True), key=lambda pair: pair[0]):
        yield "profile" if is_known else "recalled", "\n".join(line for _, line in group)


def _left_out(draft: Draft, plan: Fit, recalled: Selection | None) -> Iterator[str]:
    full = "the model's window is full"
    if plan.dropped:
        few = f"or there are more than {draft.max_messages} (memory.history_messages)"
        yield f"{_counted(plan.dropped, 'earlier message', 'earlier messages')}: {full}, {few}"
    if draft.summary and not plan.summary:
        yield f"the summary of the earlier conversation: {full}"
    if draft.block and not plan.block:
        yield f"everything recalled: {full}"
    if recalled is None:
        yield "memories: none were looked for"
        return
    if recalled.present:
        count = _counted(len(recalled.present), "recalled item", "recalled items")
        yield f"{count}: already in this conversation"
    for why, many in recalled.left_out.items():
        yield f"{_counted(many, 'recalled item', 'recalled items')}: {why}"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def messages_told(
    messages: Sequence[ChatMessage], composition: Composition
) -> tuple[PromptMessage, ...]:
    """The messages without credentials, each cut into its layers."""
    layers = [(name, redact(tokenless(text))) for name, text in composition.layers]
    newest = max((at for at, one in enumerate(messages) if one.role == "user"), default=-1)
    told: list[PromptMessage] = []
    for at, message in enumerate(messages):
        content = redact(tokenless(message.content))
        calls = tuple(map(call_told, message.tool_calls))
        parts = _parts(content, layers, _rest(message, at, newest))
        if calls:
            parts = (*parts, PromptPart(layer=_rest(message, at, newest), start=0, end=0))
        told.append(
            PromptMessage(
                role=message.role,
                content=content,
                tool_calls=calls,
                tool_call_id=message.tool_call_id,
                parts=parts,
            )
        )
    return tuple(told)


def _rest(message: ChatMessage, at: int, newest: int) -> str:
    """The layer of what is none of the known texts."""
    if message.role == "system":
        return "rules"
    if at == newest:
        return "hint"
    return "history" if at < newest else "exchange"


def _parts(content: str, layers: Sequence[tuple[str, str]], rest: str) -> tuple[PromptPart, ...]:
    """Stretches of the content in order. Longer texts are placed first, each as far back as it is
    free: what was said stands behind what was recalled for it, and may be a word of that."""
    if rest in ("history", "exchange"):
        layers = [one for one in layers if one[0] == "summary"]
    taken: list[PromptPart] = []
    for name, text in sorted(layers, key=lambda one: -len(one[1])):
        end = len(content)
        while text and (start := content.rfind(text, 0, end)) >= 0:
            free = all(start >= one.end or start + len(text) <= one.start for one in taken)
            if free:
                taken.append(PromptPart(layer=name, start=start, end=start + len(text)))
                break
            end = start + len(text) - 1
    if any(one.layer == "summary" for one in taken) and rest == "history":
        return (PromptPart(layer="summary", start=0, end=len(content)),)
    return tuple(_filled(content, sorted(taken, key=lambda one: one.start), rest))


def _filled(content: str, known: Sequence[PromptPart], rest: str) -> Iterator[PromptPart]:
    """The known parts, and what stands between them."""
    at = 0
    for part in (*known, None):
        until = part.start if part else len(content)
        if content[at:until].strip():
            yield PromptPart(layer=rest, start=at, end=until)
        if part:
            yield part
            at = part.end


def call_told(call: ToolCall) -> ToolCall:
    return replace(call, arguments=redacted(call.arguments))


async def weighed(
    messages: Sequence[PromptMessage],
    request: ModelRequest,
    composition: Composition,
    model: Model,
    tokens: Tokens,
) -> tuple[tuple[PromptMessage, ...], tuple[PromptLayer, ...]]:
    """The messages with the tokens of each part, and the layers in the order they first stand."""
    told: list[PromptMessage] = []
    for message in messages:
        sizes = [await _size(message, part, model, tokens) for part in message.parts]
        parts = (replace(part, tokens=n) for part, n in zip(message.parts, sizes, strict=True))
        told.append(replace(message, parts=tuple(parts)))
    notes = dict(composition.notes)
    for name, many in Counter(one.parts[0].layer for one in told if one.parts).items():
        if name in ("history", "exchange"):
            notes[name] = _counted(many, "message", "messages")
    sums: dict[str, int] = {}
    for part in (part for one in told for part in one.parts):
        sums[part.layer] = sums.get(part.layer, 0) + part.tokens
    if request.tools:
        sums["tools"] = await tokens.of_tools(model, request.tools)
        notes["tools"] = ", ".join(tool.name for tool in request.tools)
    layers = (
        PromptLayer(name=name, tokens=size, note=notes.get(name, "")) for name, size in sums.items()
    )
    return tuple(told), tuple(layers)


async def _size(message: PromptMessage, part: PromptPart, model: Model, tokens: Tokens) -> int:
    text = message.content[part.start : part.end]
    if part.start == part.end:
        text = json.dumps([[call.name, call.arguments] for call in message.tool_calls])
    return await tokens.count(model, text)


def made_whole(layers: Sequence[PromptLayer], whole: int) -> tuple[PromptLayer, ...]:
    """The layers made to sum up to what the model told: a model may be told of its tools in fewer
    words than their schemas, and its chat format adds some of its own."""
    others = sum(layer.tokens for layer in layers if layer.name != "tools")
    room = max(0, whole - others) if whole else sum(layer.tokens for layer in layers)
    layers = tuple(
        replace(layer, tokens=min(layer.tokens, room)) if layer.name == "tools" else layer
        for layer in layers
    )
    more = whole - sum(layer.tokens for layer in layers)
    if more <= 0:
        return layers
    return (*layers, PromptLayer(name="format", tokens=more, note="what the chat format adds"))


def scaled(
    messages: Sequence[PromptMessage], layers: Sequence[PromptLayer], whole: int
) -> tuple[tuple[PromptMessage, ...], tuple[PromptLayer, ...]]:
    """Sizes that were guessed by length, made to sum up to what the model told."""
    guessed = sum(layer.tokens for layer in layers)
    share = whole / guessed if whole and guessed else 1.0
    return (
        tuple(
            replace(
                one,
                parts=tuple(replace(part, tokens=round(part.tokens * share)) for part in one.parts),
            )
            for one in messages
        ),
        tuple(replace(layer, tokens=round(layer.tokens * share)) for layer in layers),
    )
