"""What waits or goes on elsewhere, counted for the status line."""

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.css.query import NoMatches

from .parts import TalkParts

if TYPE_CHECKING:
    from skill_agent.values import Usage


class Counting(TalkParts):
    """Looks things up when something has changed, and shows how many there are."""

    def waiting(self) -> dict[str, str]:
        """What is known to wait or go on, by place."""
        known = self.figures
        counts = {
            "inbox": f"{known.waiting} {'waits' if known.waiting == 1 else 'wait'}",
            "memory": f"{known.disputed} disputed",
            "team": f"{known.at_work} at work",
            "jobs": known.background,
        }
        return {name: words for name, words in counts.items() if words and words[:2] != "0 "}

    def look_around(self) -> None:
        """Counts all of it, soon."""
        self.look_for_disputes()
        self.look_for_work()
        self.look_into_inbox()
        self.look_for_background()
        self.look_for_questions()
        self.look_at_today()

    def set_disputed(self, count: int) -> None:
        with suppress(NoMatches):  # counted while the screen was being taken down
            self.figures = replace(self.figures, disputed=count)

    def set_at_work(self, count: int) -> None:
        with suppress(NoMatches):  # counted while the screen was being taken down
            self.figures = replace(self.figures, at_work=count)

    def set_waiting(self, count: int) -> None:
        with suppress(NoMatches):  # counted while the screen was being taken down
            self.figures = replace(self.figures, waiting=count)

    def look_into_inbox(self) -> None:
        if self._home is not None:
            counting = self._home.asking.count_inbox
            self.run_worker(counting, group="inbox", exclusive=True)

    def set_today(self, used: "Usage") -> None:
        with suppress(NoMatches):  # added up while the screen was being taken down
            self.figures = replace(self.figures, today=used)

    def look_at_today(self) -> None:
        if self._home is not None:
            adding = self._home.asking.count_today
            self.run_worker(adding, group="today", exclusive=True)

    def set_background(self, brief: str) -> None:
        with suppress(NoMatches):  # looked up while the screen was being taken down
            self.figures = replace(self.figures, background=brief)

    def look_for_background(self) -> None:
        if self._home is not None:
            looking = self._home.asking.count_background
            self.run_worker(looking, group="background", exclusive=True)

    def look_for_work(self) -> None:
        if self._home is not None:
            counting = self._home.asking.count_work
            self.run_worker(counting, group="work", exclusive=True)

    def look_for_questions(self) -> None:
        if self._home is not None:
            asked = self._home.asking.look_for_questions
            self.run_worker(asked, group="questions", exclusive=True)

    def look_for_disputes(self) -> None:
        if self._home is not None:
            counting = self._home.asking.count_disputes
            self.run_worker(counting, group="disputes", exclusive=True)
