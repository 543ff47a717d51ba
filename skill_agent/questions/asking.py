"""Asks a person and waits; a question outlives the process, and is settled once.

It is durable before anybody sees it. Its time is measured by the clock of the home, which goes on
while a laptop sleeps; what the loop's own clock is worth is a look from time to time.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid5

from skill_agent.errors import Conflict, UsageError
from skill_agent.events import Event, QuestionAnswered, QuestionAsked
from skill_agent.identifiers import new_id
from skill_agent.ports import Asks, Clock, Delivers, Ledger
from skill_agent.text.redaction import masked
from skill_agent.text.whole import whole
from skill_agent.values import (
    Answer,
    AnswerAction,
    Dispatch,
    NewQuestion,
    Question,
    QuestionState,
)

from .kept import Kept, KeptQuestions

LOOK_S = 15.0
"""How often it is looked whether a question's time is over, and whether anybody is still there."""
_LONGEST, _LONGEST_DETAIL = 2_000, 20_000
"""Characters of a question, and of what is to be decided on."""
_LONGEST_TIME_S = 366 * 86_400.0
_ITEMS = UUID("6ff2bb1e-6a0f-5f0e-9f43-0f8ac1a1d7a3")
"""By which a question and the item of the inbox that tells of it are known to belong together."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Where an answer arrives."""

    future: "asyncio.Future[Answer]"
    question: Question


class Asking(Asks):
    """The questions of one home."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        clock: Clock,
        publish: Callable[[Event], None],
        delivers: Delivers,
        watched: Callable[[], bool] = lambda: True,
        look_s: float = LOOK_S,
    ) -> None:
        """`watched` says whether a person is at a screen of this home."""
        self.kept = KeptQuestions(ledger)
        self._clock, self._publish, self._delivers = clock, publish, delivers
        self._watched, self._look_s = watched, look_s
        self._waiting: dict[str, _Waiting] = {}
        self._shown: set[str] = set()
        self._lock = asyncio.Lock()
        self._news = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """What a tool asked is asked for no more: its turn ended with the process before. The rest
        waits on, or its time is over."""
        for one in await self.kept.open():
            if one.question.source == "tool" and one.question.id not in self._waiting:
                await self._settle(one.question.id, "withdrawn", by="the program ended")
        if await self.kept.open():
            self._watch()

    async def end(self) -> None:
        """Nobody is waited for any more; the questions stay."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    async def ask(self, question: NewQuestion) -> Answer:
        """Raises UsageError for a question that cannot be one."""
        key = _key(question)
        async with self._lock:
            kept = await self.kept.get(key)
            if kept is None:
                kept = self._made(key, question)
                await self.kept.save(kept)
            if not kept.waits:
                return answer_of(kept.question)
            if key not in self._waiting:
                future = asyncio.get_running_loop().create_future()
                self._waiting[key] = _Waiting(future, kept.question)
            waiting = self._waiting[key]
            self._show(kept)
        self._watch()
        # Whoever gives up waiting does not end it for the others that ask the same.
        return await asyncio.shield(waiting.future)

    async def withdraw(self, key: str) -> None:
        """What was asked is of no matter any more; nothing happens where it is settled."""
        with contextlib.suppress(Conflict):
            await self._settle(key.lower(), "withdrawn", by="withdrawn")

    async def answer(self, question: str, action: AnswerAction, words: str, by: str) -> Question:
        """Settles it. Raises Conflict where that is done, with by whom."""
        return await self._settle(question, "answered", action=action, words=words, by=by)

    def _made(self, key: str, question: NewQuestion) -> Kept:
        now = self._clock()
        made = Question(
            id=key,
            text=_clipped(question.text, _LONGEST),
            detail=_clipped(question.detail, _LONGEST_DETAIL),
            source=question.source,
            about=question.about,
            default=question.default,
            agent=question.agent,
            session=question.session,
            turn=question.turn,
            origins=question.origins,
            chain=tuple(masked(one) for one in question.chain),
            created_at=now,
            expires=now + timedelta(seconds=min(question.timeout_s, _LONGEST_TIME_S)),
        )
        return Kept(question=made, asker=question.asker)

    def _show(self, kept: Kept) -> None:
        """Once in the life of a process, where windows come and go and ask what waits."""
        one = kept.question
        if one.id not in self._shown:
            self._shown.add(one.id)
            self._publish(asked(one, (one.expires - self._clock()).total_seconds()))

    async def _settle(
        self,
        question: str,
        state: QuestionState,
        *,
        action: AnswerAction | None = None,
        words: str = "",
        by: str,
    ) -> Question:
        async with self._lock:
            kept = await self.kept.get(question)
            if kept is None or not kept.waits:
                raise _settled(question, kept)
            done = replace(
                kept.question,
                state=state,
                action=action or kept.question.default,
                words=_clipped(words, _LONGEST_DETAIL),
                by=_clipped(by, 200),
                answered_at=self._clock(),
            )
            await self.kept.settle(done)
        self._tell(done)
        return done

    def _tell(self, done: Question) -> None:
        self._shown.discard(done.id)
        one = self._waiting.pop(done.id, None)
        if one is not None and not one.future.done():
            one.future.set_result(answer_of(done))
        self._publish(answered(done))
        self._news.set()

    # -- time ----------------------------------------------------------------------------------

    def _watch(self) -> None:
        self._news.set()
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep_time(), name="questions that wait")

    async def look(self) -> list[Kept]:
        """Settles what nobody answered in time, brings what nobody sees into the inbox, and gives
        what waits."""
        now, waiting = self._clock(), list[Kept]()
        for kept in await self.kept.open():
            if kept.question.expires <= now:
                with contextlib.suppress(Conflict):
                    await self._settle(kept.question.id, "timed_out", by="time-out")
                continue
            waiting.append(kept)
            if not kept.filed and not self._watched():
                await self._delivers.deliver(_dispatch(kept.question))
                await self.kept.file(kept.question)
        for one in [*self._waiting.values()]:
            if await self.kept.get(one.question.id) is None:
                self._tell(_erased(one.question))
        return waiting

    async def _keep_time(self) -> None:
        while True:
            self._news.clear()
            waiting = await self.look()
            if not waiting:
                if self._news.is_set():
                    continue
                return
            left = min(one.question.expires for one in waiting) - self._clock()
            wait = min(max(left.total_seconds(), 0.01), self._look_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), wait)


