"""JSON of others as plain values: one row at a time, whatever it holds, with errors in words.

A value that cannot mean what its key says is None, so that one odd field costs no conversation.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NoReturn

import msgspec

from skill_agent.errors import UsageError
from skill_agent.identifiers import parse_time
from skill_agent.privacy.json_rows import Bytes, NotRows, rows

LARGEST_ROW = 64 * 1024**2
LARGEST_FILE = 256 * 1024**2
"""Bytes of one conversation, and of a file that is read as a whole."""
_HALF = re.compile("[\ud800-\udfff]")
_OLDEST = datetime(1970, 1, 2, tzinfo=UTC)
_MILLISECONDS = 1e11
"""Seconds since 1970 that lie after the year 5000: such a number counts milliseconds."""


def rows_of(stream: Bytes, place: str) -> Iterator[tuple[int, bytes]]:
    """The objects of a file that is one long list, numbered from 1, undecoded and one at a time.

    Raises UsageError where the file is no such list, or is not whole.
    """
    try:
        for number, (_, raw) in enumerate(rows(_AsRows(stream), ("rows",), most=LARGEST_ROW), 1):
            yield number, raw
    except NotRows as error:
        told = str(error).replace("rows: ", "").replace("rows is no list", "it is no list")
        raise UsageError(
            f"{place} is not the list of conversations it should be: {told}",
            hint="nothing was imported; download or unpack it again",
        ) from None


class _AsRows:
    """A stream whose whole text is the value of a key, for `rows` reads lists under keys."""

    def __init__(self, stream: Bytes) -> None:
        self._stream, self._parts = stream, [b'{"rows":', b"}"]

    def read(self, size: int, /) -> bytes:
        if len(self._parts) == 2:
            first = self._parts.pop(0)
            return first + self._stream.read(3).removeprefix(b"\xef\xbb\xbf")
        return self._stream.read(size) or (self._parts.pop() if self._parts else b"")


def whole(stream: Bytes, place: str) -> Any:
    """The value of a file that is read as a whole; raises UsageError."""
    raw = stream.read(LARGEST_FILE + 1)
    if len(raw) > LARGEST_FILE:
        raise UsageError(f"{place} has more than {LARGEST_FILE:,} bytes")
    try:
        return decoded(raw)
    except UsageError as error:
        raise UsageError(f"{place}: {error.message}", hint="nothing was imported") from None


def decoded(raw: bytes) -> Any:
    """The value that JSON holds; raises UsageError with what is wrong with it."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return _lenient(raw)


def _lenient(raw: bytes) -> Any:
    """As Python reads it, with half characters; slower, and with the better errors."""
    try:
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise UsageError(f"not UTF-8 text at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise UsageError(f"not JSON at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise UsageError("lists and objects lie too deep in one another") from None
    except ValueError:  # Python's bound on the digits of a whole number
        raise UsageError("a number of too many digits") from None
    return value


def _constant(name: str) -> NoReturn:
    raise UsageError(f"{name} is no number of JSON")


def text(value: object) -> str:
    """A text that can be kept, with a sign for each half of a character; empty for what is none."""
    if not isinstance(value, str):
        return ""
    return _HALF.sub("\ufffd", value).replace("\0", "")


def texts(value: object) -> tuple[str, ...]:
    """Those of a list that are texts, or the one text."""
    several = value if isinstance(value, list) else [value]
    return tuple(said for one in several if (said := text(one).strip()))


def mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def plain(value: object, deepest: int = 16) -> Any:
    """A value that can be kept as it is: its texts sound, nothing deeper in itself than that."""
    if isinstance(value, str):
        return text(value)
    if not isinstance(value, dict | list):
        return value
    if deepest == 0:
        return None
    if isinstance(value, list):
        return [plain(one, deepest - 1) for one in value]
    return {text(str(key)): plain(one, deepest - 1) for key, one in value.items()}


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def moment(value: object) -> datetime | None:
    """A time as a number of seconds (or milliseconds) since 1970 or as ISO 8601 text; None for
    what names none."""
    try:
        if isinstance(value, str) and value.strip():
            return _sound(parse_time(value))
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if value > _MILLISECONDS else value
            return _sound(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _sound(at: datetime) -> datetime | None:
    at = at.astimezone(UTC)
    return at if at >= _OLDEST else None


def zone(value: object) -> str:
    """The offset a time is written with, as `+02:00`; empty where it says UTC or nothing."""
    if not isinstance(value, str) or moment(value) is None:
        return ""
    found = re.search(r"[+-]\d\d:?\d\d$", value.strip())
    offset = found[0] if found else ""
    offset = f"{offset[:3]}:{offset[-2:]}" if offset else ""
    return "" if offset in ("+00:00", "-00:00") else offset


def blocks(value: object, kinds: tuple[str, ...] = ("text",)) -> str:
    """The words of a content that is a text, or a list of blocks of which these kinds are words."""
    if isinstance(value, str):
        return text(value)
    said = [
        text(one) if isinstance(one, str) else text(mapping(one).get("text"))
        for one in listed(value)
        if isinstance(one, str) or mapping(one).get("type") in kinds
    ]
    return "\n\n".join(one for one in said if one.strip())
