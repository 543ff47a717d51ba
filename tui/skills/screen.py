"""The skills screen: what there is, whom it may speak to; read, approved, made a tool of."""

import asyncio
from collections.abc import Awaitable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Input, OptionList

from skill_agent.errors import SkillAgentError
from skill_agent.events import AgentsChanged, HostFound
from skill_agent.values import SkillPage

from ..frame.agents import AgentList, Member
from ..frame.deeds import Deed
from ..frame.page import FindRuntime, FindTrouble, Page, in_words
from . import deeds
from .dialogs import ApproveDialog, ToolDialog
from .pane import SkillPane
from .rows import SHOWN, Entry, Show, SkillList, entries, wanted

if TYPE_CHECKING:
    from skill_agent.agents.dna import AgentDNA
    from skill_agent.workstation import Workstation

LOOKING_PAUSE = 0.08
"""Seconds a skill must stay chosen before it is read."""
EMPTY = "There are no skills.\n\nA folder with a SKILL.md in the home's skills folder is one."
NO_MATCH = "Nothing matches.\n\nx clears the search and the filter."


class SkillsScreen(Page):
    """What agents can be taught."""

    HEADING = "Skills"
    PART = deeds.PART
    CSS_PATH = Path(__file__).with_name("skills.tcss")
    WAKING = "Waking the team. The skills come by themselves."
    NEWS = (AgentsChanged, HostFound)
    SEARCH = "Search all skills"
    CHIPS = (("f", "show", "filter"),)

    def __init__(
        self, runtime: FindRuntime, trouble: FindTrouble, *, choose: str | None = None
    ) -> None:
        super().__init__(runtime, trouble, choose=choose)
        self._members = AgentList()
        self._found: list[Entry] = []
        self._home = Path()
        self._show: Show = "all"
        self._page: SkillPage | None = None
        """The one that is read."""

    def _body(self) -> ComposeResult:
        yield from self._beside(SkillList(id="page-list"), SkillPane(id="page-pane"))

    def on_mount(self) -> None:
        self.chips[0].tell(self._show, lit=False)

    @property
    def listing(self) -> SkillList:
        return self.query_one(SkillList)

    @property
    def pane(self) -> SkillPane:
        return self.query_one(SkillPane)

    # -- what is shown -----------------------------------------------------------------------

    async def _read(self, runtime: "Workstation") -> None:
        skills = await runtime.skills.list()
        agents = await runtime.agents.list()
        tools = await runtime.skill_tools.list()
        self._members.become(agents)
        self._home = runtime.home.root
        self._found = entries(skills, _having(agents, self._members), tools)
        await self._draw()

    async def _draw(self) -> None:
        shown = wanted(self._found, self._show, self.words)
        if not shown:
            await self._show_none(NO_MATCH if self._found else EMPTY)
            return
        self._show_list()
        choose, self._chosen = self._chosen, None
        self.listing.put(shown, self._home, choose)
        waiting = sum(one.waits for one in self._found)
        refused = sum(not one.skill.loaded for one in self._found)
        parts = [f"{waiting} wait for you"] if waiting else []
        parts += [f"{refused} refused"] if refused else []
        self._count(" · ".join([*parts, f"{len(self._found)} in all"]))

    async def _clear(self) -> None:
        self.listing.put([], self._home)
        self._page = None
        await self.pane.say("")

    @on(SkillList.Chosen)
    def chosen(self, event: SkillList.Chosen) -> None:
        self._page = None
        self.refresh_bindings()
        self.run_worker(partial(self._look_at, event.entry), group="pane", exclusive=True)

    async def _look_at(self, entry: Entry) -> None:
        if (runtime := self._runtime()) is None:
            return
        await asyncio.sleep(LOOKING_PAUSE)
        try:
            self._page = await runtime.skills.page(entry.id)
        except SkillAgentError as error:
            await self.pane.say(in_words(error))
            return
        await self.pane.tell(entry, self._page, self._home)

    @on(OptionList.OptionSelected)
    def entered(self) -> None:
        self.pane.focus()

    # -- finding -----------------------------------------------------------------------------

    def _search(self) -> None:
        """In what is read already."""
        self.run_worker(self._draw, group="draw", exclusive=True)

    def action_filter(self) -> None:
        self._filter(SHOWN[(SHOWN.index(self._show) + 1) % len(SHOWN)])

    def action_clear(self) -> None:
        self.forget_words()
        self._filter("all")

    def _filter(self, show: Show) -> None:
        self._show = show
        self.chips[0].tell(show, lit=show != "all")
        self._search()

    def action_cross(self) -> None:
        """Around: list, skill; out of the search."""
        if isinstance(self.focused, Input):
            self._to_list()
        else:
            super().action_cross()

    # -- changing ----------------------------------------------------------------------------

    def foot_label(self, deed: Deed) -> str | None:
        """Only what the chosen one can take."""
        entry = self.listing.chosen if self.is_mounted else None
        fits = {
            "skills.approve": entry is not None and entry.waits,
            "skills.revoke": entry is not None and bool(entry.skill.approved_for),
            "skills.tool": entry is not None and entry.skill.loaded,
            "skills.read": entry is not None,
            "skills.clear": self._show != "all",
        }
        return deed.label if fits.get(deed.id, True) else None

    def action_copy(self) -> None:
        if self._page is not None:
            self.app.copy_to_clipboard(self._page.text)

    @work(group="deed")
    async def action_approve(self) -> None:
        page, runtime = self._page, self._runtime()
        if page is None or runtime is None:
            return
        skill = page.skill
        if not skill.loaded:
            self.say(f"It cannot be used: {skill.reason}")
        elif skill.trust in ("trusted", "approved"):
            self.say("It is trusted already.")
        elif await self.app.push_screen_wait(ApproveDialog(page)):
            await self._done(runtime.skills.approve(skill.name, skill.digest), "Approved")

    @work(group="deed")
    async def action_revoke(self) -> None:
        entry, runtime = self.listing.chosen, self._runtime()
        if entry is not None and runtime is not None:
            await self._done(runtime.skills.revoke(entry.skill.name), "Taken back: it asks again")

    @work(group="deed")
    async def action_tool(self) -> None:
        entry, runtime = self.listing.chosen, self._runtime()
        if entry is None or runtime is None or not entry.skill.loaded:
            return
        has = {one.agent for one in entry.tools}
        name = entry.skill.name
        slug = await self.app.push_screen_wait(ToolDialog(name, self._members.all(), has))
        if slug is None:
            return
        who = self._members[slug].name
        if slug in has:
            await self._done(runtime.skill_tools.deactivate(name, slug), f"No tool of {who} now")
        else:
            await self._done(runtime.skill_tools.activate(name, slug), f"A tool of {who} now")

    async def _done(self, deed: Awaitable[Any], said: str) -> None:
        if await self.attempt(deed) is not None:
            self.say(said)
        self._load(0)


def _having(agents: "list[AgentDNA]", members: AgentList) -> dict[str, list[Member]]:
    """The agents that have each skill."""
    found: dict[str, list[Member]] = {}
    for dna in agents:
        for name in dna.effective_skills:
            found.setdefault(name, []).append(members[dna.slug])
    return found
