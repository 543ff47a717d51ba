"""Runs turns as owned tasks: saves what events carry, then publishes, and walls each turn in.

Whatever happens inside a turn, it ends in exactly one `TurnFinished` or `TurnFailed`.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import (
    AsyncGenerator,
    Callable,
    Collection,
    Coroutine,
    Mapping,
    Sequence,
)
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any

from skill_agent.conversations.accounts import turn_note
from skill_agent.conversations.in_words import NOT_ENDED
from skill_agent.conversations.seats_told import told_of
from skill_agent.conversations.told_apart import told_apart
from skill_agent.conversations.turn_ends import note_end
from skill_agent.conversations.turn_states import TurnBoard
from skill_agent.conversations.unfinished import Keeping, Unfinished, UnfinishedReplies
from skill_agent.errors import (
    BudgetSpent,
    ModelError,
    ModelFailed,
    ModelFiltered,
    ModelRejected,
    ModelUnavailable,
    SkillAgentError,
    TurnLimit,
)
from skill_agent.events import (
    AgentRouted,
    ApprovalAnswered,
    ApprovalAsked,
    Event,
    MemorySaved,
    Notice,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from skill_agent.events.bus import Bus
from skill_agent.identifiers import iso, new_id
from skill_agent.memory.extraction.reader import Reader
from skill_agent.ports import Clock, KeepsSeats, Ledger
from skill_agent.text.redaction import redact
from skill_agent.text.whole import whole, whole_json
from skill_agent.tools.kept_approvals import note_answered, note_asked, note_withdrawn
from skill_agent.values import (
    CallOutcome,
    FailureReason,
    Message,
    ModelCall,
    Origin,
    ToolCall,
    all_origins,
)

from .calls import CallLog, Recorder, Unasked
from .colleagues.taking_over import TakingOver
from .compactor import Compactor
from .hands import Brief
from .loop import run_turn
from .opening import RunsOutside
from .prompt import of_another
from .taint import Taint, of_conversation
from .views import Turn, View, Views, turning_of
from .workbench import Workbench

CLOSING_S = 5.0
"""How long turns may take to end when the home is closed."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Progress:
    """What a turn has said and done so far, in case it does not end well."""

    keeping: Keeping
    turn: Turn
    """As it is now: another agent may have taken it over."""
    taint: Taint = field(default_factory=Taint)
    text: str = ""
    calls: dict[str, tuple[ToolCall, int]] = field(default_factory=dict)
    """Those under way, each with how much of the reply had been said before."""
    notices: list[str] = field(default_factory=list)
    """Warnings that were told."""
    saved: list[str] = field(default_factory=list)
    """Ids of what was put into memory."""
    asked: set[str] = field(default_factory=set)
    """Ids of approvals that wait, and are known in the ledger."""
    ended: bool = False


