"""Server-sent events out of bytes, however they are cut."""

from collections.abc import AsyncIterator

import pytest

from skill_agent.attach.sse_reader import Frame, frames

STREAM = (
    b": here\nid: e.7\n\n"
    b'id: e.8\nevent: text_delta\ndata: {"text": "a\xe2\x80\xa8b \xc2\x85 c"}\n\n'
    b"event: gap\r\ndata: one\r\ndata: two\r\n\r\n"
    b": alive\n\n"
    b"data:bare\rid\r\r"
    b"event: cut\ndata: never"
)
TOLD = [
    Frame(comment=True),
    Frame(id="e.7"),
    Frame("text_delta", b'{"text": "a\xe2\x80\xa8b \xc2\x85 c"}', "e.8"),
    Frame("gap", b"one\ntwo"),
    Frame(comment=True),
    Frame("", b"bare", ""),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
async def test_any_cut_gives_the_same(size: int) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(STREAM), size):
            yield STREAM[at : at + size]

    assert [frame async for frame in frames(pieces())] == TOLD


async def test_a_long_line_in_many_pieces() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"data: "
        for _ in range(20_000):
            yield b"x" * 100
        yield b"\n\n"

    (frame,) = [frame async for frame in frames(pieces())]
    assert len(frame.data) == 2_000_000
