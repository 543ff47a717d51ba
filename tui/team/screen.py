"""The team screen: what agents do for one another and together, live, and stopping or steering it.

It lies over the conversation and leaves it as it was. What is shown is always read anew from the
home; events only say when.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static

from skill_agent.errors import SkillAgentError
from skill_agent.events import CollaborationChanged, HostFound, TaskChanged
from skill_agent.workstation.branches import Branch, running, work_of
from skill_agent.workstation.past import past_of

from ..frame.agents import AgentList
from ..frame.help import TEAM_KEYS, KeyHelp
from ..frame.plain import printable
from .actions import WorkActions
from .pane import WorkPane
from .work_list import WorkList

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

LIVE_PAUSE, LOOKING_PAUSE = 0.2, 0.08
"""Seconds of quiet before a change shows, a transcript is fetched."""
TICK = 1.0
"""Seconds between two looks at the clock while something runs."""
WAKING = "Waking the team. Its work comes by itself."
EMPTY = (
    "No agent has been given work yet.\n\n"
    "Say “ask Luke to …” in a conversation, or run: ska team run"
)
KEYS = (
    ("Enter", "read"), ("c", "stop"), ("w", "write"), ("r", "anew"), ("Esc", "back"),
    ("C", "stop all"), ("F1", "all keys"),
)  # fmt: skip

Deed = Literal["cancel", "write", "retry"]


class TeamScreen(Screen[None]):
    """Shows what has not ended first."""

    HORIZONTAL_BREAKPOINTS = [(0, "-stacked"), (110, "-beside")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", show=False),
        Binding("f7,ctrl+t", "dismiss(None)", "Back", show=False, priority=True),
        Binding("f1", "keys", "Keys", show=False, priority=True),
        Binding("tab,shift+tab", "turn", show=False, priority=True),
        Binding("c", "do('cancel')", "Stop", show=False),
        Binding("C", "stop_all", "Stop all", show=False),
        Binding("w", "do('write')", "Write", show=False),
        Binding("r", "do('retry')", "Begin anew", show=False),
        Binding("y", "copy", "Copy the result", show=False),
    ]

    def __init__(
        self,
        runtime: "Callable[[], Workstation | None]",
        trouble: Callable[[], SkillAgentError | None],
    ) -> None:
        """`trouble` is why there is no runtime, where that is known."""
        super().__init__()
        self._runtime, self._trouble = runtime, trouble
        self._roots: list[Branch] = []
        self._agents = AgentList()
        self._doing = False
        self._open: str | None = None
        """The task whose transcript is shown."""

    # -- layout ------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        with Horizontal(id="team-head"):
            yield Static("Team", id="team-name")
            yield Static("", id="team-count")
        with Container(id="team-body"):
            with Vertical(id="team-found"):
                yield Static("", id="team-none", markup=False)
                yield WorkList(id="team-list")
            yield WorkPane(id="team-pane")
        yield Static(_keys(), id="team-keys")

    def on_mount(self) -> None:
        self.listing.focus()
        self.set_interval(TICK, self._tick)
        self.awake()

    @property
    def listing(self) -> WorkList:
        return self.query_one(WorkList)

    @property
    def pane(self) -> WorkPane:
        return self.query_one(WorkPane)

    def awake(self) -> None:
        """The home is open now, or it is known why not."""
        runtime = self._runtime()
        if runtime is not None:
            self.run_worker(partial(self._listen, runtime), group="listen", exclusive=True)
        self._load(0)

    async def _listen(self, runtime: "Workstation") -> None:
        with runtime.turns.subscribe() as heard:
            async for event in heard:
                if isinstance(event, TaskChanged | CollaborationChanged | HostFound):
                    self._load(LIVE_PAUSE)

    def _tick(self) -> None:
        """Times go on, and so does what a task has used."""
        busy = any(one.group == "load" and not one.is_finished for one in self.workers)
        if running(self._roots) and not busy:
            self._load(0)

    # -- the list ----------------------------------------------------------------------------

    def _load(self, pause: float) -> None:
        """Reads all anew; what was being read is given up."""
        self.run_worker(partial(self._fetch, pause), group="load", exclusive=True)

    async def _fetch(self, pause: float) -> None:
        await asyncio.sleep(pause)
        runtime = self._runtime()
        if runtime is None:
            error = self._trouble()
            await self._show_none(in_words(error) if error else WAKING, bad=error is not None)
            return
        try:
            if not self._agents.all():
                self._agents = self.listing.agents = AgentList(await runtime.agents.list())
            self._roots = await work_of(runtime)
        except SkillAgentError as error:
            await self._show_none(in_words(error), bad=True)
            return
        if not self._roots:
            await self._show_none(EMPTY)
            return
        self.remove_class("-none", "-bad")
        if self.focused is None:
            self.listing.focus()
        self.listing.put(self._roots, datetime.now(UTC))
        self._count(_counted(self._roots))

    async def _show_none(self, words: str, *, bad: bool = False) -> None:
        """Words where the list would be."""
        self._roots = []
        self.query_one("#team-none", Static).update(words)
        self.add_class("-none")
        self.set_class(bad, "-bad")
        self.listing.put([], datetime.now(UTC))
        await self.pane.say("")
        self._count("")

    # -- the pane ----------------------------------------------------------------------------

    @on(WorkList.Chosen)
    def chosen(self, event: WorkList.Chosen) -> None:
        if event.branch.id != self._open:
            self._open = None
        self._draw(event.branch)

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

    def action_turn(self) -> None:
        there = self.pane if self.listing.has_focus else self.listing
        if there.display:
            there.focus()

    def action_back(self) -> None:
        """Esc: out of a transcript first, then back to the conversation."""
        if not self.listing.has_focus and self.listing.display:
            self._open = None
            self.listing.focus()
            if (branch := self.listing.chosen) is not None:
                self._draw(branch)
        else:
            self.dismiss(None)

    def action_keys(self) -> None:
        self.app.push_screen(KeyHelp(first=TEAM_KEYS))

    def action_copy(self) -> None:
        if (branch := self.listing.chosen) is not None:
            self.app.copy_to_clipboard(branch.result)

    def action_do(self, deed: Deed) -> None:
        """To the chosen piece of work; one thing at a time, its dialog included."""
        branch, runtime = self.listing.chosen, self._runtime()
        if branch is not None and runtime is not None and not self._doing:
            self._doing = True
            self._do(deed, branch, WorkActions(runtime, self, self._agents))

    def action_stop_all(self) -> None:
        runtime = self._runtime()
        if runtime is not None and not self._doing:
            self._doing = True
            self._do("all", None, WorkActions(runtime, self, self._agents))

    @work(group="deed")
    async def _do(
        self, deed: Deed | Literal["all"], branch: Branch | None, actions: WorkActions
    ) -> None:
        try:
            match deed:
                case "all":
                    await actions.cancel_all(self._roots)
                case _ if branch is not None:
                    await getattr(actions, deed)(branch)
        finally:
            self._doing = False
        self._load(0)

    def _count(self, words: str) -> None:
        self.query_one("#team-count", Static).update(words)


def _counted(roots: list[Branch]) -> str:
    at_work, over = running(roots), sum(one.ended for one in roots)
    parts = [f"{at_work} at work"] if at_work else []
    return " · ".join([*parts, f"{over} ended"]) if over else parts[0]


def _keys() -> Content:
    shown = [
        Content.assemble((key, "bold"), (f" {what}", "$foreground-muted")) for key, what in KEYS
    ]
    return Content.styled(" · ", "$foreground-disabled").join(shown)


def in_words(error: SkillAgentError) -> str:
    """What is wrong, and what to do about it."""
    return printable(error.message + (f"\n\n→ {error.hint}" if error.hint else ""))