class TurnRunner:
    """Owns the tasks of running turns; turns of one session run one after another."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        bench: Workbench,
        bus: Bus,
        clock: Clock,
        touched: Callable[[], None],
        compactor: Compactor | None = None,
        reader: Reader | None = None,
        board: TurnBoard | None = None,
        for_others: Callable[[], bool] = lambda: False,
        calls: CallLog,
        unfinished: UnfinishedReplies,
        seats: KeepsSeats | None = None,
        name: Callable[[str], str] = str,
        outside: RunsOutside | None = None,
    ) -> None:
        """`for_others` says that what is asked just now is asked through another process; `seats`
        and `name` as `Views` has them; `outside` takes turns of agents that no model speaks for."""
        self._outside = outside
        self._ledger, self._bench, self._bus, self._clock = ledger, bench, bus, clock
        self._touched, self._compactor, self._reader = touched, compactor, reader
        self._calls, self._unfinished = calls, unfinished
        self._asides: defaultdict[str, list[str]] = defaultdict(list)
        """What persons said to running turns, by turn, that no model has read yet."""
        self._seats = seats
        self._views = Views(
            ledger=ledger, bench=bench, clock=clock, compactor=compactor, seats=seats, name=name
        )
        self._why: dict[str, FailureReason] = {}
        """Of turns that are being stopped."""
        self._board, self._for_others = board or TurnBoard(), for_others
        self._closing = False
        self._stuck: set[asyncio.Task[None]] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._running: Counter[str] = Counter()
        """Turns by session; a session without one needs no lock."""

    def start(self, turn: Turn) -> None:
        task = asyncio.create_task(self._drive(turn), name=f"turn {turn.id}")
        self._tasks[turn.id] = task
        self._running[turn.session.id] += 1
        self._board.began(turn.message)
        if self._for_others():
            self._board.lent(turn.id)
        if self._compactor is not None:
            self._compactor.turn_began()
        if self._reader is not None and turn.request.use_memory:
            self._reader.turn_started(turn.session.id)
        task.add_done_callback(lambda _: self._ended(turn))

    def _ended(self, turn: Turn) -> None:
        self._tasks.pop(turn.id, None)
        self._why.pop(turn.id, None)
        self._asides.pop(turn.id, None)
        self._running[turn.session.id] -= 1
        if self._running[turn.session.id] <= 0:
            self._running.pop(turn.session.id)
            self._locks.pop(turn.session.id, None)
        self._board.left(turn.id)
        self._bench.desk.drop(turn.id)
        if self._compactor is not None:
            self._compactor.turn_ended(self._views.pressed(turn) if _is_talk(turn) else None)
        if self._reader is not None and turn.request.use_memory:
            self._reader.turn_ended(turn.session.id, turn.dna.slug, turn.id, read=_is_talk(turn))

    async def cancel(self, turn: str, *, reason: FailureReason = "cancelled") -> bool:
        """Stops a turn and waits for its end; False if it is not running."""
        task = self._tasks.get(turn)
        if task is None:
            return False
        self._why.setdefault(turn, reason)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return True

    async def tell(self, turn: str, message: Message) -> bool:
        """Keeps what a person says to a turn that runs; its model reads it before its next step.
        False if it does not run."""
        if turn not in self._tasks or not self._board.runs(turn):
            return False
        await self._save(message)
        if turn in self._tasks:
            self._asides[turn].append(message.content)
        return True

    def _heard_since(self, turn: str) -> Sequence[str]:
        return self._asides.pop(turn, ())

    async def idle(self, seconds: float, wanted: Callable[[], Collection[str]]) -> bool:
        """Waits until none of the wanted turns runs, at most that long; whether none does."""
        until = asyncio.get_running_loop().time() + seconds
        while tasks := [self._tasks[turn] for turn in wanted() if turn in self._tasks]:
            left = until - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            await asyncio.wait(tasks, timeout=left)
            await asyncio.sleep(0)  # their ends are taken note of
        return True

    async def settle(self) -> None:
        """Returns once the work of every turn is over whose end was told."""
        while over := [one for turn, one in self._tasks.items() if not self._board.runs(turn)]:
            await asyncio.wait(over)
            await asyncio.sleep(0)  # whoever waits for an end is told

    async def close(self) -> None:
        """Ends every turn as `host_closed`; what there is of their replies is kept. One that does
        not end is left behind."""
        self._closing = True
        tasks = [task for task in self._tasks.values() if task not in self._stuck]
        for task in tasks:
            task.cancel()
        if tasks:
            _, self._stuck = await asyncio.wait(tasks, timeout=CLOSING_S)
        if self._stuck:
            _log.warning("%d turns do not end; closing without them", len(self._stuck))

    async def _drive(self, turn: Turn) -> None:
        """The wall around a turn: whatever happens, it ends in one event."""
        begun = Unfinished(session=turn.session.id, turn=turn.id, agent=turn.dna.slug)
        progress = _Progress(keeping=Keeping(self._unfinished, begun), turn=turn)
        loading = asyncio.create_task(turn.model.load())  # beside recall: both take a second
        loading.add_done_callback(_noticed)
        try:
            await progress.keeping.begin()
            async with self._locks[turn.session.id]:
                # Its end is part of it: the next turn of the session reads what was kept.
                if failure := await self._attempt(turn, progress):
                    await _to_its_end(self._fail(progress, failure))
        except asyncio.CancelledError:  # while it waited
            await _to_its_end(self._fail(progress, self._stopped(turn)))
        finally:
            loading.cancel()

    async def _attempt(self, turn: Turn, progress: _Progress) -> "_Failure | None":
        """Why there is no whole reply; None where there is one."""
        try:
            self._bus.publish(_started(turn))
            if (routed := _routed(turn)) is not None:
                self._bus.publish(routed)
            await self._seat(progress)
            await self._run(progress.turn, progress)
        except asyncio.CancelledError:
            return self._stopped(turn)
        except SkillAgentError as problem:
            return _Failure(_reason(problem), problem.message, problem.hint)
        except Exception as problem:  # the wall: a bug ends the turn, not the workstation
            _log.exception("turn %s", turn.id)
            return _Failure("error", redact(f"{type(problem).__name__}: {problem}"), "ska doctor")
        return None

    async def _seat(self, progress: _Progress) -> None:
        """Tells what has changed of who takes part, and asks whether another one is to answer."""
        turn = progress.turn
        for moment in turn.seated:
            self._tell(told_of(moment, turn.session.id, parent=turn.request.parent))
        if turn.instead is None or self._seats is None:
            return
        taking = TakingOver(turn, self._bench, self._seats)
        async with aclosing(taking.events()) as events:
            async for event in events:
                await self._record(turn, event, progress)
                self._tell(event)
        progress.turn = taking.turn

    async def _run(self, turn: Turn, progress: _Progress) -> None:
        view = await self._views.prepared(turn)
        model = self._calls.recorder(turn.model, turn.message, seen=turn.seen, marks=turn.marks)
        progress.taint = self._taint(turn, view)
        async with aclosing(self._events(turn, view, model, progress.taint)) as events:
            async for event in events:
                if isinstance(event, TurnFinished):
                    # Whoever stops the turn now comes too late: it is whole.
                    await _to_its_end(self._finish(turn, event, progress))
                else:
                    await self._record(turn, event, progress)
                    self._tell(event)

    async def preview(self, turn: Turn) -> ModelCall:
        """What a dry turn would send for its reply; no model is asked."""
        view = await self._views.of(turn, before=True)
        model = Recorder(Unasked(turn.model), turn.message, self._clock)
        taint = self._taint(turn, view)
        async with aclosing(self._events(turn, view, model, taint)) as events:
            with suppress(ModelFailed):  # a model that is not asked gives no reply
                async for _ in events:
                    pass
        return await model.preview(self._bench.tokens)

    def _taint(self, turn: Turn, view: View) -> Taint:
        """What the prompt holds from its start that others wrote; a key's own words are no others'
        to the key."""
        found = of_conversation((*view.messages, turn.message))
        own = () if turn.request.keeps else ("client",)
        draft, slug = view.draft, turn.dna.slug
        told = draft.told_apart and any(of_another(one, slug) for one in draft.history)
        agents: tuple[Origin, ...] = ("agent",) if told or draft.handed else ()
        return Taint(all_origins((one for one in found if one not in own), agents))

    def _events(
        self, turn: Turn, view: View, model: Recorder, taint: Taint
    ) -> AsyncGenerator[Event, None]:
        brief = Brief(
            session=turn.session.id,
            turn=turn.id,
            agent=turn.dna,
            message=turn.message,
            parent=turn.request.parent,
            chain=turn.request.chain,
            max_tool_calls=turn.request.max_tool_calls,
            asides=partial(self._heard_since, turn.id),
            draft=view.draft,
            fitted=None if view.fit.guessed else view.fit,
            response_schema=turn.request.response_schema,
            client_tools=turn.request.client_tools,
            tool_choice=turn.request.tool_choice,
            warm="temperature" in (turn.request.options or {}),
            remembers=turn.request.use_memory,
        )
        hands = self._bench.hands(
            turning_of(turn, taint),
            model,
            view.fit.history,
            earlier=view.messages,
            seen=turn.seen,
            dry=turn.dry,
        )
        hands = replace(hands, compose=model.compose)
        if turn.dna.runs is not None and self._outside is not None and not turn.dry:
            return self._outside.turn(brief, hands, turn.request.folder)
        return run_turn(brief, hands)

    def _tell(self, event: Event) -> None:
        ended = isinstance(event, TurnFinished | TurnFailed)
        if ended:
            self._calls.ended(event.turn)
        self._board.heard(event, self._clock() if ended else None)
        self._bus.publish(event)

    async def _record(self, turn: Turn, event: Event, progress: _Progress) -> None:
        """Saves what an event carries before anybody sees it."""
        match event:
            case TextDelta():
                progress.text += event.text
                progress.keeping.grown(progress.text, progress.taint.origins)
            case Notice() if event.level == "warning":
                progress.notices.append(event.text)
            case ToolStarted():
                call = ToolCall(
                    id=event.call, name=event.tool, arguments=whole_json(event.arguments)
                )
                progress.calls[event.call] = call, len(whole(progress.text))
            case ApprovalAsked() if turn.request.interactive:
                await note_asked(self._ledger, event)
                progress.asked.add(event.approval)
            case ApprovalAnswered() if event.approval in progress.asked:
                await note_answered(self._ledger, event)
                progress.asked.discard(event.approval)
            case MemorySaved():
                progress.saved.append(event.memory_id)
            case ToolFinished():
                outcome = CallOutcome(
                    ok=event.ok, seconds=event.seconds, choice=event.choice, by=event.by
                )
                told = self._reply(turn, new_id(), event.result, event.origins)
                await self._save_call(turn, progress, replace(told, outcome=outcome), event.call)
            case _:
                pass

    async def _finish(self, turn: Turn, event: TurnFinished, progress: _Progress) -> None:
        """Saves the whole reply and how it ended, then tells of it."""
        reply = self._reply(turn, event.message_id, event.text, progress.taint.origins)
        calls = tuple(replace(one, arguments=whole_json(one.arguments)) for one in event.tool_calls)
        saved = self._save(replace(reply, usage=event.usage, tool_calls=calls))
        noted = note_end(self._ledger, event, progress.notices, progress.saved)
        await asyncio.gather(saved, self._note_usage(turn, event), noted)
        progress.ended = True
        await progress.keeping.end()
        self._tell(event)

    async def _save_call(
        self, turn: Turn, progress: _Progress, told: Message, call_id: str
    ) -> None:
        """The exchange as two messages, so that a resumed session replays it."""
        call, said = progress.calls.pop(call_id)
        # The call was made before its result was read.
        asked = self._reply(turn, new_id(), "", progress.taint.origins)
        outcome = replace(told.outcome or CallOutcome(ok=False), said=said)
        await self._save(replace(asked, tool_calls=(call,)))
        await self._save(replace(told, role="tool", tool_call_id=call_id, outcome=outcome))

    def _reply(
        self, turn: Turn, message_id: str, text: str, origins: tuple[Origin, ...]
    ) -> Message:
        return Message(
            id=message_id,
            session=turn.session.id,
            turn=turn.id,
            role="assistant",
            content=whole(text),
            created_at=self._clock(),
            agent=turn.dna.slug,
            origins=origins,
        )

    async def _save(self, message: Message) -> None:
        await self._ledger.save_message(message)
        self._touched()

    async def _note_usage(self, turn: Turn, event: TurnFinished) -> None:
        """The turn as a whole; what it cost is noted call by call (`models/money/metered`)."""
        decided = turn.decided
        data = turn_note(
            event.usage,
            session=turn.session.id,
            routing=decided and decided.routing,
            choice=decided and decided.choice,
        )
        await self._ledger.note("usage", turn.id, actor=turn.dna.slug, data=data)

    def _stopped(self, turn: Turn) -> "_Failure":
        if turn.id in self._why:
            return _STOPPED[self._why[turn.id]]
        return _STOPPED["host_closed" if self._closing else "cancelled"]

    async def _fail(self, progress: _Progress, failure: "_Failure") -> None:
        """Keeps the partial text and how the turn ended, then tells of it."""
        if progress.ended:
            return
        turn = progress.turn
        kept: str | None = None
        hint = failure.hint
        try:
            for call in list(progress.calls):
                unfinished = self._reply(turn, new_id(), NOT_ENDED, ())
                await self._save_call(turn, progress, unfinished, call)
            if progress.text.strip():
                kept = new_id()
                reply = self._reply(turn, kept, progress.text, progress.taint.origins)
                await self._save(replace(reply, state="partial"))
            # What waits when the home is closed is told by the next process that opens it.
            for approval in progress.asked if failure.reason != "host_closed" else ():
                await note_withdrawn(self._ledger, approval, turn.session.id)
        except SkillAgentError as problem:
            kept, hint = None, f"the partial reply could not be kept: {problem.message}"
        failed = TurnFailed(
            session=turn.session.id,
            turn=turn.id,
            agent=turn.dna.slug,
            parent=turn.request.parent,
            reason=failure.reason,
            message=redact(failure.message),
            hint=hint,
            message_id=kept,
            text=progress.text,
        )
        try:
            await note_end(self._ledger, failed, progress.notices, progress.saved)
            await progress.keeping.end()
        except SkillAgentError as problem:  # the file stays: the next opening takes it from there
            _log.warning("the end of turn %s is not noted: %s", turn.id, problem.message)
        progress.ended = True
        self._tell(failed)


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why a turn has no whole reply."""

    reason: FailureReason
    message: str
    hint: str = ""


