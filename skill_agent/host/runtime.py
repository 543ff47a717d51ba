"""The runtime: one object every front end drives.

It owns the tasks of running turns, saves what events carry and only then publishes them. How a
turn thinks is `turn`'s work, what a store is made of is `store`'s; nothing here draws or prints.
"""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any

from skill_agent import __version__
from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA
from skill_agent.conversations.address import mentioned, without_address
from skill_agent.conversations.asking import Wish, begun_before
from skill_agent.conversations.idempotency import Once, checked_key
from skill_agent.conversations.sessions import title_of
from skill_agent.conversations.turn_states import Task, TaskBoard, folded, told
from skill_agent.errors import Closing, NotFound, UsageError
from skill_agent.events import Bus, Choice, Event, Subscription, TurnFailed, TurnFinished
from skill_agent.files.home import Home
from skill_agent.identifiers import new_id
from skill_agent.memory.care.upkeep import Upkeep
from skill_agent.memory.extraction.queue import ExtractionJob, ExtractionQueue
from skill_agent.memory.feedback import Feedback
from skill_agent.memory.recall.projector import Projector
from skill_agent.memory.summaries.compaction import Read
from skill_agent.ports import (
    ChatMessage,
    Clock,
    Ledger,
    Model,
    ModelGateway,
    ModelRequest,
    Progress,
)
from skill_agent.privacy.erasure import Eraser
from skill_agent.privacy.user_data import UserData
from skill_agent.settings.schema import Settings
from skill_agent.skills.book import SkillBook
from skill_agent.text.redaction import redact
from skill_agent.tools.approvals import ApprovalDesk, RuleBook
from skill_agent.turns.fitting import Tokens, window_of
from skill_agent.turns.recollection import Recollector
from skill_agent.turns.runner import Job, TurnRunner
from skill_agent.turns.workbench import Workbench
from skill_agent.values import Compaction, HomeInfo, Message, Session, Submitted

from .memory_parts import Faculties
from .presence import Presence, attached
from .records import Records

_log = logging.getLogger(__name__)


