"""The body of a provider's answer, whatever form it came in, as the event stream litellm reads.

An end that was not told is told to nobody: where the server gave no reason and no end mark, the
stream passed on has none either. What is no answer of a model raises.
"""

import codecs
import html
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

from skill_agent.errors import ModelError, ModelRejected, ModelUnavailable
from skill_agent.models.model_json import too_deep, value_in

from .chunks import ending, error_in, plain_chunk

LARGEST, LARGEST_PAGE = 32 << 20, 1 << 16
"""Characters of one line or of a body that is one JSON value; of a web page that are read."""
_DONE = "[DONE]"
_ENDS = re.compile(r"\r\n|\n|\r")
_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.I | re.S)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.I | re.S)
_MAX_SAID = 200


@dataclass(slots=True)
class Chat:
    """What a chat completion's body has given so far; `where` names the server."""

    where: str
    begun: bool = False
    """Whether anything came that a model may have said."""
    ended: bool = False
    """Whether a reason was given."""
    done: bool = False
    """Whether nothing is to be read any more."""
    stray: str = ""
    """The beginning of what belongs to no event."""
    data: list[str] = field(default_factory=list)
    event: str = ""
    body: list[str] = field(default_factory=list)
    """The lines of a body that is no event stream, until they are a value or a page."""
    size: int = 0

    def line(self, line: str) -> Iterator[bytes]:
        """What a line completes."""
        bare = line.strip()
        if self.body:
            self._keep(line)
        elif bare.startswith(_DONE):
            self.done = True
        elif not bare:
            yield from self._dispatch()
        elif bare[0] in "{[" and not self.data:
            # A value a line, or one value over many lines.
            value = value_in(line)
            if value is None:
                self._keep(line)
            yield from self._told(value)
        elif bare[0] == "<" and not self.begun:
            self._keep(line)
        else:
            yield from self._field(line)

    def end(self) -> Iterator[bytes]:
        """What is left at the body's end, and its end where it has one."""
        text = "\n".join(self.body).strip()
        if text.startswith("<"):
            raise web_page(self.where, text)
        yield from self._values(text)
        yield from self._dispatch(last=True)
        if not self.begun and not self.done and self.stray:
            raise no_answer(self.where, self.stray)
        if self.done and not self.ended:
            yield _framed(ending("stop"))
        yield b"data: [DONE]\n\n"

    def _keep(self, line: str) -> None:
        self.body.append(line)
        self.size += len(line)
        if self.size > (LARGEST_PAGE if self.body[0].lstrip()[0] == "<" else LARGEST):
            kind = web_page if self.body[0].lstrip()[0] == "<" else unreadable
            raise kind(self.where, "\n".join(self.body))

    def _field(self, line: str) -> Iterator[bytes]:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name.strip():
            case "data":
                if self.data and (self.event or value_in("\n".join(self.data)) is not None):
                    yield from self._dispatch()  # servers that leave the blank line out
                self.data.append(value)
            case "event":
                self.event = value.strip()
            case "" | "id" | "retry":
                pass
            case _:
                self.stray = self.stray or line.strip()

    def _dispatch(self, *, last: bool = False) -> Iterator[bytes]:
        """The event whose fields have come; what is cut off at the body's end is none."""
        data, named = "\n".join(self.data).strip(), self.event == "error"
        self.data, self.event = [], ""
        if data.startswith(_DONE):
            self.done = True
            return
        value = value_in(data)
        if value is None and data and not last:
            if named:
                raise failed(self.where, data, 0)
            if data[0] in "{[":
                raise unreadable(self.where, data)
            self.stray = self.stray or data
        yield from self._told(value, named=named)

    def _values(self, text: str) -> Iterator[bytes]:
        """All values that stand one behind the other."""
        decoder, at = json.JSONDecoder(), 0
        while at < len(text):
            try:
                value, at = decoder.raw_decode(text, at)
            except (ValueError, RecursionError):
                if not self.begun:
                    raise unreadable(self.where, text) from None
                return
            yield from self._told(value)
            at += len(text[at:]) - len(text[at:].lstrip())

    def _told(self, value: Any, *, named: bool = False) -> Iterator[bytes]:
        """What a value of the body tells; nothing where it is none."""
        for one in value if isinstance(value, list) else ():
            yield from self._told(one)
        if not isinstance(value, dict) or too_deep(value):
            return
        if error := error_in(value, named=named):
            raise failed(self.where, *error)
        if "choices" not in value:
            self.stray = self.stray or json.dumps(value)
        self.begun = self.begun or "choices" in value
        chunk = plain_chunk(value)
        self.ended = self.ended or any(one["finish_reason"] for one in chunk["choices"])
        self.done = self.done or _is_whole(value)
        yield _framed(chunk)


