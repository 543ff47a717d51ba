"""What of a prompt fits the window that is really loaded, counted with the model's own tokenizer.

Which layer goes first when it does not is decided here; no store, and no model but for counting.
"""

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import accumulate

from skill_agent.conversations.client_context import as_read
from skill_agent.errors import ModelError
from skill_agent.ports import ChatMessage, Model, ToolSpec
from skill_agent.values import Message

from .prompt import fitting_history, told_text

UNKNOWN_WINDOW = 32_768
"""Assumed where a model does not say how much it can read."""
PER_MESSAGE = 8
"""Tokens a chat template puts around one message, and around the data block in it."""
PER_IMAGE = 1_200
"""Tokens a picture takes, about: providers count from 100 to 1,600."""
SLACK = 32
"""This fraction (1/32) of the window stays free: templates differ."""
LONGEST_SHARE = 8
"""A tool's result takes at most this fraction (1/8) of the window, whatever the tool gave."""
EASY = 0.7
"""Up to this load a history needs no compaction, and a guess of its size will do."""
_REMEMBERED = 8_192


def window_of(model: Model) -> int:
    """Tokens of the window that is loaded."""
    return model.info.context_window or UNKNOWN_WINDOW


def reply_room(max_output: int, window: int) -> int:
    """Tokens kept free for the reply."""
    return min(max_output, window // 4)


def most(text: str) -> int:
    """Tokens a text cannot exceed: no tokenizer of today makes two of one byte."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


class Tokens:
    """Counts texts with a model's own tokenizer, each text once."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, bytes], int] = OrderedDict()

    async def count(self, model: Model, text: str) -> int:
        """Tokens of a text; its bytes, which are more, where the model cannot count."""
        if not text:
            return 0
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        key = (model.info.name, digest)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        try:
            counted = await model.count_tokens(text)
        except ModelError:  # the call of the model itself will tell what is wrong
            return most(text)
        self._known[key] = counted
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return counted

    async def of_message(self, model: Model, message: Message) -> int:
        """Tokens of a stored message as the model reads it."""
        total = await self.count(model, message.context)
        total += await self.count(model, told_text(message))
        if message.tool_calls:
            calls = json.dumps([[call.name, call.arguments] for call in message.tool_calls])
            total += await self.count(model, calls)
        if model.info.profile.vision and (sent := message.client_context):
            total += PER_IMAGE * len(sent.images)
        return total + PER_MESSAGE

    async def of_tools(self, model: Model, tools: Iterable[ToolSpec]) -> int:
        """Tokens the tools' descriptions take."""
        told = [json.dumps([one.name, one.description, one.parameters]) for one in tools]
        return sum([await self.count(model, text) + PER_MESSAGE for text in told])

    async def of_chat(self, model: Model, messages: Iterable[ChatMessage]) -> int:
        """Tokens of messages as they are sent."""
        total = 0
        for one in messages:
            total += await self.count(model, one.content) + PER_MESSAGE
            total += PER_IMAGE * len(one.images)
            if one.tool_calls:
                calls = json.dumps([[call.name, call.arguments] for call in one.tool_calls])
                total += await self.count(model, calls)
        return total

    async def clip(self, model: Model, text: str, limit: int) -> str:
        """A text of at most so many tokens: its beginning and its end, where it is longer."""
        if most(text) <= limit or (size := await self.count(model, text)) <= limit:
            return text
        keep = int(len(text) * limit / size * 0.9)
        while keep > 40:
            short = _middle_out(text, keep)
            if await self.count(model, short) <= limit:
                return short
            keep = keep * 2 // 3
        return "[left out: too long]"


class Guess(Tokens):
    """Takes a token for so many bytes, without asking a model; 1 can never be too few."""

    def __init__(self, bytes_each: int) -> None:
        super().__init__()
        self._each = bytes_each

    async def count(self, model: Model, text: str) -> int:
        return -(-most(text) // self._each)


def _middle_out(text: str, keep: int) -> str:
    tail = keep // 3
    head = keep - tail
    gap = f"\n[… {len(text) - keep:,} characters left out …]\n"
    return text[:head] + gap + text[len(text) - tail :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Everything a prompt could hold."""

    system: str
    """The static layers, which are never left out."""
    text: str
    """The newest message."""
    images: int = 0
    """How many pictures come with it."""
    block: str = ""
    handed: str = ""
    """What the agent is told because it was just given the conversation; a part of `block`."""
    told_apart: bool = False
    """Whether other agents' replies in the history bear their names."""
    reserve: int = 0
    """Tokens the data block may take; kept free until it is there, and so that the history's room
    stays the same when it is small."""
    layers: Mapping[str, str] = field(default_factory=dict)
    """Texts the system message is made of, by what they are."""
    summary: str = ""
    history: Sequence[Message] = ()
    tools: Sequence[ToolSpec] = ()
    max_messages: int = 40
    max_output: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What of a draft goes into the prompt."""

    system: str
    block: str
    summary: str
    history: tuple[Message, ...]
    dropped: int
    """Messages of the history left out."""
    load: float
    """How full the room for the history is with all that may be sent of it; 1.0 is full."""
    half: int
    """How many of the newest messages take half of that room."""
    left: int
    """Tokens still free beside the reply; below 0 where even the least is too much."""
    guessed: bool = False
    """By the length of the texts alone: all of it fits, but nothing was counted."""


async def fit(draft: Draft, model: Model, tokens: Tokens, *, rough: int = 1) -> Fit:
    """Leaves out what does not fit, in this order: history, summary, recalled block. Who the agent
    is, its skills and the newest message always stay.

    A prompt that fits at `rough` bytes a token is not counted: that may mean loading the model.
    The room for the history does not depend on the newest message unless that is long, so that
    the place where the history is cut, and with it the prompt's prefix, stays where it was.
    """
    guessed = await _fit(draft, model, Guess(rough))
    if guessed.left >= 0 and guessed.load <= EASY and guessed.history == tuple(draft.history):
        return replace(guessed, guessed=True)
    return await _fit(draft, model, tokens)


async def fit_block(draft: Draft, fitted: Fit | None, model: Model, tokens: Tokens) -> Fit:
    """The draft's data block put into what was fitted before it was known; fitted anew only where
    nothing was counted yet, or the block is larger than what was kept free for it."""
    if fitted is not None and fitted.system == draft.system:
        size = await tokens.count(model, draft.block) + PER_MESSAGE if draft.block else 0
        left = fitted.left + draft.reserve - size
        if left >= 0:
            return replace(fitted, block=draft.block, left=left)
    return await fit(draft, model, tokens)


async def _fit(draft: Draft, model: Model, tokens: Tokens) -> Fit:
    window = window_of(model)
    limit = window - window // SLACK - reply_room(draft.max_output, window)
    limit -= await tokens.of_tools(model, draft.tools)
    text = await tokens.count(model, draft.text) + PER_MESSAGE + PER_IMAGE * draft.images
    block = await tokens.count(model, draft.block) + PER_MESSAGE if draft.block else draft.reserve
    summary = await tokens.count(model, draft.summary) + 3 * PER_MESSAGE if draft.summary else 0
    system = await tokens.count(model, draft.system) + PER_MESSAGE
    free = limit - system - block - text - summary
    if free < 0:
        return _least(draft, limit - system - text, block)
    steady = limit - system - max(block, draft.reserve) - max(text, window // 8) - summary
    room = max(steady, min(free, window // 8))
    kept, load, half = await _history(draft, room, model, tokens)
    used = system + block + text + summary
    return Fit(
        system=draft.system,
        block=draft.block,
        summary=draft.summary,
        history=kept,
        dropped=len(draft.history) - len(kept),
        load=load,
        half=half,
        left=limit - used - sum([await tokens.of_message(model, one) for one in kept]),
    )


async def _history(
    draft: Draft, room: int, model: Model, tokens: Tokens
) -> tuple[tuple[Message, ...], float, int]:
    """What fits of the history, its load, and how many messages take half of the room."""
    few = fitting_history(
        draft.history, max_messages=draft.max_messages, max_tokens=0, size=lambda _: 0
    )
    few = [await _bounded(one, model, tokens) for one in few]
    sizes = {one.id: await tokens.of_message(model, one) for one in few}
    kept = fitting_history(
        few,
        max_messages=draft.max_messages,
        max_tokens=room,
        size=lambda one: sizes[one.id],
    )
    if not kept and few and room > 0:
        kept = await _newest(few, room, model, tokens)
    taken = list(accumulate(sizes[one.id] for one in reversed(few)))
    half = sum(one <= room // 2 for one in taken)
    return kept, sum(sizes.values()) / max(1, room), max(1, half)


def _least(draft: Draft, free: int, block: int) -> Fit:
    """Without any history, and without the block where that does not fit either."""
    told = free >= block
    return Fit(
        system=draft.system,
        block=draft.block if told else "",
        summary="",
        history=(),
        dropped=len(draft.history),
        load=2.0 if draft.history else 0.0,
        half=1,
        left=free - (block if told else 0),
    )


async def _bounded(message: Message, model: Model, tokens: Tokens) -> Message:
    """A tool's result cut as it was cut when the model first read it."""
    if message.role != "tool":
        return message
    limit = window_of(model) // LONGEST_SHARE
    return replace(message, content=await tokens.clip(model, message.content, limit))


async def _newest(
    history: Sequence[Message], room: int, model: Model, tokens: Tokens
) -> tuple[Message, ...]:
    """The newest turn, shortened, where it does not fit whole: better than to know nothing."""
    turn = [one for one in history if one.turn == history[-1].turn]
    share = room // len(turn) - PER_MESSAGE
    if share < 64:
        return ()
    short = [
        replace(
            one,
            context="",
            recalled=(),
            client_context=None,
            content=await tokens.clip(model, as_read(one), share),
        )
        for one in turn
    ]
    if sum([await tokens.of_message(model, one) for one in short]) > room:
        return ()
    return tuple(short)
