"""A home that refuses every operation: each place says so, no key of it ends the app."""

import inspect
from typing import Any

from skill_agent.tui.frame.page import Page
from skill_agent.tui.places import PLACES
from stage import StageRuntime
from stage_agents import shelf as skills
from stage_book import shelf
from stage_inbox import full
from stage_jobs import at_their_times
from stage_work import at_work, behind
from textual.widgets import Static

from skill_agent.errors import StoreError
from skill_agent.events import HostFound

LEAVES = {"agents.talk_too"}
"""Deeds that lead away from a place, whatever the home says."""
WHY = "the ledger cannot be read"


class Refused:
    """A group of operations that fail while its stage says so."""

    def __init__(self, group: Any, stage: "RefusingRuntime") -> None:
        self._group, self._stage = group, stage

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._group, name)
        asked = inspect.iscoroutinefunction(getattr(type(self._group), name, None))
        return self._refuse if self._stage.refuses and asked else operation

    async def _refuse(self, *_: Any, **__: Any) -> Any:
        raise StoreError(WHY, hint="ska doctor")


class RefusingRuntime(StageRuntime):
    """Opens, and refuses all from the moment it is told to."""

    refuses = False

    def __init__(self) -> None:
        super().__init__([["Back again."]], memory=shelf())
        full(self.post)
        at_work(self.given, self.together)
        at_their_times(self.timed)
        behind(self.background)
        skills(self.shelf)
        self._groups = {name: Refused(one, self) for name, one in self._groups.items()}


async def test_every_place_says_so_and_goes_on(sit) -> None:
    stage = RefusingRuntime()
    async with sit(stage, size=(120, 40)) as seat:
        await seat.settled()
        for place in PLACES:
            stage.refuses = True
            seat.app.action_place(place.name)
            page = await seat.at(place.load())
            assert isinstance(page, Page)
            await seat.until(lambda page=page: page.has_class("-bad"))
            assert WHY in str(page.query_one("#page-none", Static).render()), place.name
            assert "ska doctor" in str(page.query_one("#page-none", Static).render()), place.name
            stage.refuses = False
            stage.bus.publish(HostFound(pid=1, here=True))
            await seat.until(lambda page=page: not page.has_class("-bad"))
            await seat.settled()
            stage.refuses = True
            await every_key(seat, page)
            stage.refuses = False
            await seat.press("escape")
            await seat.until(lambda page=page: page not in seat.app.screen_stack)
        await seat.say("still there?")
        await seat.until(lambda: "Back again." in seat.shown())
    assert (seat.app.exit_code, seat.app.crashed) == (0, False)


async def every_key(seat: Any, page: Page) -> None:
    """Each key of the place once; what it opens is left again."""
    stays = [one for one in page.PART.deeds if one.id not in LEAVES]
    keys = [one for deed in stays for one in deed.keys.split(",") if len(one) == 1]
    for key in keys:
        if seat.app.screen is page and page.listing.display:
            page.listing.focus()
        await seat.press(key)
        await seat.until(lambda: not busy(seat))
        while seat.app.screen is not page:
            await seat.press("escape")
            await seat.settled()
    await seat.settled()


def busy(seat: Any) -> bool:
    """Whether something is done for which nobody is asked."""
    page = seat.app.screen
    return any(
        not one.is_finished and one.group in ("deed", "load", "draw", "pane", "story")
        for one in page.workers
        if isinstance(page, Page)
    ) and not any(not isinstance(one, Page) for one in seat.app.screen_stack[2:])
