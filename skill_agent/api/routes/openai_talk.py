"""What the messages of a chat completion mean to us: who says what now, and what was before.

A conversation is kept here, so what was before only finds it again, or comes along as data.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from skill_agent.conversations.client_context import Exchange
from skill_agent.errors import UsageError
from skill_agent.values import Image

from .openai_errors import Unsupported
from .openai_shape import ClientMessage
from .openai_tools import ClientCall, Result, read_arguments, told_call, told_result

_DATA_URL = re.compile(r"data:image/[a-z+.-]+;base64,", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A request's messages as we understand them."""

    words: str
    """What the person says now; empty where only results of tools come."""
    earlier: tuple[Exchange, ...]
    """What the client remembers of the talk so far, one for each reply; calls of its tools and
    their results stand as lines on the side of the reply."""
    spoken: tuple[str, ...]
    """The texts of it, as they were said."""
    instructions: str
    """The system messages."""
    images: tuple[Image, ...] = ()
    """What the person shows with the words."""
    results: tuple[Result, ...] = ()
    """What came of the calls of the last reply, in their order."""


def talk_of(messages: Sequence[ClientMessage]) -> Talk:
    """The talk; raises Unsupported for what is not text, for calls whose results are missing or
    belong to none, and for a talk that does not end with the user or with results."""
    reading, instructions = _Reading(), []
    for place, message in enumerate(messages):
        text = _text(message, place)
        if message.tool_calls and message.role != "assistant":
            raise _wrong(place, "only an assistant's message has tool_calls")
        match message.role:
            case "system" | "developer":
                instructions.append(text)
            case "user":
                reading.user(text, place)
            case "assistant":
                reading.assistant(text, message.tool_calls or [], place)
            case "tool":
                reading.result(message.tool_call_id or "", text, place)
            case "function":
                raise _wrong(place, "functions are called tools by now; send role tool")
    reading.all_answered(len(messages) - 1)
    if not reading.said and not reading.results:
        raise Unsupported("the last message must be the user's, or results of tools", "messages")
    words = "\n\n".join(reading.said)
    if not words.strip() and not reading.results:
        raise Unsupported("the last user message is empty", "messages")
    return Talk(
        words=words,
        earlier=tuple(reading.earlier),
        spoken=tuple(reading.spoken),
        instructions="\n\n".join(instructions),
        images=_images(messages) if reading.said else (),
        results=tuple(reading.results),
    )


@dataclass(slots=True)
class _Reading:
    """The talk as far as it is read: what was said and brought since the last reply."""

    earlier: list[Exchange] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    calls: dict[str, ClientCall] = field(default_factory=dict)
    """Of the last reply, by id."""

    def user(self, text: str, place: int) -> None:
        self.all_answered(place)
        self.said.append(text)

    def assistant(self, text: str, calls: Sequence[ClientCall], place: int) -> None:
        self.all_answered(place)
        if unnamed := [one.call for one in self.results if not one.tool]:
            raise _wrong(place, f"nothing before it called {', '.join(unnamed)}")
        told = [
            told_call(one.function.name, read_arguments(one.function.arguments)) for one in calls
        ]
        given = [told_result(one.tool, one.text) for one in self.results]
        replied = "\n\n".join(filter(None, (*given, text, *told)))
        if self.said or self.results or not self.earlier:
            self.earlier.append(("\n\n".join(self.said), replied))
        else:  # neighbours of the same role as one
            said, before = self.earlier[-1]
            self.earlier[-1] = (said, "\n\n".join(filter(None, (before, replied))))
        self.spoken += [*self.said, text]
        self.said, self.results = [], []
        self.calls = {one.id: one for one in calls}
        if len(self.calls) < len(calls):
            raise _wrong(place, "two tool_calls have the same id")

    def result(self, call: str, text: str, place: int) -> None:
        if not call:
            raise _wrong(place, "tool_call_id is missing")
        if any(one.call == call for one in self.results):
            raise _wrong(place, f"there is a result of the call {call} already")
        # Of a conversation that is named, the calls need not be told again.
        if self.earlier and call not in self.calls:
            asked = ", ".join(self.calls) or "none"
            raise _wrong(place, f"no call {call} was asked for before it; asked for: {asked}")
        tool = self.calls[call].function.name if call in self.calls else ""
        self.results.append(Result(call=call, tool=tool, text=text))

    def all_answered(self, place: int) -> None:
        """Puts the results in the order of their calls; raises Unsupported where some are
        missing."""
        there = {one.call: one for one in self.results}
        if missing := [call for call in self.calls if call not in there]:
            raise _wrong(place, f"the result is missing of: {', '.join(missing)}")
        if self.calls:
            self.results = [there[call] for call in self.calls]


def named_by(results: Sequence[Result], tools: dict[str, str]) -> tuple[Result, ...]:
    """Results of calls that wait in a conversation, `tools` by call, in the order of the calls;
    raises Unsupported for those that nobody asked for, and for those that are missing."""
    there = {one.call: one for one in results}
    if unknown := [call for call in there if call not in tools]:
        waiting = ", ".join(tools) or "none"
        raise Unsupported(
            f"no result is waited for here of: {', '.join(unknown)}; waited for: {waiting}",
            "messages",
        )
    if missing := [call for call in tools if call not in there]:
        raise Unsupported(f"the result is missing of: {', '.join(missing)}", "messages")
    return tuple(replace(there[call], tool=tool) for call, tool in tools.items())


def _images(messages: Sequence[ClientMessage]) -> tuple[Image, ...]:
    """The pictures of what is said last; those before it are known here, or gone."""
    said = next(one for one in reversed(messages) if one.role == "user")
    parts = said.content if isinstance(said.content, list) else []
    urls = [one.image_url.url for one in parts if one.type == "image_url" and one.image_url]
    for url in urls:
        if not _DATA_URL.match(url):
            raise Unsupported(
                "only images in the request are read, as data:image/png;base64,…; "
                "nothing is fetched from an address",
                "messages",
            )
    return tuple(Image(data=url.partition(",")[2]) for url in urls)


def _text(message: ClientMessage, place: int) -> str:
    content = message.content
    if content is None or isinstance(content, str):
        text = content or ""
    else:
        for number, part in enumerate(content):
            if part.type not in ("text", "refusal", "image_url"):
                raise Unsupported(
                    f"messages[{place}].content[{number}]: agents read text and images, "
                    f"not {part.type}",
                    "messages",
                )
        told = [part for part in content if part.type != "image_url"]
        text = "\n".join(part.text or part.refusal for part in told)
    if "\0" in text:
        raise UsageError(f"messages[{place}] is not text: it contains zero bytes")
    return text


def _wrong(place: int, what: str) -> Unsupported:
    return Unsupported(f"messages[{place}]: {what}", "messages")
