"""Follows a turn that was begun from a chat, and brings its reply there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from skill_agent.bridges.chats import Chats, Owed
from skill_agent.errors import NotFound
from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    Event,
    MemorySaved,
    Notice,
    TextDelta,
    TurnFailed,
    TurnFinished,
)
from skill_agent.text.redaction import redact
from skill_agent.values import FailureReason

from .line import Line, LineError, Refused
from .pace import Pace
from .phrases import say
from .reply import Reply

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation


@dataclass(slots=True)
class _Heard:
    """What a turn has told so far."""

    text: str = ""
    notes: list[str] = field(default_factory=list)
    """What stands below the reply."""
    fresh: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class _End:
    text: str
    problem: str = ""
    reason: FailureReason | None = None


Asked = Callable[[int, ApprovalAsked], Awaitable[None]]
Settled = Callable[[ApprovalAnswered], Awaitable[None]]


class Following:
    """Brings replies to chats."""

    def __init__(
        self,
        station: "Workstation",
        line: Line,
        chats: Chats,
        pace: Pace,
        *,
        language: Callable[[int], str],
        asked: Asked,
        settled: Settled,
    ) -> None:
        """`asked` brings an approval before the person whose chat it is, `settled` is told what
        became of it."""
        self._station, self._line, self._chats, self._pace = station, line, chats, pace
        self._language, self._asked, self._settled = language, asked, settled

    async def bring(self, chat: int, owed: Owed, *, several: bool = False) -> None:
        """Returns once the whole reply is in the chat, or the chat takes nothing any more.
        `several` says that others wait there, so that each names what it answers."""

        async def kept(messages: tuple[int, ...], whole: bool) -> None:
            await self._chats.sent(
                owed.chat, about=owed.turn, session=owed.session, messages=messages, whole=whole
            )

        reply_to = owed.asked if several or chat < 0 else None
        reply = Reply(self._line, chat, kept, sent=owed.sent, reply_to=reply_to)
        heard = _Heard()
        try:
            async with self._shown(chat, reply, heard):
                end = await self._until_over(chat, owed, heard)
        except NotFound:  # its conversation is gone
            await kept(reply.ids, True)
            return
        language = self._language(chat)
        try:
            await reply.finish(_whole(end, heard, language), otherwise=say(language, "empty reply"))
        except Refused:  # blocked by its person: it stays in the conversation
            await kept(reply.ids, True)

    async def _until_over(self, chat: int, owed: Owed, heard: _Heard) -> _End:
        with self._station.turns.subscribe(turn=owed.turn) as events:
            state = await self._station.turns.get(owed.turn)
            if state.state == "running":
                async for event in events:
                    if (end := await self._take(chat, event, heard)) is not None:
                        return end
                state = await self._station.turns.get(owed.turn)
        heard.notes.extend(_warning(one) for one in state.notices)
        problem = f"{state.problem} ({state.hint})" if state.hint else state.problem
        if state.state in ("failed", "interrupted"):
            return _End(state.text, problem or state.state, state.reason)
        return _End(state.text)

    async def _take(self, chat: int, event: Event, heard: _Heard) -> _End | None:
        match event:
            case TextDelta():
                heard.text += event.text
                heard.fresh.set()
            case MemorySaved():
                told = say(self._language(chat), "remembered", text=event.content)
                heard.notes.append(" ".join(told.split()))
            case Notice(level="warning"):
                heard.notes.append(_warning(event.line))
            case ApprovalAsked():
                await self._asked(chat, event)
            case ApprovalAnswered():
                await self._settled(event)
            case TurnFinished():
                return _End(event.text)
            case TurnFailed():
                problem = f"{event.message} ({event.hint})" if event.hint else event.message
                return _End(event.text, problem or event.reason, event.reason)
            case _:
                pass
        return None

    @asynccontextmanager
    async def _shown(self, chat: int, reply: Reply, heard: _Heard) -> AsyncIterator[None]:
        """Meanwhile it is said that something is written, and what there is of it is shown."""
        drafting = asyncio.create_task(self._draft(chat, reply, heard), name="telegram draft")
        typing = asyncio.create_task(self._type(chat), name="telegram typing")
        try:
            yield
        except asyncio.CancelledError:
            drafting.cancel()
            raise
        finally:
            typing.cancel()
            heard.over.set()
            heard.fresh.set()
            # A draft on its way is waited for: cut off, nobody would know what became of it.
            await asyncio.gather(drafting, typing, return_exceptions=True)

    async def _draft(self, chat: int, reply: Reply, heard: _Heard) -> None:
        while True:
            await heard.fresh.wait()
            with contextlib.suppress(TimeoutError):  # an end while the chat takes nothing yet
                await asyncio.wait_for(heard.over.wait(), self._line.free_in(chat))
            if heard.over.is_set():
                return
            heard.fresh.clear()
            if heard.text.strip():
                await reply.draft(heard.text + " …")

    async def _type(self, chat: int) -> None:
        while True:
            with contextlib.suppress(LineError):
                await self._line.typing(chat)
            await asyncio.sleep(self._pace.typing_s)


def _whole(end: _End, heard: _Heard, language: str) -> str:
    """The reply with what has to be told beside it."""
    notes = [*heard.notes]
    if end.reason == "cancelled":
        notes.append(say(language, "stopped"))
    elif end.problem:
        notes.append(say(language, "failed", why=redact(" ".join(end.problem.split()))))
    text = end.text.rstrip()
    if _open_fence(text):
        text += "\n```"
    return "\n\n".join(one for one in (text, *notes) if one)


def _open_fence(text: str) -> bool:
    """Whether a fence was never closed, as in a reply that was cut off."""
    return sum(line.lstrip().startswith("```") for line in text.splitlines()) % 2 == 1


def _warning(text: str) -> str:
    return "⚠️ " + redact(" ".join(text.split()))
