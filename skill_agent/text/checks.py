"""Whether what comes from outside can be kept and found at all: texts, moments, paths.

What a value means is checked where it is used.
"""

from datetime import UTC, datetime
from pathlib import Path

from skill_agent.errors import UsageError

_LONGEST_PATH = 4_096


def sound_text(text: str, what: str = "the text") -> str:
    """The text itself; raises UsageError for half a surrogate pair, which no UTF-8 can say."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"{what} holds half of a surrogate pair: no valid Unicode", hint="send it as UTF-8"
        ) from None
    return text


def sound_moment(moment: datetime, what: str = "the moment") -> datetime:
    """The moment in UTC, which it is taken for without an offset; raises UsageError where UTC has
    no such moment."""
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        raise UsageError(f"{what} lies outside the years 1 to 9999 of UTC") from None


def sound_path(text: str | Path, what: str = "the path") -> Path:
    """The path; raises UsageError for what no file can be called."""
    said = sound_text(str(text), what)
    if "\0" in said or not said.strip():
        raise UsageError(f"{what} is no name of a file")
    if len(said) > _LONGEST_PATH or any(len(part.encode()) > 255 for part in Path(said).parts):
        raise UsageError(f"{what} is too long to be a file's")
    return Path(said)
