"""A summary in words of the program's own: the person's sentences under headings, each with where
it was said. Its words are data, the heading `[summary]` of a language's file; English elsewhere.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from skill_agent.text.clock import local, minute_of
from skill_agent.text.language import english, language
from skill_agent.values import SUMMARY_MARKS, SummaryMark, SummaryPoint, SummaryTalk

from .facts import Facts
from .span import Span, midnight

MOST_LINES = 12
"""Under one heading; what is left is counted."""
_REF = 13
"""Characters of an id that tell it from others: `ska sessions show` takes them."""
_OWN: tuple[SummaryMark, ...] = ("decided", "promised", "open", "due")
"""What is in the person's words, and so in quotation marks."""


class Wording:
    """In one language."""

    def __init__(self, code: str) -> None:
        known = language(code)
        if known is None or "summary" not in known.tables:
            known = english()
        self.language = known
        self._words: Mapping[str, Any] = known.tables["summary"]

    def title(self, span: Span) -> str:
        return self._words["title"].format(span=self.span(span))

    def text(self, facts: Facts) -> str:
        """All of it; one line where there is nothing."""
        if facts.empty:
            return self._words["nothing"].format(span=self.span(facts.span))
        parts = [self.title(facts.span)]
        if facts.talks:
            parts.append(self._part("talked", self._talks(facts.talks)))
        numbers = {one.id: at for at, one in enumerate(facts.talks, 1)}
        for mark in SUMMARY_MARKS:
            found = [one for one in facts.points if one.mark == mark]
            lines = [self._line(one, numbers, facts.span.zone) for one in found]
            if lines:
                parts.append(self._part(mark, lines))
        if facts.unread:
            parts.append(self._words["unread"].format(count=f"{facts.unread:,}"))
        return "\n\n".join(parts)

    def span(self, span: Span) -> str:
        """A day by its name; a longer span, and one that begins elsewhere, with its times."""
        if span.since == midnight(span.until, span.zone):
            return self.day(local(span.until, span.zone).date())
        return f"{minute_of(span.since, span.zone)} – {minute_of(span.until, span.zone)}"

    def day(self, day: date, *, short: bool = False) -> str:
        return self._words["short" if short else "day"].format(
            weekday=self._words["weekdays"][day.weekday()],
            day=day.day,
            month=self._words["months"][day.month - 1],
            year=day.year,
        )

    def _part(self, heading: str, lines: Sequence[str]) -> str:
        shown = list(lines[:MOST_LINES])
        if left := len(lines) - len(shown):
            shown.append(f"- {self._words['more'].format(count=left)}")
        return "\n".join((self._words[heading], *shown))

    def _talks(self, talks: Sequence[SummaryTalk]) -> list[str]:
        return [
            f"[{at}] {one.title} ({one.agent}, {self._count(one.messages)}, {one.id[:_REF]})"
            for at, one in enumerate(talks, 1)
        ]

    def _count(self, messages: int) -> str:
        return self._words["one" if messages == 1 else "many"].format(count=messages)

    def _line(self, point: SummaryPoint, numbers: Mapping[str, int], zone: str) -> str:
        said = point.worded or point.text
        if not point.worded and point.mark in _OWN:
            said = said.join(self._words["quotes"])
        until = ""
        if point.until and point.until not in said:
            until = f" ({self.day(date.fromisoformat(point.until), short=True)})"
        return f"- {said}{until} {_source(point, numbers, zone)}"


def _source(point: SummaryPoint, numbers: Mapping[str, int], zone: str) -> str:
    """By which a reader finds where it was said: the conversation's number and the time, or the id
    of the memory or the work."""
    if point.session in numbers and point.at is not None:
        return f"[{numbers[point.session]}, {local(point.at, zone):%H:%M}]"
    return f"[{(point.memory or point.work or point.session)[:_REF]}]"
