"""The team screen: what agents do for one another and together, live; stopping and steering it."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from textual import on
from textual.app import ComposeResult
from textual.widgets import OptionList

from skill_agent.errors import SkillAgentError
from skill_agent.events import CollaborationChanged, HostFound, TaskChanged
from skill_agent.values import NewCollaboration
from skill_agent.workstation.branches import Branch, running, work_of
from skill_agent.workstation.past import past_of

from ..frame.agents import AgentList
from ..frame.listing import Listing
from ..frame.page import FindRuntime, FindTrouble, Page, in_words
from . import deeds
from .actions import WorkActions
from .dialogs import TogetherDialog
from .pane import WorkPane
from .work_list import WorkList

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

LOOKING_PAUSE = 0.08
"""Seconds of quiet before a transcript is fetched."""
TICK = 1.0
"""Seconds between two looks at the clock while something runs."""
EMPTY = (
    "No agent has been given work yet.\n\n"
    "n begins something together: a goal, and who works on it.\n"
    "Or say “ask Luke to …” in a conversation."
)

Change = Literal["cancel", "write", "retry"]


class TeamScreen(Page):
    """Shows what has not ended first."""

    HEADING = "Team"
    PART = deeds.PART
    CSS_PATH = Path(__file__).with_name("team.tcss")
    WAKING = "Waking the team. Its work comes by itself."
    NEWS = (TaskChanged, CollaborationChanged, HostFound)

    def __init__(
        self, runtime: FindRuntime, trouble: FindTrouble, *, choose: str | None = None
    ) -> None:
        super().__init__(runtime, trouble, choose=choose)
        self._roots: list[Branch] = []
        self._agents = AgentList()
        self._open: str | None = None
        """The task whose transcript is shown."""

    # -- layout ------------------------------------------------------------------------------

    def _body(self) -> ComposeResult:
        yield from self._beside(WorkList(id="page-list"), WorkPane(id="page-pane"))

    def on_mount(self) -> None:
        self.set_interval(TICK, self._tick)

    @property
    def listing(self) -> WorkList:
        return self.query_one(WorkList)

    @property
    def pane(self) -> WorkPane:
        return self.query_one(WorkPane)

    def _tick(self) -> None:
        """Times go on, and so does what a task has used."""
        if running(self._roots):
            self._look_again()

    # -- the list ----------------------------------------------------------------------------

    async def _read(self, runtime: "Workstation") -> None:
        if not self._agents.all():
            self._agents = self.listing.agents = AgentList(await runtime.agents.list())
        self._roots = await work_of(runtime)
        if not self._roots:
            await self._show_none(EMPTY)
            return
        self._show_list()
        choose, self._chosen = self._chosen, None
        self.listing.put_all(self._roots, datetime.now(UTC), choose=choose)
        self._count(_counted(self._roots))

    async def _clear(self) -> None:
        self._roots = []
        self.listing.put([])
        await self.pane.say("")

    # -- the pane ----------------------------------------------------------------------------

    @on(Listing.Chosen)
    def chosen(self, event: Listing.Chosen) -> None:
        if event.thing.id != self._open:
            self._open = None
        self._draw(event.thing)

    def _draw(self, branch: Branch) -> None:
        self.run_worker(partial(self._tell, branch), group="pane", exclusive=True)

    async def _tell(self, branch: Branch) -> None:
        runtime = self._runtime()
        if self._open != branch.id or not branch.session or runtime is None:
            await self.pane.tell(branch, self._agents)
            return
        if self.pane.opened:
            await asyncio.sleep(LOOKING_PAUSE)
        try:
            past = await past_of(runtime, branch.session)
        except SkillAgentError as error:
            await self.pane.say(in_words(error))
            return
        await self.pane.tell(branch, self._agents, past)

    @on(OptionList.OptionSelected)
    def entered(self) -> None:
        branch = self.listing.chosen
        if branch is None:
            return
        if branch.kind == "task":
            self._open = None if self._open == branch.id else branch.id
            self._draw(branch)
        if branch.kind != "task" or self._open:
            self.pane.focus()

    # -- keys --------------------------------------------------------------------------------

    def action_back(self) -> None:
        """Esc: a transcript is closed, too."""
        if not self.listing.has_focus and self.listing.display:
            self._open = None
            if (branch := self.listing.chosen) is not None:
                self._draw(branch)
        super().action_back()

    def action_copy(self) -> None:
        if (branch := self.listing.chosen) is not None:
            self.app.copy_to_clipboard(branch.result)

    def action_do(self, deed: Change) -> None:
        """To the chosen piece of work; one thing at a time, its dialog included."""
        if (branch := self.listing.chosen) is not None:
            self.do(lambda runtime: getattr(self._actions(runtime), deed)(branch), alone=True)

    def action_begin(self) -> None:
        """A goal for several."""

        async def start(new: NewCollaboration) -> object:
            runtime = self._runtime()
            return await runtime.collaborations.start(new) if runtime else None

        def then(begun: bool) -> None:
            if begun:
                self.say("Begun")
                self._load(0)

        names = ", ".join(one.slug for one in self._agents.active()[:4])
        self.ask(TogetherDialog(names, start), then)

    def action_stop_all(self) -> None:
        self.do(lambda runtime: self._actions(runtime).cancel_all(self._roots), alone=True)

    def _actions(self, runtime: "Workstation") -> WorkActions:
        return WorkActions(runtime, self, self._agents)


def _counted(roots: list[Branch]) -> str:
    at_work, over = running(roots), sum(one.ended for one in roots)
    parts = [f"{at_work} at work"] if at_work else []
    return " · ".join([*parts, f"{over} ended"]) if over else parts[0]
