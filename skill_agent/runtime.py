"""The runtime: one object every front end drives.

It owns the tasks of running turns, saves what events carry and only then publishes them. How a
turn thinks is `turn`'s work, what a store is made of is `store`'s; nothing here draws or prints.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from .address import mentioned, without_address
from .agent_pages import AgentPages
from .bus import Bus, Subscription
from .directory import AgentDirectory
from .dna import AgentDNA, Settings
from .errors import UsageError
from .events import (
    Choice,
    Event,
    TurnFailed,
    TurnFinished,
)
from .faculties import Faculties
from .feedback import Feedback
from .fitting import Tokens, window_of
from .hands import Workbench
from .home import Home
from .identifiers import new_id
from .memory.compaction import Compaction, Read
from .memory.erasure import Eraser
from .memory.extractions import ExtractionJob, ExtractionQueue
from .memory.projector import Projector
from .memory.upkeep import Upkeep
from .ports import ChatMessage, Clock, Ledger, Model, ModelGateway, ModelRequest, Progress
from .recollection import Recollector
from .runner import Job, TurnRunner
from .safety import redact
from .sessions import find_session, title_of
from .skillbook import SkillBook
from .tools.approvals import ApprovalDesk, RuleBook
from .usage import UsageTotals, totals
from .user_data import UserData
from .values import Message, ModelInfo, Session, Skill
from .written_files import WrittenFiles

MAX_PROMPT = 10_000_000
"""Characters of one message; whether it fits a window is the model's to say."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A turn that has begun; its user message is on disk."""

    session: str
    turn: str
    agent: str


