"""Who answers, and which conversation is shown."""

import asyncio
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
from .home_news import HomeNews, news_of
from .parts import OpenHome
from .welcome import HomeRow, Welcome

if TYPE_CHECKING:
    from skill_agent.values import Session
    from skill_agent.workstation import Workstation

QUIET = 0.1
"""Seconds of quiet before the home screen is told anew; a change is told in several events."""
WAKE_AFTER = 0.6
"""Seconds an agent must stay chosen before it is woken; Tab may pass several."""


class Choosing(Counting):
    """Agents and conversations."""

    _news: HomeNews | None = None

    def set_agent(self, slug: str) -> None:
        """Who answers from now on, on the screen."""
        self._member = self._agents[slug]
        self.figures = replace(self.figures, member=self._member)
        self.footer.show_speaker(self._member)
        if self._waking is not None:
            self._waking.stop()
        self._waking = self.set_timer(WAKE_AFTER, self._wake)
        if self._home is not None:
            self._look_up_model()

    def _look_up_model(self) -> None:
        looking = self._opened().asking.look_up_model(self._member.slug, self.chosen_model())
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

    # -- models ------------------------------------------------------------------------------

    def chosen_model(self, key: str | None = None) -> str | None:
        """The model chosen for a talk, this one where none is named; None for the agent's own."""
        return self._models.get(key or self._key)

    @work(exclusive=True, group="dialog")
    async def action_model(self) -> None:
        from ..agents.model_picker import ModelPicker

        if (home := self._home) is None:
            return
        key, slug = self._key, self._member.slug
        picker = ModelPicker(self._member, self.figures.model, home.runtime.models.offers)
        wish = await self.app.push_screen_wait(picker)
        if wish is None:
            return
        self._models.pop(key, None)
        if not wish.always:
            self._models[key] = wish.name
            self.notify(f"{wish.name} answers in this talk", markup=False, timeout=4)
        elif await home.asking.use_model(slug, wish.name):
            self.notify(f"{self._member.name} answers with {wish.name} from now on", markup=False)
        if slug == self._member.slug:
            self._look_up_model()

    def look_for_agents(self) -> None:
        """The team may have changed; it is read again."""
        if self._home is not None:
            self.run_worker(partial(self._read_agents, self._home.runtime), group="team",
                            exclusive=True)  # fmt: skip

    async def _read_agents(self, runtime: "Workstation") -> None:
        try:
            team = await runtime.agents.list()
        except SkillAgentError:
            return  # a broken agents.toml is told where one looks at the agents
        if self._agents.become(team):
            self.show_agents()

    def show_agents(self) -> None:
        """What the screen says of the team is said anew."""
        self._member = self._agents[self._member.slug]
        self.figures = replace(self.figures, member=self._member)
        self.footer.show_speaker(self._member)
        for welcome in self.conversation.query(Welcome):
            welcome.greet(self._member)
        self._look_up_model()

    def talk_to(self, slug: str) -> None:
        """A new talk with an agent, that may have come just now."""
        if self._home is not None:
            self.run_worker(partial(self._talk_to, self._home, slug), group="dialog",
                            exclusive=True)  # fmt: skip

    async def _talk_to(self, home: "OpenHome", slug: str) -> None:
        await self._read_agents(home.runtime)
        if self.session_id is None:
            self.choose(slug)
        else:
            await home.listener.open(None, agent=slug)

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
            home.runtime,
            agents=self._agents,
            current=self.session_id,
            rename=self._rename,
            looked=self.looked,
            now=self.now,
        )
        chosen = await self.app.push_screen_wait(listing)
        match chosen:
            case Chosen(kind="resume", session=session) if session is not None:
                await home.listener.open(session)
            case Chosen(kind="new"):
                await home.listener.open(None, agent=self.speaker)

    # -- the empty conversation --------------------------------------------------------------

    def look_around(self) -> None:
        super().look_around()
        self.look_home()

    def look_home(self) -> None:
        """Reads what the home screen tells, where it is shown."""
        if self._home is not None and self.query(Welcome):
            reading = partial(self._read_home, self._home.runtime)
            self.run_worker(reading, group="home", exclusive=True)

    async def _read_home(self, runtime: "Workstation") -> None:
        await asyncio.sleep(QUIET)
        self._news = await news_of(runtime)
        for welcome in self.query(Welcome):
            welcome.tell(self._news)

    @on(HomeRow.Pressed)
    async def row_pressed(self, event: HomeRow.Pressed) -> None:
        what, _, name = event.row.goes.partition(" ")
        self.write()
        if what == "agent":
            self.choose(name)
        elif what == "talk":
            self.go_on_with(name)
        else:
            await self.app.run_action("place('inbox')")

    @on(HomeRow.Typed)
    def row_typed(self, event: HomeRow.Typed) -> None:
        self.write()
        self.composer.insert(event.letter)

    def look(self) -> None:
        """Keeps that the conversation shown is looked at now."""
        if session := self.session_id:
            marking = partial(self.looked.mark, session, self.now())
            self.run_worker(marking, group="looked", thread=True)

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
