"""The memory screen: find a memory, read its story, and change what is wrong.

What is wanted goes to `paging`, changes go to `actions`; what a memory
looks like is `memory_list`'s and `story`'s business.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from skill_agent.errors import NotFound, SkillAgentError
from skill_agent.events import AnyEvent, Compacted, HostFound, MemoriesExtracted, MemorySaved
from skill_agent.values import MEMORY_TYPES, Memory, Story

from ..frame.agents import AgentList
from ..frame.deeds import Deed
from ..frame.page import FindRuntime, FindTrouble, Page, in_words
from ..frame.plain import printable
from . import deeds
from .actions import MemoryActions
from .memory_list import MemoryList
from .paging import PAGE, STATES, PagedQuery, State, Wanted, after, wanted_by
from .story import StoryView, sessions_in

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

TYPING_PAUSE, LIVE_PAUSE, LOOKING_PAUSE = 0.2, 0.3, 0.08
"""Seconds of quiet before a search runs, a change elsewhere shows, a story is fetched."""
TITLES = 30
"""Sessions whose titles are looked up for one story."""

EMPTY = "Nothing is remembered yet.\n\nSay “Remember that …” in a conversation."
NO_MATCH = "Nothing matches.\n\nEsc clears the search, x all filters."

Change = Literal["pin", "edit", "forget", "restore", "erase", "settle"]
CHANGES: dict[str, tuple[Change, ...]] = {
    "superseded": (),
    "archived": ("restore", "edit", "erase"),
    "disputed": ("settle", "edit", "forget", "erase", "pin"),
    "active": ("edit", "pin", "forget", "erase"),
}
"""What can be done with a memory in such a state."""


_OF_ONE = {"correct", "pin", "forget", "restore", "settle", "cross", "copy"}
"""What is offered only where there is a memory."""


class MemoryScreen(Page):
    """Opened with a memory's id it begins with that one, with `@kyra` or `@kyra:semantic` with what
    she may see."""

    HEADING = "Memory"
    PART = deeds.PART
    CSS_PATH = Path(__file__).with_name("memory.tcss")
    WAKING = "Waking the team. The memories come by themselves."
    NEWS = (MemorySaved, MemoriesExtracted, Compacted, HostFound)
    SEARCH = "Search by words or meaning"
    CHIPS = (
        ("t", "type", "step_type(1)"), ("a", "seen by", "step_agent(1)"),
        ("s", "state", "step_state(1)"), ("d", "disputes", "only('disputed')"),
        ("v", "to review", "only('to review')"),
    )  # fmt: skip

    def __init__(
        self, runtime: FindRuntime, trouble: FindTrouble, *, choose: str | None = None
    ) -> None:
        wanted = wanted_by(choose or "")
        choose = None if wanted else choose
        super().__init__(runtime, trouble, choose=choose)
        self._wanted = wanted or Wanted()
        self._asked_for = choose
        """A memory to show whether or not the list would have it."""
        self._pages: PagedQuery | None = None
        self._fetching = False
        self._disputes = 0
        self._agents = AgentList()
        self._titles: dict[str, str] = {}

    # -- layout ------------------------------------------------------------------------------

    def _body(self) -> ComposeResult:
        yield from self._beside(MemoryList(id="page-list"), StoryView(id="page-pane"))

    @property
    def listing(self) -> MemoryList:
        return self.query_one(MemoryList)

    @property
    def story(self) -> StoryView:
        return self.query_one(StoryView)

    async def _hear(self, runtime: "Workstation", event: AnyEvent) -> None:
        self._load(LIVE_PAUSE, keep=True)

    # -- the list ----------------------------------------------------------------------------

    def _load(self, pause: float, *, keep: bool = False) -> None:
        """Asks anew; what was being asked is given up. `keep` fetches as far as one has gone."""
        self._draw_asking()
        read = partial(self._read, keep=keep)
        self.run_worker(partial(self._fetch, pause, read), group="load", exclusive=True)

    async def _read(self, runtime: "Workstation", *, keep: bool = False) -> None:
        pages = PagedQuery(
            runtime.memory, self._wanted, floor=runtime.settings.memory.relevance_floor
        )
        place = self.listing.place(self._chosen) if keep and self._chosen else None
        if not keep:
            self._count("looking …")
        if not self._agents.all():
            self._agents = self.listing.agents = AgentList(await runtime.agents.list())
        self._disputes = len(await runtime.memory.disputes())
        found = await pages.next(max(PAGE, (place or 0) + PAGE // 2))
        if self._asked_for and self._asked_for not in {one.id for one in found}:
            found.insert(0, await runtime.memory.get(self._asked_for))
        self._pages = pages
        if found:
            self._show(found, keep)
        else:
            await self._show_none(NO_MATCH if self._wanted.narrowed else EMPTY)

    def _show(self, found: list[Memory], keep: bool) -> None:
        self._show_list()
        best_first = bool(self._wanted.words) and not keep
        self.listing.put(found, choose=None if best_first else self._chosen, stay=keep)
        self._draw_count()
        self._draw_asking()

    async def _clear(self) -> None:
        self.listing.put([])
        self.run_worker(partial(self.story.say, ""), group="story", exclusive=True)
        self._draw_asking()

    @on(MemoryList.MoreWanted)
    def more(self) -> None:
        pages = self._pages
        if pages is not None and pages.more and not self._fetching:
            self._fetching = True
            self.run_worker(partial(self._fetch_more, pages), group="more")

    async def _fetch_more(self, pages: PagedQuery) -> None:
        try:
            found = await pages.next()
        except SkillAgentError as error:
            self._count(printable(error.message))
            return
        finally:
            self._fetching = False
        if pages is self._pages:
            self.listing.append(found)
            self._draw_count()

    # -- the story ---------------------------------------------------------------------------

    @on(MemoryList.Chosen)
    def chosen(self, event: MemoryList.Chosen) -> None:
        self._chosen = event.memory.id
        self.refresh_bindings()
        fetch = partial(self._fetch_story, event.memory.id)
        self.run_worker(fetch, group="story", exclusive=True)

    async def _fetch_story(self, memory_id: str) -> None:
        runtime = self._runtime()
        if runtime is None:
            return
        if self.story.shown is not None:
            await asyncio.sleep(LOOKING_PAUSE)
        try:
            story = await runtime.memory.story(memory_id)
            await self._name_sessions(runtime, story)
        except SkillAgentError as error:
            await self.story.say(in_words(error))
            return
        await self.story.tell(story, self._agents, self._titles)

    async def _name_sessions(self, runtime: "Workstation", story: Story) -> None:
        unknown = [one for one in sessions_in(story) if one not in self._titles]
        for session_id in unknown[:TITLES]:
            with suppress(NotFound):  # it was erased
                self._titles[session_id] = (await runtime.conversations.find(session_id)).title

    # -- asking ------------------------------------------------------------------------------

    def _search(self) -> None:
        self._want(replace(self._wanted, words=self.words), TYPING_PAUSE)

    def _want(self, wanted: Wanted, pause: float = 0) -> None:
        if wanted != self._wanted:
            self._wanted, self._asked_for = wanted, None
            self._load(pause)

    def action_step_type(self, step: int) -> None:
        kind = after(self._wanted.memory_type, (None, *MEMORY_TYPES), step)
        self._want(replace(self._wanted, memory_type=kind))

    def action_step_agent(self, step: int) -> None:
        slugs = (None, *(member.slug for member in self._agents.all()))
        self._want(replace(self._wanted, agent=after(self._wanted.agent, slugs, step)))

    def action_step_state(self, step: int) -> None:
        self._want(replace(self._wanted, state=after(self._wanted.state, STATES, step)))

    def action_only(self, state: State) -> None:
        """That state, or back to what is in use."""
        same = self._wanted.state == state
        self._want(replace(self._wanted, state="in use" if same else state))

    def action_clear(self) -> None:
        self.forget_words()
        self._want(Wanted())

    @on(MemoryList.LeftUp)
    def left_up(self) -> None:
        self.action_search()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What a memory's state forbids is not offered."""
        memory = self.listing.chosen if self.is_mounted else None
        if action == "do" and memory is not None:
            return parameters[0] in CHANGES[memory.status]
        return super().check_action(action, parameters)

    def foot_label(self, deed: Deed) -> str | None:
        memory = self.listing.chosen
        if memory is None and deed.id.removeprefix("memory.") in _OF_ONE:
            return None
        if memory is not None and deed.id == "memory.clear" and not self._wanted.narrowed:
            return None
        return "unpin" if memory and memory.pinned and deed.id == "memory.pin" else deed.label

    def action_turn(self, step: int) -> None:
        """Around: search, list, story."""
        stops = [one for one in (self.query_one(Input), self.listing, self.story) if one.display]
        at = next((i for i, one in enumerate(stops) if one is self.focused), 0)
        stops[(at + step) % len(stops)].focus()

    # -- changing ----------------------------------------------------------------------------

    @on(MemoryList.OptionSelected)
    async def entered(self) -> None:
        memory = self.listing.chosen
        if memory is not None and memory.status == "disputed":
            self.action_do("settle")
        else:
            self.story.focus()

    def action_copy(self) -> None:
        if (memory := self.listing.chosen) is not None:
            self.app.copy_to_clipboard(memory.content)

    def action_do(self, deed: Change) -> None:
        """Changes the chosen memory; one change at a time, its dialog included."""
        if (memory := self.listing.chosen) is not None:
            self.do(partial(self._change, deed, memory), alone=True)

    async def _change(self, deed: Change, memory: Memory, runtime: "Workstation") -> None:
        actions = MemoryActions(runtime, self, self._agents)
        written: Memory | None = await getattr(actions, deed)(memory)
        if written is not None:
            if self._asked_for == memory.id:
                self._asked_for = None if deed == "erase" else written.id
            self._chosen = written.id

    def _after_deed(self) -> None:
        self._load(0, keep=True)

    # -- drawing -----------------------------------------------------------------------------

    def _draw_asking(self) -> None:
        wanted, count = self._wanted, self._disputes
        kind, agent, state, disputes, review = self.chips
        kind.tell((wanted.memory_type or "any").replace("_", " "), lit=bool(wanted.memory_type))
        agent.tell(
            self._agents[wanted.agent].name if wanted.agent else "any", lit=bool(wanted.agent)
        )
        state.tell(wanted.state, lit=wanted.state != "in use")
        disputes.tell(str(count), lit=count > 0)
        review.tell("only" if wanted.state == "to review" else "", lit=True)
        self.refresh_bindings()

    def _draw_count(self) -> None:
        count = len(self.listing.memories)
        more = "+" if self._pages is not None and self._pages.more else ""
        order = "best first" if self._wanted.words else "newest first"
        what = "memory" if count == 1 and not more else "memories"
        self._count(f"{count:,}{more} {what} · {order}")
