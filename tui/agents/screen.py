"""The agents screen: who is in the team, what each is and has done; made, changed, talked to."""

import asyncio
from collections.abc import Awaitable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.widgets import OptionList

from skill_agent.agents.directory import slug_of
from skill_agent.errors import SkillAgentError
from skill_agent.events import AgentsChanged, HostFound
from skill_agent.values import AgentStatus

from ..frame.agents import AgentList
from ..frame.deeds import Deed
from ..frame.page import AGENT, FindRuntime, FindTrouble, Page, in_words
from . import deeds
from .agent_list import TeamList
from .dialogs import ArchiveDialog, CloneDialog
from .draft import Draft, free
from .facts import facts_of, rules_of
from .links import Link
from .model_picker import ModelPicker
from .pane import AgentPane
from .rules_dialog import RulesDialog
from .wizard import NewAgentDialog

if TYPE_CHECKING:
    from skill_agent.agents.dna import AgentDNA
    from skill_agent.workstation import Workstation

LOOKING_PAUSE = 0.08
"""Seconds an agent must stay chosen before the home is asked about it."""
EMPTY = "There is no agent.\n\nn makes one."


class AgentsScreen(Page):
    """Gives an agent to be talked to, or a talk to go on with."""

    HEADING = "Agents"
    PART = deeds.PART
    CSS_PATH = Path(__file__).with_name("agents.tcss")
    WAKING = "Waking the team. It comes by itself."
    NEWS = (AgentsChanged, HostFound)

    def __init__(
        self, runtime: FindRuntime, trouble: FindTrouble, *, choose: str | None = None
    ) -> None:
        super().__init__(runtime, trouble, choose=choose)
        self._members = AgentList()

    def _body(self) -> ComposeResult:
        yield from self._beside(TeamList(id="page-list"), AgentPane(id="page-pane"))

    @property
    def listing(self) -> TeamList:
        return self.query_one(TeamList)

    @property
    def pane(self) -> AgentPane:
        return self.query_one(AgentPane)

    # -- what is shown -----------------------------------------------------------------------

    async def _read(self, runtime: "Workstation") -> None:
        agents = await runtime.agents.list()
        self._members.become(agents)
        if not agents:
            await self._show_none(EMPTY)
            return
        self._show_list()
        choose, self._chosen = self._chosen, None
        self.listing.put(agents, self._members, choose)
        active = sum(one.status == "active" for one in agents)
        self._count(f"{active} active · {len(agents)} in all")

    async def _clear(self) -> None:
        self.listing.put([], self._members, None)
        self._show_facts(None)

    @on(TeamList.Chosen)
    def chosen(self, event: TeamList.Chosen) -> None:
        self.refresh_bindings()
        self._show_facts(event.dna)

    def _show_facts(self, dna: "AgentDNA | None") -> None:
        self.run_worker(partial(self._look_at, dna), group="pane", exclusive=True)

    async def _look_at(self, dna: "AgentDNA | None") -> None:
        runtime = self._runtime()
        if dna is None or runtime is None:
            await self.pane.tell(None, self._members[""])
            return
        await asyncio.sleep(LOOKING_PAUSE)
        facts = await facts_of(runtime, dna)
        await self.pane.tell(facts, self._members[dna.slug])

    # -- going elsewhere ---------------------------------------------------------------------

    @on(OptionList.OptionSelected)
    def entered(self) -> None:
        self.action_talk()

    def action_talk(self) -> None:
        if (dna := self.listing.chosen) is None:
            return
        if dna.status != "active":
            self.app.notify(f"{dna.name} is {dna.status}: p has it active again", markup=False)
            return
        self.dismiss(f"{AGENT}{dna.slug}")

    @on(Link.Followed)
    async def followed(self, event: Link.Followed) -> None:
        if event.to == "talk":
            self.dismiss(event.what)
        else:
            await self.app.run_action(f"place({event.to!r}, {event.what!r})")

    def action_copy(self) -> None:
        if (dna := self.listing.chosen) is not None:
            self._copy_identity(dna)

    @work(group="copy", exclusive=True)
    async def _copy_identity(self, dna: "AgentDNA") -> None:
        from skill_agent.agents.identity import identity_text

        self.app.copy_to_clipboard(await asyncio.to_thread(identity_text, dna))

    # -- changing ----------------------------------------------------------------------------

    def foot_label(self, deed: Deed) -> str | None:
        """What p and a do to the one that is chosen."""
        dna = self.listing.chosen if self.is_mounted else None
        if dna is None:
            return deed.label if deed.id in ("agents.new", "page.back") else None
        if deed.id == "agents.pause" and dna.status != "active":
            return "activate"
        if deed.id == "agents.archive" and dna.status == "archived":
            return "take back"
        return deed.label

    def action_pause(self) -> None:
        if (dna := self.listing.chosen) is not None:
            self._set(dna, "paused" if dna.status == "active" else "active")

    def action_archive(self) -> None:
        if (dna := self.listing.chosen) is not None:
            self._archive(dna)

    @work(group="deed")
    async def _archive(self, dna: "AgentDNA") -> None:
        back = dna.status == "archived"
        if back or await self.app.push_screen_wait(ArchiveDialog(dna.name)):
            self._set(dna, "active" if back else "archived")

    def _set(self, dna: "AgentDNA", status: AgentStatus) -> None:
        if (runtime := self._runtime()) is not None:
            said = f"{dna.name} is {status} now"
            self.run_worker(
                self._done(runtime.agents.set_status(dna.slug, status), said), group="change"
            )

    async def _done(self, deed: "Awaitable[AgentDNA]", said: str) -> bool:
        """Whether it was done; what was refused is told."""
        try:
            made = await deed
        except SkillAgentError as error:
            self.app.notify(
                error.hint or "Nothing was changed.", title=error.message, severity="error",
                markup=False, timeout=8,
            )  # fmt: skip
            return False
        self.app.notify(said, markup=False, timeout=4)
        self._chosen = made.slug
        self._load(0)
        return True

    @work(group="deed")
    async def action_revoke(self) -> None:
        """What was allowed with "always" is asked for again from then on."""
        dna, runtime = self.listing.chosen, self._runtime()
        if dna is None or runtime is None:
            return
        try:
            rules = await rules_of(runtime, dna.slug)
        except SkillAgentError as error:
            self.app.notify(in_words(error), severity="error", markup=False)
            return
        if not rules:
            self.app.notify(f"{dna.name} asks for everything that has to be asked.", markup=False)
            return
        rule = await self.app.push_screen_wait(RulesDialog(dna.name, rules))
        if rule is not None:
            told = f"{dna.name} asks for it again from now on"
            self.do(lambda here: here.approvals.revoke(rule), told=told)

    @work(group="deed")
    async def action_clone(self) -> None:
        dna, runtime = self.listing.chosen, self._runtime()
        if dna is None or runtime is None:
            return
        name = await self.app.push_screen_wait(CloneDialog(dna.name))
        if not name:
            return
        taken = [one.slug for one in self._members.all()]
        slug = free(slug_of(name) or dna.slug, taken)
        await self._done(runtime.agents.clone(dna.slug, slug, name), f"{name} is there: @{slug}")

    @work(group="deed")
    async def action_model(self) -> None:
        dna, runtime = self.listing.chosen, self._runtime()
        if dna is None or runtime is None:
            return
        current = dna.model.model_name
        picker = ModelPicker(self._members[dna.slug], current, runtime.models.offers, talk=False)
        if (wish := await self.app.push_screen_wait(picker)) is not None:
            said = f"{dna.name} answers with {wish.name} from now on"
            await self._done(runtime.agents.set_model(dna.slug, wish.name), said)

    @work(group="deed")
    async def action_new(self) -> None:
        if (runtime := self._runtime()) is None:
            return

        async def create(draft: Draft) -> "AgentDNA":
            return await runtime.agents.new(draft.slug, draft.fields)

        try:
            taken = [one.slug for one in await runtime.agents.list()]
        except SkillAgentError as error:
            self.app.notify(in_words(error), severity="error", markup=False)
            return
        made = await self.app.push_screen_wait(
            NewAgentDialog(taken, create, skills=runtime.skills.list, offers=runtime.models.offers)
        )
        if made is not None:
            self.app.notify(f"{made.name} is there: Enter begins a talk", markup=False)
            self._chosen = made.slug
            self._load(0)
