"""Turns as front ends see them: begun once, heard, looked up, stopped, and their agents woken.

How a turn thinks is `loop`'s work, how it is run and kept `runner`'s.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager, aclosing
from dataclasses import replace
from functools import partial
from typing import Any

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA
from skill_agent.agents.tiers import TIERS
from skill_agent.conversations.address import mentioned, without_address
from skill_agent.conversations.asking import begun_before, checked_request
from skill_agent.conversations.client_context import beside
from skill_agent.conversations.conversations import Conversations
from skill_agent.conversations.idempotency import Once, checked_key
from skill_agent.conversations.requesters import note_requester, requester_of
from skill_agent.conversations.turn_ends import state_of, states_in
from skill_agent.conversations.turn_states import TurnBoard, told
from skill_agent.errors import Closing, Conflict, NotFound, SkillAgentError, UsageError
from skill_agent.events import AgentWaking, Event, TurnFailed, TurnFinished
from skill_agent.events.bus import Bus, Subscription
from skill_agent.identifiers import new_id
from skill_agent.memory.recall.projector import Projector
from skill_agent.models.models import Models
from skill_agent.ports import (
    ChatMessage,
    ChoosesAgent,
    ChoosesModel,
    Clock,
    KeepsDecisions,
    KeepsSeats,
    Ledger,
    Model,
    ModelRequest,
)
from skill_agent.text.beside import parted
from skill_agent.text.redaction import redact
from skill_agent.values import (
    ClientContext,
    Message,
    ModelCall,
    ModelChoice,
    Origin,
    Routing,
    SeatMoment,
    SeatPlan,
    Session,
    Submitted,
    TurnRequest,
    TurnState,
    all_origins,
)

from . import operations
from .attended import GRACE_S, Attended
from .calls import CallLog
from .prompt import system_text
from .runner import TurnRunner
from .views import Answerer, Decided, Turn, Wanted
from .wishes import blind, checked_wishes, tuned
from .workbench import Workbench

TELL_AFTER_S = 1.0
"""A waking that is over sooner is nobody's concern."""

_log = logging.getLogger(__name__)