class Runtime(Records):
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
        presence: Presence,
    ) -> None:
        """`hosting` says that the process stays open: only then it reads and tidies up unasked.
        `read` stands in for the reader where messages leave a prompt."""
        super().__init__(
            home=home,
            settings=settings,
            ledger=ledger,
            directory=directory,
            skillbook=skillbook,
            gateway=gateway,
            clock=clock,
            rules=RuleBook(home.rules),
            presence=presence,
        )
        self._projector = projector
        self._bus = Bus()
        self._board, self._once = TaskBoard(), Once()
        self._closing = False
        self._desk = ApprovalDesk()
        self._mind = Faculties(
            home=home,
            settings=settings,
            ledger=ledger,
            projector=projector,
            directory=directory,
            pages=self.pages,
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
            board=self._board,
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

    async def info(self) -> HomeInfo:
        """What this home is and who serves it."""
        return HomeInfo(
            id=str(self.home.root),
            version=__version__,
            pid=os.getpid(),
            role=self.host.role,
            epoch=self._bus.epoch,
            user=self.settings.general.user,
            default_agent=self.settings.general.default_agent,
            settings=self.settings.model_dump(mode="json"),
        )

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
        key: str | None = None,
    ) -> Submitted:
        """Saves the message and starts its turn; `@slug` in the text wins over `agent`.

        `session` is an id, title or `latest`; None begins a new one. With `interactive` false
        approvals are denied at once. `key` is the turn's id: asked again with it, also after a
        crash, the same turn is given and nothing runs twice. Raises UsageError for an empty or
        oversized prompt, a paused agent or a key that is no UUID, NotFound for an unknown agent,
        session or embedded model, Conflict where the key stands for another text, Closing.
        """
        wish = Wish(
            text=text,
            session=session,
            agent=agent,
            model=model,
            use_memory=use_memory,
            interactive=interactive,
        )
        return await self._submit(wish, key)

    async def _submit(self, wish: Wish, key: str | None, turn: str = "") -> Submitted:
        turn = checked_key(key) if key is not None else turn or new_id()
        begin = partial(self._begin_turn, wish, turn, known=key is not None)
        return await self._once.run(turn, wish.text, begin)

    async def _begin_turn(self, wish: Wish, turn: str, *, known: bool) -> Submitted:
        """`known` says that the turn may have begun before."""
        if known and (before := await begun_before(self.ledger, turn, wish.text)):
            return before
        found = await self.find_session(wish.session) if wish.session else None
        dna = self._addressed(wish.text, wish.agent, found)
        chosen = await self._model(dna, wish.model)
        seen = await self.ledger.last_seq()
        if self._closing:
            raise Closing("the home is being closed", hint="try again in a moment")
        if found is None:
            found = await self._new_session(wish.text, dna)
        message = await self.ledger.save_message(
            Message(
                id=new_id(),
                session=found.id,
                turn=turn,
                role="user",
                content=without_address(wish.text, dna.slug),
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
            use_memory=wish.use_memory,
            interactive=wish.interactive,
        )
        self._runner.start(job)
        if attached():
            self._board.lent(turn)
        return Submitted(session=found.id, turn=turn, agent=dna.slug)

    async def ask(
        self,
        text: str,
        *,
        session: str | None = None,
        agent: str | None = None,
        model: str | None = None,
        use_memory: bool = True,
        interactive: bool = True,
        key: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Submits and gives the turn's events until its end; leaving early cancels the turn.

        With the key of a turn that has ended it gives what is left of its events, at least the
        last one. Raises as `submit` does.
        """
        wish = Wish(
            text=text,
            session=session,
            agent=agent,
            model=model,
            use_memory=use_memory,
            interactive=interactive,
        )
        turn = checked_key(key) if key is not None else new_id()
        with self.subscribe(turn=turn) as events:
            try:
                await self._submit(wish, key, turn)
            except asyncio.CancelledError:
                await self.cancel(turn)
                raise
            try:
                async with aclosing(self._until_ended(turn, events)) as heard:
                    async for event in heard:
                        yield event
            finally:
                await self.cancel(turn)

    async def _until_ended(self, turn: str, events: Subscription) -> AsyncGenerator[Event, None]:
        while events.pending or self._board.runs(turn):
            try:
                event = await events.next()
            except StopAsyncIteration:
                return
            yield event
            if isinstance(event, TurnFinished | TurnFailed):
                return
        yield told(await self.task(turn))  # it ended before anybody listened here

    def subscribe(
        self, *, session: str | None = None, turn: str | None = None, after: int | None = None
    ) -> Subscription:
        """Events from now on, a context manager and async iterator; of a turn, from its beginning
        as far as the journal has it; with `after`, those that follow this number."""
        return self._bus.subscribe(session=session, turn=turn, after=after)

    @property
    def epoch(self) -> str:
        """Identifies this life of the host: the numbers of events count within it."""
        return self._bus.epoch

    @property
    def position(self) -> int:
        """The number of the newest event."""
        return self._bus.position

    async def task(self, task: str) -> Task:
        """What became of a turn; raises NotFound where none was ever begun by this id."""
        await self._once.settled(task)
        found = self._board.get(task) or folded(await self.ledger.turn(task))
        if found is None:
            raise NotFound(f"there is no turn {task}", hint="ska sessions list")
        return found

    async def tasks(self, *, limit: int = 50) -> list[Task]:
        """Turns that run, then those of this host's life that ended last."""
        return self._board.tasks(limit)

    async def cancel(self, turn: str) -> bool:
        """Stops a turn and waits until it has ended; its partial reply is kept."""
        await self._once.settled(turn)
        return await self._runner.cancel(turn)

    async def answer(self, approval: str, choice: Choice, *, by: str = "person") -> bool:
        """Settles an approval; False if it is not waiting."""
        return self._desk.answer(approval, choice, by)

    async def wake(self, agent: str | None = None, *, model: str | None = None) -> None:
        """Opens the index and makes an agent's prompt prefix hot, in the background."""
        self._chore(self._wake(agent or self.settings.general.default_agent, model))

    async def prepare(self, agent: str, *, model: str | None = None) -> None:
        """As `wake`, but returns when the prefix is hot and kept; raises what goes wrong."""
        dna = self._agent(agent)
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

    # -- who answers ------------------------------------------------------------------------

    def _addressed(self, text: str, agent: str | None, session: Session | None) -> AgentDNA:
        slugs = {dna.slug for dna in self.directory.list()}
        fallback = session.agent if session else self.settings.general.default_agent
        dna = self._agent(mentioned(text, slugs) or agent or fallback)
        if dna.status != "active":
            raise UsageError(f"{dna.name} is {dna.status}", hint=f"ska agents activate {dna.slug}")
        return dna

    # -- sessions ----------------------------------------------------------------------------

    async def _new_session(self, text: str, dna: AgentDNA) -> Session:
        now = self._clock()
        title = title_of(without_address(text, dna.slug))
        session = Session(id=new_id(), title=title, agent=dna.slug, created_at=now, updated_at=now)
        return await self.ledger.create_session(session)

    async def delete_session(self, ref: str) -> Session:
        """Off the list and out of recall; the ledger keeps it."""
        session = await self.find_session(ref)
        self._mind.reader.session_closed(session.id)
        await self._mind.reader.settle()
        await self.ledger.archive_session(session.id, actor="person")
        self._projector.touch()
        return replace(session, archived=True)

    async def compactions(self, session_id: str) -> list[Compaction]:
        """What of a session stands in its prompts as a summary, the oldest first."""
        return await self._mind.shield.compactions(session_id)

    async def compact(self, ref: str) -> Compaction | None:
        """Sums up all but the newest messages of a session now; None if there is nothing to."""
        session = await self.find_session(ref)
        model = await self._model(self._agent(session.agent), None)
        return await self._mind.compactor.compact(session.id, model, session.agent)

    # -- the end -----------------------------------------------------------------------------

    async def drain(self, seconds: float, *, own: bool = False) -> bool:
        """Waits for the turns that run for other processes, with `own` for all; whether they
        ended in time."""
        board = self._board
        return await self._runner.idle(seconds, lambda: board.running if own else board.of_others)

    async def end_turns(self) -> None:
        """No turn begins any more, those that run end as `host_closed`, and every listener gets
        its last events. The rest still works until `close`."""
        self._closing = True
        await self._once.close()
        await self._runner.close()
        await self._bus.drained()
        self._bus.close()

    async def close(self) -> None:
        """Ends running turns (partial replies kept), then the stores."""
        await self.end_turns()
        chores = list(self._chores)
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
        await self._mind.close()
        await self.gateway.close()
        await self._projector.close()
        await self.ledger.close()
