"""Who answers, and which conversation is shown."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import on, work

from skill_agent.errors import SkillAgentError

from ..frame.agents import AgentPicker, Member
from .counting import Counting
from .foot.composer import Composer
from .foot.drafts import NEW
from .parts import OpenHome
from .welcome import Welcome

if TYPE_CHECKING:
    from skill_agent.values import Session
    from skill_agent.workstation import Workstation

WAKE_AFTER = 0.6
"""Seconds an agent must stay chosen before it is woken; Tab may pass several."""


class Choosing(Counting):
    """Agents and conversations."""

    def set_agent(self, slug: str) -> None:
        """Who answers from now on, on the screen."""
        self._member = self._agents[slug]
        self.figures = replace(self.figures, member=self._member)
        self.footer.show_speaker(self._member)
        if self._waking is not None:
            self._waking.stop()
        self._waking = self.set_timer(WAKE_AFTER, self._wake)
        if self._home is not None:
            looking = self._home.asking.look_up_model(slug)
            self.run_worker(looking, group="model", exclusive=True)

    @on(Composer.AgentStep)
    def step_agent(self, event: Composer.AgentStep) -> None:
        if self._home is not None:
            self.choose(self._agents.after(self._member.slug, event.step).slug)

    @work(exclusive=True, group="dialog")
    async def action_agents(self) -> None:
        if self._home is None:
            return
        picker = AgentPicker(self._agents.all(), self._member.slug)
        slug = await self.app.push_screen_wait(picker)
        if slug:
            self.choose(slug)

    def members(self) -> list[Member]:
        return self._agents.active()

    def name_of(self, slug: str) -> str:
        """As the person knows the agent; empty for nobody."""
        return self._agents[slug].name if slug else ""

    def choose(self, slug: str) -> None:
        """Makes the agent the one who answers here."""
        if self._home is not None and slug != self._member.slug:
            self.set_agent(slug)
            for welcome in self.conversation.query(Welcome):
                welcome.greet(self._member)
            if session := self.session_id:
                self.run_worker(self._home.asking.use_agent(session, slug), group="agent")

    def _wake(self) -> None:
        if self._home is not None:
            # The function and not its coroutine: a screen that closes at once never awaits that.
            waking = partial(self._wake_all, self._home.runtime)
            self.run_worker(waking, group="wake", exclusive=True)

    async def _wake_all(self, runtime: "Workstation") -> None:
        """Who answers next is woken first, then the others; their turns tell what goes wrong."""
        with suppress(SkillAgentError):
            await runtime.turns.wake(self._member.slug)
            await runtime.turns.wake_team()

    # -- conversations -----------------------------------------------------------------------

    @work(exclusive=True, group="dialog")
    async def action_sessions(self) -> None:
        from .session_list import Chosen, SessionList

        if (home := self._home) is None:
            return
        listing = SessionList(
            home.runtime.conversations,
            agents=self._agents,
            current=self.session_id,
            rename=self._rename,
        )
        chosen = await self.app.push_screen_wait(listing)
        match chosen:
            case Chosen(kind="resume", session=session) if session is not None:
                await home.listener.open(session)
            case Chosen(kind="new"):
                await home.listener.open(None, agent=self.speaker)

    async def _rename(self, session_id: str, title: str) -> "Session | None":
        shown = session_id == self.session_id
        return await self._opened().asking.rename(session_id, title, shown=shown)

    @work(exclusive=True, group="dialog")
    async def action_new(self) -> None:
        if self._home is not None and self._key != NEW:
            await self._home.listener.open(None, agent=self.speaker)

    def go_on_with(self, session: str) -> None:
        """Opens another conversation; what was typed here stays here."""
        if self._home is not None:
            self.run_worker(self._open(self._home, session), group="dialog", exclusive=True)

    async def _open(self, home: "OpenHome", session: str) -> None:
        await home.listener.open(await home.runtime.conversations.find(session))