def _key(question: NewQuestion) -> str:
    if not question.text.strip():
        raise UsageError("a question without a text")
    if not question.timeout_s > 0:
        raise UsageError("a question needs some time to be answered")
    if question.key is None:
        return new_id()
    try:
        return str(UUID(question.key))
    except ValueError:
        raise UsageError(f"a question's key is a UUID, not {question.key[:60]!r}") from None


def _clipped(text: str, most: int) -> str:
    told = masked(whole(text)).strip()
    return told if len(told) <= most else f"{told[:most]}…"


def _settled(question: str, kept: Kept | None) -> Conflict:
    if kept is None:
        return Conflict(f"no question {question} waits", hint="ska questions list")
    one = kept.question
    told = f"{one.action}: {one.words}" if one.words else str(one.action)
    return Conflict(
        f"this question is settled: {told} (by {one.by})", hint=f"ska questions show {one.id}"
    )


def _erased(one: Question) -> Question:
    """What becomes of one that was erased while it waited; nothing of it is told."""
    gone = replace(one, text="", detail="", words="")
    return replace(gone, state="withdrawn", action=one.default, by="erased")


def answer_of(one: Question) -> Answer:
    """What a settled question came to."""
    return Answer(action=one.action or one.default, words=one.words, by=one.by)


def asked(one: Question, left_s: float) -> QuestionAsked:
    """The news that it waits, with the time that is left."""
    return QuestionAsked(
        session=one.session or "",
        turn=one.turn,
        agent=one.agent,
        question=one.id,
        text=one.text,
        detail=one.detail,
        default=one.default,
        timeout_s=max(left_s, 0.0),
    )


def answered(one: Question) -> QuestionAnswered:
    """The news that it is settled."""
    return QuestionAnswered(
        session=one.session or "",
        turn=one.turn,
        agent=one.agent,
        question=one.id,
        action=one.action or one.default,
        by=one.by,
        words=one.words,
    )


def _dispatch(one: Question) -> Dispatch:
    parts = (one.text, one.detail, f"Answer: ska questions answer {one.id} yes|no|'change: …'")
    return Dispatch(
        title=one.text.splitlines()[0][:120],
        text="\n\n".join(part for part in parts if part),
        sort="question",
        agent=one.agent,
        session=one.session,
        origins=one.origins,
        private=True,
        key=str(uuid5(_ITEMS, one.id)),
    )
