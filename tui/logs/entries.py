"""Lines of the host's log as entries: what was said when, how grave it is, and what follows it.

Draws nothing. A line that begins no entry belongs to the one before it, as a report of an error
does.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

Level = Literal["all", "warnings", "errors"]
LEVELS: tuple[Level, ...] = get_args(Level)
_GRAVE: dict[Level, tuple[str, ...]] = {
    "warnings": ("WARNING", "ERROR", "CRITICAL"),
    "errors": ("ERROR", "CRITICAL"),
}
_BEGINS = re.compile(
    r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)[,.]?\d* ([A-Z]{4,8}) ([\w.]{1,200}) (.*)", re.DOTALL
)
_PACKAGE = "skill_agent."
MOST_LINES = 2_000
"""Of one entry; what follows them is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that was logged."""

    day: str = ""
    time: str = ""
    level: str = ""
    part: str = ""
    """Of the program."""
    text: str
    more: tuple[str, ...] = ()
    """Lines that follow."""
    gap: bool = False
    """It stands for what could not be read."""

    @property
    def whole(self) -> str:
        """As the file has it, but for fractions of a second."""
        head = " ".join(one for one in (self.day, self.time, self.level, self.part) if one)
        return "\n".join([f"{head} {self.text}".strip(), *self.more])


GAP = Entry(text="… lines are missing here: they were rotated away …", gap=True)


def added(entries: Sequence[Entry], lines: Iterable[str]) -> list[Entry]:
    """The entries with what new lines say."""
    found = list(entries)
    more: list[str] = []
    for line in lines:
        if (begun := _BEGINS.fullmatch(line)) is None and found and not found[-1].gap:
            more.append(line)
            continue
        _close(found, more)
        found.append(_entry(begun) if begun else Entry(text=line))
    _close(found, more)
    return found


def fits(entry: Entry, words: str, level: Level) -> bool:
    """Whether it has all the words and is as grave as that."""
    if level != "all" and entry.level not in _GRAVE[level]:
        return False
    text = entry.whole.casefold()
    return all(word in text for word in words.casefold().split())


def pretty(text: str) -> str:
    """The text; what is JSON at its end on lines of its own."""
    at = text.find("{")
    if at < 0:
        return text
    try:
        found = json.loads(text[at:])
    except (ValueError, RecursionError):
        return text
    return f"{text[:at].rstrip()}\n{json.dumps(found, indent=2, ensure_ascii=False)}".lstrip()


def _entry(begun: "re.Match[str]") -> Entry:
    day, time, level, part, text = begun.groups()
    return Entry(day=day, time=time, level=level, part=part.removeprefix(_PACKAGE), text=text)


def _close(found: list[Entry], more: list[str]) -> None:
    """Gives the last entry the lines that followed it."""
    if more:
        found[-1] = replace(found[-1], more=(*found[-1].more, *more)[:MOST_LINES])
        more.clear()