async def chat_stream(pieces: AsyncIterator[bytes], where: str) -> AsyncGenerator[bytes, None]:
    """The body of a chat completion as plain events. Raises ModelError for what is none, and
    whatever breaks the connection before the answer has ended."""
    chat = Chat(where)
    try:
        async for line in _lines(pieces, where):
            for frame in chat.line(line):
                yield frame
            if chat.done:
                break
    except ModelError:
        raise
    except Exception:
        # A connection that breaks behind the last word takes nothing away.
        if not chat.ended:
            raise
    for frame in chat.end():
        yield frame


async def _lines(pieces: AsyncIterator[bytes], where: str) -> AsyncIterator[str]:
    """The lines of a body without their ends, also where a piece ends within a character; not
    what else Python takes for the end of a line, which JSON may hold."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
    held: list[str] = []
    size = 0
    async for piece in pieces:
        text = decoder.decode(piece)
        size += len(text)
        page = (held[0] if held else text).lstrip().startswith("<")
        if size > (LARGEST_PAGE if page else LARGEST):
            raise (web_page if page else unreadable)(where, "".join((*held, text)))
        if not _ENDS.search(text) and not (held and held[-1].endswith("\r")):
            held.append(text)
            continue
        *lines, rest = _ENDS.split("".join(held) + text)
        if text.endswith("\r"):  # its "\n" may come next
            rest = lines.pop() + "\r"
        for line in lines:
            yield line
        held, size = [rest], len(rest)
    for line in _ENDS.split("".join(held) + decoder.decode(b"", final=True)):
        if line:
            yield line


def web_page(where: str, text: str) -> ModelUnavailable:
    """For a page where a model's answer should be."""
    told = said_by_page(text)
    return ModelUnavailable(
        f"{where} answered with a web page, not as a model{f': {told}' if told else ''}",
        hint="a captive portal or a proxy may stand between: open a page in a browser, and check"
        " models.api_base in config.toml",
    )


def said_by_page(text: str) -> str:
    """What a page shows, in a few words: its title, or its text."""
    title = _TITLE.search(text)
    words = html.unescape(title[1] if title else _TAGS.sub(" ", text)).split()
    return " ".join(words)[:_MAX_SAID]


def no_answer(where: str, text: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"{where} answered, but not as a model: {_short(text)}",
        hint="check models.api_base in config.toml",
    )


def unreadable(where: str, text: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"{where} sent an answer that cannot be read: {_short(text)}",
        hint="try again, or choose another model with -m",
    )


def failed(where: str, said: str, status: int) -> ModelError:
    """For an error that stands in an answer whose status says that all is well."""
    told = f" ({status})" if status else ""
    if status in (400, 401, 403, 404, 413, 422):
        return ModelRejected(f"{where} refused the request{told}: {_short(said)}")
    return ModelUnavailable(
        f"{where} failed{told}: {_short(said)}",
        hint="try again later, or set models.fallback in config.toml",
    )


def _short(text: str) -> str:
    return " ".join(text.split())[:_MAX_SAID]


def _framed(chunk: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _is_whole(value: dict[str, Any]) -> bool:
    """Whether it is a whole answer, which needs no end mark."""
    choices = value.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict) or "delta" in first:
        return False
    return isinstance(first.get("message"), dict)