class Turns(operations.TurnOperations):
    """The turns of one open home."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        clock: Clock,
        directory: AgentDirectory,
        conversations: Conversations,
        models: Models,
        projector: Projector,
        bench: Workbench,
        runner: TurnRunner,
        bus: Bus,
        board: TurnBoard,
        calls: CallLog,
        client: Callable[[], str | None] = lambda: None,
        grace_s: float = GRACE_S,
        chooses_agent: ChoosesAgent | None = None,
        chooses_model: ChoosesModel | None = None,
        seats: KeepsSeats | None = None,
        decisions: KeepsDecisions | None = None,
    ) -> None:
        """`client` names the window of another process for which something is done just now. A
        turn nobody listens to any more goes on for `grace_s`. Without `chooses_agent` a
        conversation keeps its agent, without `chooses_model` each agent its model, without `seats`
        nobody hands a conversation over. What was decided goes to `decisions`."""
        self._chooses_agent, self._chooses_model = chooses_agent, chooses_model
        self._seats, self._decisions = seats, decisions
        self._ledger, self._clock, self._directory = ledger, clock, directory
        self._conversations, self._models = conversations, models
        self._projector, self._bench, self._runner = projector, bench, runner
        self._bus, self._board, self._once = bus, board, Once()
        self._calls, self._client = calls, client
        self._attended = Attended(
            runs=board.runs,
            give_up=partial(runner.cancel, reason="abandoned"),
            client=client,
            grace_s=grace_s,
        )
        self._default_agent = bench.settings.general.default_agent
        self._closing = False
        self._awake: dict[str, None] = {}
        self._chores: set[asyncio.Task[None]] = set()

    async def submit(self, request: TurnRequest | str) -> Submitted:
        """Raises UsageError for an empty or oversized prompt, a paused agent or a key that is no
        UUID, NotFound for an unknown agent, session or embedded model, ModelUnavailable and
        ModelRejected where it is known that no model could answer, Conflict where the key stands
        for another text, Closing. Mistakes leave nothing behind."""
        request = _checked(request)
        return await self._submit(request)

    async def _submit(self, request: TurnRequest, turn: str = "") -> Submitted:
        known = request.key is not None
        turn = checked_key(request.key) if request.key is not None else turn or new_id()
        said = (
            request.text,
            request.system,
            request.images,
            request.attachments,
            request.client_context,
        )
        return await self._once.run(turn, said, partial(self._begin, request, turn, known=known))

    async def _begin(self, request: TurnRequest, turn: str, *, known: bool) -> Submitted:
        """`known` says that the turn may have begun before."""
        if known and (before := await begun_before(self._ledger, turn, request)):
            return before
        found, wanted = await self._wanted(request, self._models.ready)
        dna = wanted.first.dna
        seen = await self._ledger.last_seq()
        if self._closing:
            raise Closing("the home is being closed", hint="try again in a moment")
        words = without_address(request.text, dna.slug)
        session = found or self._new_session(request, _named(request, words), dna.slug)
        await note_requester(
            self._ledger, request, turn=turn, session=session.id, begins=found is None
        )
        message = self._message(request, turn=turn, session=session, dna=dna)
        if found is None:  # together, so that no conversation is ever empty
            message = await self._ledger.begin_session(session, message)
        else:
            message = await self._ledger.save_message(message)
        begun = wanted.turn(request, session, message, seen=seen)
        self._runner.start(replace(begun, seated=await self._seated(begun)))
        by = request.requester.name if request.requester else self._client() or ""
        self._board.asked(turn, by)
        self._attended.began(turn, session.id, stays=request.detach)
        if self._decisions is not None:
            decided = wanted.first.decided
            await self._decisions.keep(turn, session, decided.routing, decided.choice)
        return Submitted(session=session.id, turn=turn, agent=dna.slug)

    async def _seated(self, turn: Turn) -> tuple[SeatMoment, ...]:
        """What a message changes of who takes part, written down; what has to be asked first
        comes later. A turn goes on without where it cannot be written."""
        if turn.plan is None or turn.instead is not None or self._seats is None:
            return ()
        try:
            return tuple(await self._seats.keep(turn.plan, turn.message, turn.request))
        except SkillAgentError as problem:
            _log.warning("who takes part in %s is not noted: %s", turn.session.id, problem)
            return ()

    async def preview(self, request: TurnRequest | str) -> ModelCall:
        """Raises as `submit` does."""
        request = _checked(request)
        found, wanted = await self._wanted(request, self._models.of, dry=True)
        dna = wanted.first.dna
        now, seen = self._clock(), await self._ledger.last_seq()
        session = found or Session(
            id=new_id(), title="", agent=dna.slug, created_at=now, updated_at=now
        )
        message = self._message(request, turn=new_id(), session=session, dna=dna)
        last = await self._ledger.messages(session.id, last=1) if found else []
        position = last[-1].position + 1 if last else 0
        begun = wanted.turn(request, session, replace(message, position=position), seen=seen)
        return await self._runner.preview(replace(begun, dry=True))

    def _new_session(self, request: TurnRequest, words: str, agent: str) -> Session:
        """That of a task has the task's id, and stands on no list of conversations."""
        new = self._conversations.new(words, agent)
        if request.task is not None:
            return replace(new, id=request.task, archived=True)
        return replace(new, id=checked_key(request.begins)) if request.begins else new

    async def _wanted(
        self,
        request: TurnRequest,
        model: Callable[[AgentDNA, str | None], Awaitable[Model]],
        *,
        dry: bool = False,
    ) -> tuple[Session | None, Wanted]:
        """The conversation it goes on with, who answers, with which model, and why these."""
        found = await self._conversations.find(request.session) if request.session else None
        if request.begins:
            await self._check_new(request)
        routing, plan = await self._routed(request, found)
        answerer = partial(self._answerer, request=request, session=found, model=model, dry=dry)
        first = await answerer(routing)
        if request.images and not first.model.info.profile.vision:
            raise blind(first.model.info, await self._models.list())
        instead = None
        if plan is not None and plan.otherwise is not None:
            try:
                instead = await answerer(plan.routing)
            except SkillAgentError:  # nobody asked for that one by name
                plan = None
        return found, Wanted(first=first, plan=plan, instead=instead)

    async def _check_new(self, request: TurnRequest) -> None:
        """Raises UsageError for an id no new conversation can have, Conflict for a taken one."""
        if request.session:
            raise UsageError("a message goes on with a conversation or begins one, not both")
        begins = checked_key(request.begins)
        if await self._ledger.session(begins) is not None:
            raise Conflict(f"{begins} has begun already", hint="name it as the session")

    async def _answerer(
        self,
        routing: Routing,
        *,
        request: TurnRequest,
        session: Session | None,
        model: Callable[[AgentDNA, str | None], Awaitable[Model]],
        dry: bool,
    ) -> Answerer:
        dna = tuned(self._able(routing.agent), request.options)
        choice = await self._tier(dna.slug, request, session, dry=dry)
        chosen = await model(dna, choice.model or None)
        return Answerer(dna=dna, model=chosen, decided=Decided(routing=routing, choice=choice))

    async def _routed(
        self, request: TurnRequest, session: Session | None
    ) -> tuple[Routing, SeatPlan | None]:
        """Whoever is named has the last word, then what the words ask for, then the team's
        choice, where it makes one; and what that changes of who takes part."""
        seats = self._seats
        if request.task or request.parent or request.origins:
            seats = None  # not the person speaks
        routing = self._named_one(request)
        if routing is None and seats and session:
            plan = await seats.called_for(request, session)
            if plan is not None:
                return plan.routing, plan
        if routing is None:
            routing = await self._chosen(request, session)
        plan = await seats.routed(routing, request, session) if seats else None
        return (plan.otherwise or plan.routing if plan else routing), plan

    def _named_one(self, request: TurnRequest) -> Routing | None:
        called = None if request.task else mentioned(request.text, self._directory.slugs)
        if called:
            return Routing(agent=called, confidence=1.0, reason="user_mention")
        if request.agent:
            return Routing(agent=request.agent, confidence=1.0, reason="requested")
        return None

    async def _chosen(self, request: TurnRequest, session: Session | None) -> Routing:
        if self._chooses_agent is not None:
            return await self._chooses_agent.agent(request, session)
        if session:
            return Routing(agent=session.agent, confidence=1.0, reason="current")
        return Routing(agent=self._default_agent, confidence=1.0, reason="default")

    async def _tier(
        self, agent: str, request: TurnRequest, session: Session | None, *, dry: bool
    ) -> ModelChoice:
        if request.model:
            at = TIERS.index(request.model) if request.model in TIERS else None
            tier = None if at is None else TIERS[at]
            return ModelChoice(tier=tier, model=request.model, why="-m", override="model")
        if self._chooses_model is None or self._directory.get(agent).runs is not None:
            return ModelChoice()
        return await self._chooses_model.model(agent, request, session, dry=dry)

    def _message(
        self, request: TurnRequest, *, turn: str, session: Session, dna: AgentDNA
    ) -> Message:
        sent = beside(request.client_context, request.images, request.attachments)
        return Message(
            id=new_id(),
            session=session.id,
            turn=turn,
            role="user",
            content=without_address(request.text, dna.slug),
            client_context=sent,
            origins=_origins(request, sent),
            created_at=self._clock(),
            zone=request.zone,
            agent=dna.slug,
        )

    def _able(self, agent: str) -> AgentDNA:
        dna = self._directory.get(agent)
        if dna.status != "active":
            raise UsageError(f"{dna.name} is {dna.status}", hint=f"ska agents activate {dna.slug}")
        return dna

    async def ask(self, request: TurnRequest | str) -> AsyncGenerator[Event, None]:
        """With the key of a turn that has ended it gives what is left of its events, at least the
        last one. Raises as `submit` does."""
        request = _checked(request)
        turn = checked_key(request.key) if request.key is not None else new_id()
        with self.subscribe(turn=turn) as events:
            try:
                await self._submit(request, turn)
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
        yield told(await self.get(turn))  # it ended before anybody listened here

    def subscribe(
        self, *, session: str | None = None, turn: str | None = None, after: int | None = None
    ) -> Subscription:
        """Of a turn, from its beginning as far as the journal has it; with `after`, events that
        follow this number."""
        return self._bus.subscribe(session=session, turn=turn, after=after)

    @property
    def epoch(self) -> str:
        """Identifies this life of the host: the numbers of events count within it."""
        return self._bus.epoch

    @property
    def position(self) -> int:
        """The number of the newest event."""
        return self._bus.position

    async def list(self, *, limit: int = 50) -> operations.States:
        return self._board.states(limit)

    async def get(self, turn: str) -> TurnState:
        """Raises NotFound where none was ever begun by this id."""
        await self._once.settled(turn)
        found = self._board.get(turn) or await state_of(self._ledger, await self._ledger.turn(turn))
        if found is None:
            raise NotFound(f"there is no turn {turn}", hint="ska sessions list")
        return found

    async def of_session(
        self, session_id: str, *, newest: int = 0, beyond: int = -1, most: int = 0
    ) -> operations.States:
        """Raises NotFound for an unknown conversation."""
        found = await self._conversations.find(session_id)
        states = await states_in(self._ledger, found.id, last=newest, after=beyond, limit=most)
        return [self._board.get(one.id) or one for one in states]

    async def requester(self, turn: str) -> str | None:
        return await requester_of(self._ledger, turn)

    async def prompt(self, turn: str) -> operations.Calls:
        """Raises NotFound where no turn was ever begun by this id."""
        await self.get(turn)
        return await self._calls.of(turn)

    async def cancel(self, turn: str) -> bool:
        await self._once.settled(turn)
        return await self._runner.cancel(turn)

    async def tell(self, turn: str, text: str) -> bool:
        state = self._board.get(turn)
        if state is None or not text.strip():
            return False
        told = Message(
            id=new_id(),
            session=state.session,
            turn=turn,
            role="user",
            content=text,
            created_at=self._clock(),
            agent=state.agent,
        )
        return await self._runner.tell(turn, told)

    def attending(
        self, *, session: str | None = None, turn: str | None = None
    ) -> AbstractContextManager[None]:
        return self._attended.listening(session=session, turn=turn)

    # -- agents woken ahead ------------------------------------------------------------------

    async def wake(self, agent: str | None = None, *, model: str | None = None) -> None:
        """Opens the index and makes an agent's prompt prefix hot."""
        self._chore(self._wake(agent or self._default_agent, model))

    async def prepare(self, agent: str, *, model: str | None = None) -> None:
        """Returns when the prefix is hot and kept; raises what goes wrong."""
        dna = self._directory.get(agent)
        chosen = await self._models.of(dna, model)
        request = await self._first_request(dna, chosen)
        await asyncio.gather(
            self._projector.start(), chosen.prefill(request), self._bench.warm(chosen)
        )
        self._awake[dna.slug] = None

    async def wake_team(self) -> None:
        self._chore(self._wake_team())

    async def awake(self) -> operations.Slugs:
        return [*self._awake]

    async def _wake_team(self) -> None:
        """One after another, for they share the processor; what takes long is told. Programs
        of other makes are begun when somebody talks to them."""
        known = self._directory.list()
        active = [one for one in known if one.status == "active" and one.runs is None]
        active.sort(key=lambda one: one.slug != self._default_agent)
        loop = asyncio.get_running_loop()
        for number, dna in enumerate(active, start=1):
            if dna.slug in self._awake:
                continue
            told = AgentWaking(agent=dna.slug, name=dna.name, number=number, of=len(active))
            telling = loop.call_later(TELL_AFTER_S, self._tell, told)
            try:
                await self._wake(dna.slug, None)
            finally:
                telling.cancel()

    def _tell(self, waking: AgentWaking) -> None:
        _log.info(waking.line)
        self._bus.publish(waking)

    async def _wake(self, agent: str, model: str | None) -> None:
        try:
            await self.prepare(agent, model=model)
        except Exception as problem:  # waking is a courtesy; the turn itself will tell
            _log.info("waking %s: %s", agent, redact(str(problem)))

    async def _first_request(self, dna: AgentDNA, model: Model) -> ModelRequest:
        tools = {} if model.info.profile.small else self._bench.tools(dna, None, model.info)
        system = await self._bench.system(dna, model)
        return ModelRequest(
            messages=(ChatMessage(role="system", content=system_text(system)),),
            tools=tuple(tool.spec for tool in tools.values()),
        )

    def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    # -- the end -----------------------------------------------------------------------------

    async def drain(self, seconds: float, *, own: bool = False) -> bool:
        """Waits for the turns that run for other processes, with `own` for all; whether they
        ended in time."""
        board = self._board
        return await self._runner.idle(seconds, lambda: board.running if own else board.of_others)

    async def settle(self) -> None:
        """Returns once nothing is left to do of turns whose end was told."""
        await self._runner.settle()

    async def end(self) -> None:
        """No turn begins any more, those that run end as `host_closed`, and every listener gets
        its last events."""
        self._closing = True
        self._attended.close()
        await self._once.close()
        await self._runner.close()
        await self._bus.drained()
        self._bus.close()

    async def close(self) -> None:
        """Ends the turns, and the waking."""
        await self.end()
        chores = list(self._chores)
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)


def _origins(request: TurnRequest, sent: ClientContext | None) -> tuple[Origin, ...]:
    """Who, beside the person, wrote of a message; what looks pasted among the words counts, and all
    that comes by a key which does not speak for them."""
    pasted: tuple[Origin, ...] = ("paste",) if parted(request.text).beside else ()
    other: tuple[Origin, ...] = () if request.keeps else ("client",)
    return all_origins(pasted, other, request.origins, sent.origins if sent else ())


def _named(request: TurnRequest, words: str) -> str:
    """What a conversation is called after: the words, or what was sent without any."""
    return words if words.strip() or not request.attachments else request.attachments[0].text


def _checked(request: TurnRequest | str) -> TurnRequest:
    """A request that can mean something; raises UsageError."""
    whole = checked_request(request)
    checked_wishes(whole)
    return whole