class Runtime:
    """One open home. Built by `cli.compose`, closed by it."""

    def __init__(
        self,
        *,
        home: Home,
        settings: Settings,
        ledger: Ledger,
        projector: Projector,
        directory: AgentDirectory,
        skillbook: SkillBook,
        gateway: ModelGateway,
        clock: Clock,
        hosting: bool = False,
        read: Read | None = None,
    ) -> None:
        """`hosting` says that the process stays open: only then it reads and tidies up unasked.
        `read` stands in for the reader where messages leave a prompt."""
        self.home, self.settings, self.directory = home, settings, directory
        self.skillbook, self.gateway = skillbook, gateway
        self.ledger = ledger
        self._projector = projector
        self._clock = clock
        self._bus = Bus()
        self._desk = ApprovalDesk()
        self._rules = RuleBook(home.rules)
        self._mind = Faculties(
            home=home,
            settings=settings,
            ledger=ledger,
            projector=projector,
            directory=directory,
            gateway=gateway,
            clock=clock,
            publish=self._bus.publish,
            hosting=hosting,
            read=read,
        )
        self.memory = self._mind.book
        self._bench = self._workbench()
        self._runner = TurnRunner(
            ledger=ledger,
            bench=self._bench,
            bus=self._bus,
            clock=clock,
            touched=projector.touch,
            compactor=self._mind.compactor,
            reader=self._mind.reader,
        )
        self._chores: set[asyncio.Task[None]] = set()

    def _workbench(self) -> Workbench:
        tokens = Tokens()
        return Workbench(
            ledger=self.ledger,
            book=self.memory,
            recollector=Recollector(
                ledger=self.ledger,
                book=self.memory,
                projector=self._projector,
                settings=self.settings,
                clock=self._clock,
                tokens=tokens,
            ),
            skillbook=self.skillbook,
            desk=self._desk,
            rules=self._rules,
            settings=self.settings,
            clock=self._clock,
            hot=self._mind.hot,
            tokens=tokens,
            reconcile=self._mind.reconcile,
        )

    async def begin(self) -> None:
        """Finishes what a crash cut short, and begins the background work; once, after opening."""
        if owed := await self._mind.begin():
            _log.warning("%s", redact(owed))

    async def settle(self) -> None:
        """Returns once the turns that ended were read by the rules and summed up where needed."""
        await self._mind.settle()

    # -- what memory offers beside the book ----------------------------------------------------

    @property
    def extractions(self) -> ExtractionQueue:
        """What was read for memories, what waits, what failed."""
        return self._mind.queue

    @property
    def upkeep(self) -> Upkeep:
        """Consolidation and expiry."""
        return self._mind.upkeep

    @property
    def feedback(self) -> Feedback:
        """Ratings of replies."""
        return self._mind.feedback

    @property
    def eraser(self) -> Eraser:
        """Erasing memories for good."""
        return self._mind.eraser

    @property
    def user_data(self) -> UserData:
        """Everything about the person: export, import, purge."""
        return self._mind.user_data

    @property
    def written(self) -> WrittenFiles:
        """Files written outside the home, so that erasing reaches them."""
        return self._mind.written

    @property
    def pages(self) -> AgentPages:
        """The agents as exported documents."""
        return self._mind.pages

    async def extraction_model(self) -> Model | None:
        """The model that reads memories out of conversations; None where there is none able to."""
        return await self._mind.extraction_model()

    async def extract(
        self, session: str | None = None, *, again: bool = False, progress: Progress | None = None
    ) -> list[ExtractionJob]:
        """Reads for memories what nobody has read yet, of one session or all, and what failed."""
        found = (await self.find_session(session)).id if session else None
        return await self._mind.reader.run(found, progress, again=again)

    # -- turns -------------------------------------------------------------------------------

    async def submit(
        self,
        text: str,
        *,
        session: str | None = None,
        agent: str | None = None,
        model: str | None = None,
        use_memory: bool = True,
        interactive: bool = True,
    ) -> Submitted:
        """Saves the message and starts its turn; `@slug` in the text wins over `agent`.

        `session` is an id, title or `latest`; None begins a new one. With `interactive` false
        approvals are denied at once. Raises UsageError for an empty or oversized prompt or a
        paused agent, NotFound for an unknown agent, session or embedded model.
        """
        _check_prompt(text)
        found = await self.find_session(session) if session else None
        dna = self._addressed(text, agent, found)
        chosen = await self._model(dna, model)
        seen = await self.ledger.last_seq()
        if found is None:
            found = await self._new_session(text, dna)
        message = await self.ledger.save_message(
            Message(
                id=new_id(),
                session=found.id,
                turn=new_id(),
                role="user",
                content=without_address(text, dna.slug),
                created_at=self._clock(),
                agent=dna.slug,
            )
        )
        job = Job(
            seen=seen,
            session=found,
            dna=dna,
            model=chosen,
            message=message,
            use_memory=use_memory,
            interactive=interactive,
        )
        self._runner.start(job)
        return Submitted(session=found.id, turn=message.turn, agent=dna.slug)

    async def ask(
        self,
        text: str,
        *,
        session: str | None = None,
        agent: str | None = None,
        model: str | None = None,
        use_memory: bool = True,
        interactive: bool = True,
    ) -> AsyncIterator[Event]:
        """Submits and gives the turn's events until its end; leaving early cancels the turn."""
        with self.subscribe() as events:
            submitted = await self.submit(
                text,
                session=session,
                agent=agent,
                model=model,
                use_memory=use_memory,
                interactive=interactive,
            )
            try:
                async for event in events:
                    if event.turn != submitted.turn:
                        continue
                    yield event
                    if isinstance(event, TurnFinished | TurnFailed):
                        return
            finally:
                await self.cancel(submitted.turn)

    def subscribe(self, *, session: str | None = None, turn: str | None = None) -> Subscription:
        """Events from now on; use it as a context manager and async iterator."""
        return self._bus.subscribe(session=session, turn=turn)

    async def cancel(self, turn: str) -> bool:
        """Stops a turn and waits until it has ended; its partial reply is kept."""
        return await self._runner.cancel(turn)

    async def answer(self, approval: str, choice: Choice, *, by: str = "person") -> bool:
        """Settles an approval; False if it is not waiting."""
        return self._desk.answer(approval, choice, by)

    async def wake(self, agent: str | None = None, *, model: str | None = None) -> None:
        """Opens the index and makes an agent's prompt prefix hot, in the background."""
        self._chore(self._wake(agent or self.settings.general.default_agent, model))

    async def prepare(self, agent: str, *, model: str | None = None) -> None:
        """As `wake`, but returns when the prefix is hot and kept; raises what goes wrong."""
        dna = self.agent(agent)
        chosen = await self._model(dna, model)
        request = await self._first_request(dna, chosen)
        await asyncio.gather(self._projector.start(), chosen.prefill(request))

    async def _wake(self, agent: str, model: str | None) -> None:
        try:
            await self.prepare(agent, model=model)
        except Exception as problem:  # waking is a courtesy; the turn itself will tell
            _log.info("waking %s: %s", agent, redact(str(problem)))

    async def _first_request(self, dna: AgentDNA, model: Model) -> ModelRequest:
        tools = self._bench.tools(dna)
        system = await self._bench.system(dna, window=window_of(model))
        return ModelRequest(
            messages=(ChatMessage(role="system", content=system.texts[0]),),
            tools=tuple(tool.spec for tool in tools.values()),
        )

    def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    # -- agents, skills, models --------------------------------------------------------------

    def agents(self) -> list[AgentDNA]:
        return list(self.directory.list())

    def agent(self, slug: str) -> AgentDNA:
        """Raises NotFound naming the nearest."""
        return self.directory.get(slug)

    def skills(self) -> list[Skill]:
        return list(self.skillbook.skills())

    def models(self) -> list[ModelInfo]:
        return self.gateway.catalogue()

    async def model_info(self, agent: str, model: str | None = None) -> ModelInfo:
        """The model that would answer now."""
        return (await self._model(self.agent(agent), model)).info

    def _addressed(self, text: str, agent: str | None, session: Session | None) -> AgentDNA:
        slugs = {dna.slug for dna in self.directory.list()}
        fallback = session.agent if session else self.settings.general.default_agent
        dna = self.agent(mentioned(text, slugs) or agent or fallback)
        if dna.status != "active":
            raise UsageError(f"{dna.name} is {dna.status}", hint=f"ska agents activate {dna.slug}")
        return dna

    async def _model(self, dna: AgentDNA, override: str | None) -> Model:
        tier = dna.model.force_tier
        custom = {one.tier: one.model_name for one in dna.model.custom_tiers}
        name = override or (custom.get(tier, tier) if tier else dna.model.model_name)
        return await self.gateway.model(name)

    # -- sessions ----------------------------------------------------------------------------

    async def _new_session(self, text: str, dna: AgentDNA) -> Session:
        now = self._clock()
        title = title_of(without_address(text, dna.slug))
        session = Session(id=new_id(), title=title, agent=dna.slug, created_at=now, updated_at=now)
        return await self.ledger.create_session(session)

    async def sessions(self, *, limit: int = 50, offset: int = 0) -> list[Session]:
        """Newest activity first."""
        return await self.ledger.sessions(limit=limit, offset=offset)

    async def find_session(self, ref: str) -> Session:
        """By `latest`, id, id prefix or title; raises NotFound or UsageError."""
        return await find_session(self.ledger, ref)

    async def messages(self, session_id: str, *, last: int = 0) -> list[Message]:
        return await self.ledger.messages(session_id, last=last)

    async def rename_session(self, ref: str, title: str) -> Session:
        if not title.strip():
            raise UsageError("a title cannot be empty")
        session = await self.find_session(ref)
        await self.ledger.rename_session(session.id, " ".join(title.split()), actor="person")
        return await self.find_session(session.id)

    async def delete_session(self, ref: str) -> Session:
        """Off the list and out of recall; the ledger keeps it."""
        session = await self.find_session(ref)
        self._mind.reader.session_closed(session.id)
        await self._mind.reader.settle()
        await self.ledger.archive_session(session.id, actor="person")
        self._projector.touch()
        return replace(session, archived=True)

    async def set_session_agent(self, session_id: str, agent: str) -> None:
        """Who answers from now on in this session."""
        await self.ledger.set_session_agent(session_id, self.agent(agent).slug)

    async def compactions(self, session_id: str) -> list[Compaction]:
        """What of a session stands in its prompts as a summary, the oldest first."""
        return await self._mind.shield.compactions(session_id)

    async def compact(self, ref: str) -> Compaction | None:
        """Sums up all but the newest messages of a session now; None if there is nothing to."""
        session = await self.find_session(ref)
        model = await self._model(self.agent(session.agent), None)
        return await self._mind.compactor.compact(session.id, model, session.agent)

    async def search_messages(self, text: str, *, limit: int = 50) -> list[Message]:
        return await self.ledger.search_messages(text, limit=limit)

    async def usage(self) -> UsageTotals:
        """Tokens and cost: last turn, today, all."""
        return await totals(self.ledger, self._clock())

    # -- approvals, end ----------------------------------------------------------------------

    def rules(self) -> list[str]:
        """Tool calls allowed with "always"."""
        return self._rules.rules()

    def revoke_rule(self, rule: str) -> None:
        self._rules.revoke(rule)

    async def close(self) -> None:
        """Ends running turns (partial replies kept), then the stores."""
        await self._runner.close()
        chores = list(self._chores)
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
        await self._mind.close()
        self._bus.close()
        await self.gateway.close()
        await self._projector.close()
        await self.ledger.close()


def _check_prompt(text: str) -> None:
    if not text.strip():
        raise UsageError("the prompt is empty", hint='ska ask "your question"')
    if len(text) > MAX_PROMPT:
        raise UsageError(
            f"the prompt has {len(text):,} characters; {MAX_PROMPT:,} is the most",
            hint="give the part that matters, or the file's path",
        )