_STOPPED: Mapping[FailureReason, _Failure] = MappingProxyType(
    {
        "cancelled": _Failure("cancelled", "cancelled"),
        "abandoned": _Failure("abandoned", "stopped: whoever asked went away", "ask again"),
        "host_closed": _Failure(
            "host_closed", "the home was closed before the reply was whole", "ask again"
        ),
    }
)
_REASONS: tuple[tuple[type[SkillAgentError], FailureReason], ...] = (
    (BudgetSpent, "budget"),
    (ModelUnavailable, "model_unavailable"),
    (ModelRejected, "rejected"),
    (ModelFiltered, "filtered"),
    (ModelError, "model_failed"),
    (TurnLimit, "limit"),
)


def _is_talk(turn: Turn) -> bool:
    """Whether somebody talks with an agent: what agents do for one another is not read for
    memories, and each such conversation is over soon."""
    return turn.request.use_memory and turn.request.task is None


def _reason(problem: SkillAgentError) -> FailureReason:
    for kind, reason in _REASONS:
        if isinstance(problem, kind):
            return reason
    return "error"


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Waits for what must not be left half done, also while it is being cancelled."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    task.result()


def _noticed(loading: "asyncio.Task[None]") -> None:
    """The stream meets the same error again and tells it; here it is only taken note of."""
    if not loading.cancelled():
        loading.exception()


def _started(turn: Turn) -> TurnStarted:
    words, attachments = told_apart(turn.message)
    return TurnStarted(
        session=turn.session.id,
        turn=turn.id,
        agent=turn.dna.slug,
        parent=turn.request.parent,
        message_id=turn.message.id,
        text=words,
        attachments=attachments,
        model=turn.model.info.name,
        tier=turn.marks.get("tier", ""),
        why=turn.decided.choice.why if turn.decided else "",
        at=iso(turn.message.created_at),
    )


def _routed(turn: Turn) -> AgentRouted | None:
    """That another agent answers than the conversation's own, where the team chose it."""
    routing = turn.decided.routing if turn.decided else None
    if routing is None or routing.came_from in (None, turn.dna.slug):
        return None
    return AgentRouted(
        session=turn.session.id,
        turn=turn.id,
        agent=turn.dna.slug,
        parent=turn.request.parent,
        came_from=routing.came_from,
        reason=routing.reason,
        confidence=routing.confidence,
        explanation=routing.explanation,
    )
