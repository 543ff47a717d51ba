"""Server-sent events out of bytes; nothing of their meaning, and no transport."""

import re
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

_ENDS = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Frame:
    """One event, or a comment, which says only that the other side is there."""

    event: str = ""
    data: bytes = b""
    id: str | None = None
    """Of this event or one told without data; None where there was none."""
    comment: bool = False


async def frames(pieces: AsyncIterable[bytes]) -> AsyncIterator[Frame]:
    """Every frame of a stream in order. Only CR and LF end a line, whatever else a text holds; a
    frame without its empty line at the end is dropped."""
    fields: list[tuple[bytes, bytes]] = []
    async for line in _lines(pieces):
        if not line:
            if fields:
                yield _framed(fields)
            fields = []
        elif line.startswith(b":"):
            yield Frame(comment=True)
        else:
            name, _, value = line.partition(b":")
            fields.append((name, value.removeprefix(b" ")))


async def _lines(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Whole lines. Pieces of a long one are kept apart until it ends, so that it is read once."""
    held: list[bytes] = []
    after_return = False
    async for piece in pieces:
        if after_return and piece.startswith(b"\n"):
            piece = piece[1:]
        if not piece:
            continue
        after_return = piece.endswith(b"\r")
        *whole, rest = _ENDS.split(piece)
        for line in whole:
            yield b"".join((*held, line))
            held.clear()
        if rest:
            held.append(rest)


def _framed(fields: list[tuple[bytes, bytes]]) -> Frame:
    data = b"\n".join(value for name, value in fields if name == b"data")
    others = {name: value.decode("utf-8", "replace") for name, value in fields}
    return Frame(event=others.get(b"event", ""), data=data, id=others.get(b"id"))
