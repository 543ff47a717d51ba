"""Runs turns as owned tasks: saves what events carry, then publishes, and walls each turn in.

Whatever happens inside a turn, it ends in exactly one `TurnFinished` or `TurnFailed`.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from .bus import Bus
from .dna import AgentDNA
from .errors import ModelError, ModelRejected, ModelUnavailable, SkillAgentError
from .events import (
    Event,
    FailureReason,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from .hands import Workbench
from .identifiers import new_id
from .ports import Clock, Ledger, Model
from .safety import redact
from .turn import Brief, run_turn
from .values import Message, Session, ToolCall

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One turn to run; its user message is in the ledger."""

    session: Session
    dna: AgentDNA
    model: Model
    message: Message
    use_memory: bool
    interactive: bool
    seen: int
    """Last ledger sequence before the turn: what recall must know of."""


@dataclass(slots=True)
class _Progress:
    """What a turn has said and done so far, in case it does not end well."""

    text: str = ""
    calls: dict[str, ToolCall] = field(default_factory=dict)
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
    ) -> None:
        self._ledger, self._bench, self._bus, self._clock = ledger, bench, bus, clock
        self._touched = touched
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._systems: dict[tuple[str, str, bool], str] = {}
        """System messages by (session, agent, memory); fixed, so that a session's prefix lasts."""

    def start(self, job: Job) -> None:
        turn = job.message.turn
        task = asyncio.create_task(self._drive(job), name=f"turn {turn}")
        self._tasks[turn] = task
        task.add_done_callback(lambda _: self._tasks.pop(turn, None))

    async def cancel(self, turn: str) -> bool:
        """Stops a turn and waits for its end; False if it is not running."""
        task = self._tasks.get(turn)
        if task is None:
            return False
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return True

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _drive(self, job: Job) -> None:
        """The wall around a turn: whatever happens, it ends in one event."""
        progress = _Progress()
        loading = asyncio.create_task(job.model.load())  # beside recall: both take a second
        loading.add_done_callback(_noticed)
        try:
            async with self._locks[job.session.id]:
                brief = await self._brief(job)
                self._bus.publish(_started(job))
                await self._run(job, brief, progress)
        except asyncio.CancelledError:
            await self._fail(job, progress, "cancelled", "cancelled")
        except ModelUnavailable as problem:
            await self._fail(job, progress, "model_unavailable", problem.message, problem.hint)
        except ModelRejected as problem:
            await self._fail(job, progress, "rejected", problem.message, problem.hint)
        except ModelError as problem:
            await self._fail(job, progress, "model_failed", problem.message, problem.hint)
        except SkillAgentError as problem:
            await self._fail(job, progress, "error", problem.message, problem.hint)
        except Exception as problem:  # the wall: a bug ends the turn, not the workstation
            _log.exception("turn %s", job.message.turn)
            told = redact(f"{type(problem).__name__}: {problem}")
            await self._fail(job, progress, "error", told, "ska doctor")
        finally:
            loading.cancel()

    async def _brief(self, job: Job) -> Brief:
        earlier = await self._ledger.messages(job.session.id)
        key = (job.session.id, job.dna.slug, job.use_memory)
        if key not in self._systems:
            self._systems[key] = await self._bench.system(job.dna, use_memory=job.use_memory)
        return Brief(
            session=job.session.id,
            turn=job.message.turn,
            agent=job.dna,
            message=job.message,
            history=[m for m in earlier if m.position < job.message.position or m.role != "user"],
            system=self._systems[key],
        )

    async def _run(self, job: Job, brief: Brief, progress: _Progress) -> None:
        hands = self._bench.hands(
            job.dna,
            job.model,
            brief.history,
            use_memory=job.use_memory,
            interactive=job.interactive,
            seen=job.seen,
        )
        async with aclosing(run_turn(brief, hands)) as events:
            async for event in events:
                await self._record(job, event, progress)
                self._bus.publish(event)

    async def _record(self, job: Job, event: Event, progress: _Progress) -> None:
        """Saves what an event carries before anybody sees it."""
        match event:
            case TextDelta():
                progress.text += event.text
            case ToolStarted():
                progress.calls[event.call] = ToolCall(
                    id=event.call, name=event.tool, arguments=event.arguments
                )
            case ToolFinished():
                await self._save_tool(job, progress.calls[event.call], event)
            case TurnFinished():
                reply = self._reply(job, event.message_id, event.text)
                saved = self._save(replace(reply, usage=event.usage))
                await asyncio.gather(saved, self._note_usage(job, event))
                progress.ended = True
            case _:
                pass

    async def _save_tool(self, job: Job, call: ToolCall, event: ToolFinished) -> None:
        """The exchange as two messages, so that a resumed session replays it."""
        asked = replace(self._reply(job, new_id(), ""), tool_calls=(call,))
        told = replace(
            self._reply(job, new_id(), event.result), role="tool", tool_call_id=event.call
        )
        await self._save(asked)
        await self._save(told)

    def _reply(self, job: Job, message_id: str, text: str) -> Message:
        return Message(
            id=message_id,
            session=job.session.id,
            turn=job.message.turn,
            role="assistant",
            content=text,
            created_at=self._clock(),
            agent=job.dna.slug,
        )

    async def _save(self, message: Message) -> None:
        await self._ledger.save_message(message)
        self._touched()

    async def _note_usage(self, job: Job, event: TurnFinished) -> None:
        usage = event.usage
        await self._ledger.note(
            "usage",
            job.message.turn,
            actor=job.dna.slug,
            data={
                "session": job.session.id,
                "model": usage.model,
                "prompt_tokens": usage.prompt_tokens,
                "completion_tokens": usage.completion_tokens,
                "cached_tokens": usage.cached_tokens,
                "cost_usd": usage.cost_usd,
                "first_token_s": usage.first_token_s,
                "total_s": usage.total_s,
            },
        )

    async def _fail(
        self,
        job: Job,
        progress: _Progress,
        reason: FailureReason,
        message: str,
        hint: str = "",
    ) -> None:
        """Keeps the partial text, then ends the turn with its one failure event."""
        if progress.ended:
            return
        kept: str | None = None
        if progress.text.strip():
            kept = new_id()
            partial = replace(self._reply(job, kept, progress.text), state="partial")
            try:
                await self._save(partial)
            except SkillAgentError as problem:
                kept, hint = None, f"the partial reply could not be kept: {problem.message}"
        self._bus.publish(
            TurnFailed(
                session=job.session.id,
                turn=job.message.turn,
                agent=job.dna.slug,
                reason=reason,
                message=redact(message),
                hint=hint,
                message_id=kept,
                text=progress.text,
            )
        )


def _noticed(loading: "asyncio.Task[None]") -> None:
    """The stream meets the same error again and tells it; here it is only taken note of."""
    if not loading.cancelled():
        loading.exception()


def _started(job: Job) -> TurnStarted:
    return TurnStarted(
        session=job.session.id,
        turn=job.message.turn,
        agent=job.dna.slug,
        message_id=job.message.id,
        text=job.message.content,
        model=job.model.info.name,
    )
