"""Piped text: silent pipes, slow pipes, what is no text, what is too much."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO

import pytest
from skill_agent.cli.talk.stdin import LIMIT_BYTES, PipedText, decode

from skill_agent.errors import UsageError


@contextmanager
def pipe() -> Iterator[tuple[BinaryIO, int]]:
    """A pipe's reading end as a stream and its writing end as a descriptor."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as stream:
        yield stream, writing


def test_everything_to_the_end() -> None:
    assert PipedText(BytesIO("grün\n".encode())).text(wait_s=5, say=print) == "grün\n"


def test_a_silent_pipe_is_left_alone() -> None:
    said: list[str] = []
    with pipe() as (stream, writing):
        assert PipedText(stream).text(wait_s=0.05, say=said.append) == ""
        os.close(writing)
    assert "nothing on standard input" in said[0]
    assert "add -" in said[0]


def test_a_pipe_that_began_is_read_to_its_end() -> None:
    with pipe() as (stream, writing):
        os.write(writing, b"first ")
        go = threading.Event()

        def rest() -> None:
            go.wait()
            os.write(writing, b"second")
            os.close(writing)

        thread = threading.Thread(target=rest)
        thread.start()
        piped = PipedText(stream)
        go.set()
        assert piped.text(wait_s=0.0 + 5, say=print) == "first second"
        thread.join()


def test_waiting_for_ever_when_asked_to() -> None:
    with pipe() as (stream, writing):
        timer = threading.Timer(0.1, lambda: (os.write(writing, b"late"), os.close(writing)))
        timer.start()
        assert PipedText(stream).text(wait_s=None, say=print) == "late"
        timer.join()


def test_too_much() -> None:
    with pytest.raises(UsageError, match="larger than 10 MB"):
        PipedText(BytesIO(b"x" * (LIMIT_BYTES + 1))).text(wait_s=5, say=print)


def test_just_enough() -> None:
    assert len(PipedText(BytesIO(b"x" * LIMIT_BYTES)).text(wait_s=5, say=print)) == LIMIT_BYTES


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\x00\x00", b"\xff\xd8\xff\xe0", b"a\0b"])
def test_binary_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match="not text") as raised:
        decode(data)
    assert raised.value.hint
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding: str) -> None:
    assert decode("grün 漢字".encode(encoding)) == "grün 漢字"


def test_an_unreadable_stream() -> None:
    class Broken(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(UsageError, match="Input/output error"):
        PipedText(Broken()).text(wait_s=5, say=print)
