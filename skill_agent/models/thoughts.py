"""What a reasoning model thinks before it answers, told apart from its words.

Thoughts come as parts of their own from some providers and as `<think>…</think>` in the text from
others and from local models, by one tag or another. Only a thought before the words is one: a tag
further on belongs to the reply, which may well be about such tags.
"""

import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from skill_agent.ports import (
    EndPart,
    ModelPart,
    StatusPart,
    TextPart,
    ThoughtPart,
    ToolPart,
)

TAGS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("[think]", "[/think]"),
    ("◁think▷", "◁/think▷"),
)
"""How models mark a thought's beginning and end, in small letters; they are not particular."""


class ThoughtFilter:
    """Takes a reply's text piece by piece, cut anywhere, and gives thoughts and words."""

    def __init__(self) -> None:
        self._held = ""
        """What may be the beginning of a tag, or white space before it is known what follows."""
        self._close = ""
        self._within = self._opening = self._spoken = self._thought = False

    def thought(self) -> None:
        """A thought has come another way; white space after it is not the reply's."""
        self._thought = True

    def feed(self, piece: str) -> Iterator[TextPart | ThoughtPart]:
        """What is certain by now."""
        if self._spoken:
            if piece:
                yield TextPart(text=piece)
            return
        self._held += piece
        while not self._spoken:
            before, within = self._held, self._within
            part = self._inside() if within else self._outside()
            if part is not None:
                yield part
            if (before, within) == (self._held, self._within):
                return

    def end(self) -> Iterator[TextPart | ThoughtPart]:
        """What was held back; a thought without an end is one to the end."""
        held, self._held = self._held, ""
        if self._within and held.strip():
            yield ThoughtPart(text=(held.lstrip() if self._opening else held).rstrip())
        elif not self._within and (said := held.lstrip() if self._thought else held):
            yield TextPart(text=said)
        self._within, self._spoken = False, True

    def _outside(self) -> TextPart | None:
        text = self._held.lstrip()
        if opened := next((one for one in TAGS if _is(text[: len(one[0])], one[0])), None):
            self._held, self._close = text[len(opened[0]) :], opened[1]
            self._within = self._opening = self._thought = True
        elif not any(_is(text, tag[: len(text)]) for tag, _ in TAGS):
            self._spoken = True
            said, self._held = text if self._thought else self._held, ""
            return TextPart(text=said)
        return None

    def _inside(self) -> ThoughtPart | None:
        thought = self._held
        closed = re.search(re.escape(self._close), thought, re.I)
        if closed:
            thought, self._held = thought[: closed.start()], thought[closed.end() :]
            self._within = False
        else:
            thought, self._held = _certain(thought, self._close)
        if self._opening:
            thought = thought.lstrip()
        thought = thought.rstrip() if closed else thought
        self._opening = self._within and self._opening and not thought
        return ThoughtPart(text=thought) if thought else None


def _certain(thought: str, close: str) -> tuple[str, str]:
    """What of an unfinished thought is one, and the end that may yet be white space before the
    closing tag, or the tag's beginning."""
    sizes = range(len(close) - 1, 0, -1)
    tag = next((size for size in sizes if _is(thought[-size:], close[:size])), 0)
    sure = thought[: len(thought) - tag].rstrip()
    return sure, thought[len(sure) :]


def _is(text: str, tag: str) -> bool:
    return text.lower() == tag


async def thoughts_apart(
    parts: AsyncGenerator[ModelPart, None],
) -> AsyncGenerator[ModelPart, None]:
    """A model's stream with the thoughts in its text as parts of their own."""
    sorting = ThoughtFilter()
    async with aclosing(parts):
        async for part in parts:
            match part:
                case TextPart():
                    for one in sorting.feed(part.text):
                        yield one
                    continue
                case ThoughtPart():
                    sorting.thought()
                case ToolPart() | EndPart():
                    for one in sorting.end():
                        yield one
                case StatusPart():
                    pass
            yield part
