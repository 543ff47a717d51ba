"""Memories as JSON lines: one object a line, read singly, none longer than a memory can be."""

import json
from collections.abc import Iterator
from typing import IO, Any, NoReturn, Protocol

from skill_agent.errors import UsageError

LONGEST = 1024**2
"""Bytes of a line; the longest memory has a tenth of them."""
_SHOWN = 60


class Lines(Protocol):
    """What is read line by line."""

    def readline(self, size: int, /) -> bytes: ...


def lines(stream: Lines) -> Iterator[tuple[int, bytes]]:
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
        text = line.decode("utf-8-sig" if first else "utf-8")
        row = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise UsageError(f"not UTF-8 text at byte {error.start}") from None
    except json.JSONDecodeError as error:
        where = f"at column {error.colno}"
        raise UsageError(f"not JSON {where}: expected one object a line") from None
    except RecursionError:
        raise UsageError("lists and objects lie too deep in one another") from None
    except ValueError:  # Python's bound on the digits of a whole number
        raise UsageError("a number of too many digits") from None
    if not isinstance(row, dict):
        raise UsageError(f"expected an object, found {type(row).__name__}")
    return row


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"the key {twice[:_SHOWN]!r} stands there twice")
    return row


def _constant(name: str) -> Any:
    raise UsageError(f"{name} is no number of JSON")


class StrictRows:
    """Every line's object, one by one; the first that is wrong ends it with a UsageError that says
    which line it is, also where whoever takes the rows hands one back to `refuse`."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._line = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for number, line in lines(self._stream):
            self._line = number
            if line.strip():
                try:
                    row = row_in(line, first=number == 1)
                except UsageError as error:
                    self.refuse(error)
                else:
                    yield row

    def refuse(self, error: UsageError) -> NoReturn:
        raise UsageError(f"line {self._line}: {error.message}", hint=error.hint) from None
