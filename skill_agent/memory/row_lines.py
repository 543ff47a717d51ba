"""Memories as JSON lines: one object a line, read singly, none longer than a memory can be."""

import json
from collections.abc import Iterator
from typing import IO, Any

from skill_agent.errors import UsageError

LONGEST = 1024**2
"""Bytes of a line; the longest memory has a tenth of them."""


def lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Each line with its number; of one that is too long its first `LONGEST` + 1 bytes."""
    number = 0
    while line := stream.readline(LONGEST + 1):
        number += 1
        ended = line.endswith(b"\n") or len(line) <= LONGEST
        yield number, line
        while not ended and (rest := stream.readline(LONGEST)):
            ended = rest.endswith(b"\n")


def row_in(line: bytes, *, first: bool) -> dict[str, Any]:
    """The object in a line, `first` being the file's; raises UsageError where there is none."""
    if len(line) > LONGEST:
        raise UsageError(f"longer than {LONGEST:,} bytes, which no memory is")
    try:
        row = json.loads(line.decode("utf-8-sig" if first else "utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"not UTF-8 text at byte {error.start}") from None
    except (ValueError, RecursionError) as error:
        where = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise UsageError(f"not JSON{where}: expected one object a line") from None
    if not isinstance(row, dict):
        raise UsageError(f"expected an object, found {type(row).__name__}")
    return row


def rows_in(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Every line's object; raises UsageError at the first line that has none."""
    for number, line in lines(stream):
        if line.strip():
            try:
                yield row_in(line, first=number == 1)
            except UsageError as error:
                raise UsageError(f"line {number}: {error.message}", hint=error.hint) from None
