"""A person's thumb on a reply, and what it does to the memories that went into it.

Feedback moves importance a little and within bounds; it never pins, never heats and never touches
what is pinned or part of an identity, so that no old favourite can outshout the truth.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from skill_agent.errors import MemoryChanged, NotFound, StoreError, UsageError
from skill_agent.ports import Clock, Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.text.checks import sound_text
from skill_agent.values import (
    FeedbackResult,
    LogEntry,
    Memory,
    MemoryChange,
    Message,
    Rated,
    Rating,
)

from .book import MemoryBook
from .operations import FeedbackOperations

KIND = "feedback"
HIGHEST, LIFT = 8, 2
"""Feedback alone lifts a memory to at most 8, and at most 2 above where it stood without it."""
REVIEW_BELOW = 3
_TRIES = 5
_SHORTEST_PREFIX = 6
_SESSIONS = 500
"""Sessions searched for a message by the beginning of its id, the newest first."""


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What the last rating of a reply was, and what it did."""

    rating: Rating | None = None
    moved: Mapping[str, int] | None = None
    """By memory, how far its importance was moved."""
    judged: tuple[str, ...] = ()
    """Procedural memories whose success was counted."""


class Feedback(FeedbackOperations):
    """Ratings of one home's replies."""

    def __init__(self, ledger: Ledger, book: MemoryBook, clock: Clock) -> None:
        self._ledger, self._book, self._clock = ledger, book, clock

    async def rate(
        self, ref: str, rating: Rating, comment: str = "", *, actor: str = "person"
    ) -> FeedbackResult:
        """Rates a reply by id, prefix or `latest`; any message of a turn stands for its reply.

        The same rating again does nothing; the other one takes the first back. Raises NotFound or
        UsageError for what is no reply, StoreError where the memories keep changing.
        """
        reply, asked = await self._reply(sound_text(ref))
        sound_text(comment)
        used = [] if asked is None else list(asked.recalled)
        for _ in range(_TRIES):
            earlier, lifted = await self._before(reply.id, used)
            known = await self._ledger.memories_by_id(used)
            memories = [known[one] for one in used if one in known]
            if earlier.rating == rating:
                rated = tuple(Rated(memory=m, old=m.importance, new=m.importance) for m in memories)
                return FeedbackResult(
                    message=reply, rating=rating, memories=rated, flagged=(), repeated=True
                )
            after = [_judged(one, rating, earlier, lifted.get(one.id, 0)) for one in memories]
            with suppress(MemoryChanged):
                await self._write(memories, after, reply, rating, actor)
                await self._note(reply, rating, comment, memories, after, actor, earlier)
                return _result(reply, rating, memories, after)
        raise StoreError("the memories of this reply keep changing", hint="try again")

    async def of(self, message_ids: Sequence[str]) -> dict[str, Rating]:
        return await ratings_of(self._ledger, message_ids)

    # -- the reply ---------------------------------------------------------------------------

    async def _reply(self, ref: str) -> tuple[Message, Message | None]:
        """The reply meant, and the user's message it answers, data block and all."""
        named = await self._latest() if ref == "latest" else await self._named(ref)
        turn = [m for m in await self._ledger.messages(named.session) if m.turn == named.turn]
        replies = [m for m in turn if m.role == "assistant" and not m.tool_calls]
        if not replies:
            raise UsageError(f"message {named.id} has no reply to rate", hint="ska sessions list")
        asked = next((m for m in turn if m.role == "user"), None)
        return replies[-1], asked

    async def _latest(self) -> Message:
        for session in await self._ledger.sessions(limit=20):
            messages = await self._ledger.messages(session.id)
            for message in reversed(messages):
                if message.role == "assistant" and not message.tool_calls:
                    return message
        raise NotFound("there is no reply yet", hint='ska ask "your question"')

    async def _named(self, ref: str) -> Message:
        if (message := await self._ledger.message(ref)) is not None:
            return message
        found: list[Message] = []
        if len(ref) >= _SHORTEST_PREFIX:
            for session in await self._ledger.sessions(limit=_SESSIONS):
                messages = await self._ledger.messages(session.id)
                found += [one for one in messages if one.id.startswith(ref)]
        turns = {one.turn for one in found}
        if len(turns) > 1:
            raise UsageError(
                f"{ref} is the beginning of several messages' ids",
                hint=f"give more of it, e.g. {found[0].id}",
            )
        if not found:
            raise NotFound(f"no message {ref!r}", hint="ska sessions show latest")
        return found[0]

    # -- what was rated before ---------------------------------------------------------------

    async def _before(self, reply: str, memories: Sequence[str]) -> tuple[_Earlier, dict[str, int]]:
        """The reply's last rating, and how far all feedback has moved each memory's importance."""
        keys = {_memory_key(one): one for one in memories}
        states = await self._ledger.projected(_FEEDBACK, [_reply_key(reply), *keys])
        said = states.pop(_reply_key(reply), None)
        lifted = {keys[key]: state["net"] for key, state in states.items()}
        if said is None:
            return _Earlier(), lifted
        return _Earlier(said["rating"], said["moved"], tuple(said["judged"])), lifted

    # -- writing -----------------------------------------------------------------------------

    async def _write(
        self,
        before: Sequence[Memory],
        after: Sequence[Memory],
        reply: Message,
        rating: Rating,
        actor: str,
    ) -> None:
        now = self._clock()
        changes = [
            MemoryChange(
                kind="memory.rated",
                memory=replace(new, updated_at=now),
                actor=actor,
                reason=f"thumbs {rating} on reply {reply.id}",
                expected=old,
            )
            for old, new in zip(before, after, strict=True)
            if new != old
        ]
        if changes:
            await self._book.write(changes)

    async def _note(
        self,
        reply: Message,
        rating: Rating,
        comment: str,
        before: Sequence[Memory],
        after: Sequence[Memory],
        actor: str,
        earlier: _Earlier,
    ) -> None:
        net = {o.id: n.importance - o.importance for o, n in zip(before, after, strict=True)}
        back = earlier.moved or {}
        moved = {one: step + back.get(one, 0) for one, step in net.items()}
        judged = [one.id for one in after if one.memory_type == "procedural" and _stands(one)]
        data: dict[str, Any] = {
            "message": reply.id,
            "session": reply.session,
            "agent": reply.agent or "",
            "memories": [one.id for one in before],
            "rating": rating,
            "net": {one: step for one, step in net.items() if step},
            "moved": {one: step for one, step in moved.items() if step},
            "judged": judged,
        }
        if comment.strip():
            data["text"] = comment.strip()
        await self._ledger.note(KIND, reply.id, actor=actor, data=data)


async def ratings_of(ledger: Ledger, message_ids: Sequence[str]) -> dict[str, Rating]:
    """The last rating of each reply that has one."""
    keys = {_reply_key(one): one for one in message_ids}
    states = await ledger.projected(_FEEDBACK, list(keys))
    return {keys[key]: state["rating"] for key, state in states.items()}


def _rating(row: LogEntry) -> Rating | None:
    said = (row.new or {}).get("rating")
    return said if said in ("up", "down") else None


def _reply_key(message: str) -> str:
    return f"reply:{message}"


def _memory_key(memory: str) -> str:
    return f"memory:{memory}"


def _steps(said: object) -> dict[str, int]:
    """By memory, how far it was moved; what cannot be a step is none."""
    if not isinstance(said, dict):
        return {}
    return {one: step for one, step in said.items() if type(step) is int and abs(step) < 10}


def _keys(row: LogEntry) -> list[str]:
    moved = [_memory_key(one) for one in _steps((row.new or {}).get("net"))]
    return [_reply_key(row.entity), *moved] if _rating(row) else moved


def _step(key: str, state: State | None, row: LogEntry) -> State:
    said = row.new or {}
    if key == _reply_key(row.entity) and (rating := _rating(row)):
        judged = said.get("judged")
        named = judged if isinstance(judged, list | tuple) else ()
        texts = [one for one in named if isinstance(one, str)]
        return {"rating": rating, "moved": _steps(said.get("moved")), "judged": texts}
    net = _steps(said.get("net"))[key.removeprefix(_memory_key(""))]
    return {"net": (state or {"net": 0})["net"] + net}


_FEEDBACK = Projection(name="feedback", version=2, kinds=(KIND,), keys=_keys, step=_step)


def _stands(memory: Memory) -> bool:
    return memory.status in ("active", "disputed")


def _may_change(memory: Memory) -> bool:
    return _stands(memory) and not memory.pinned and memory.memory_type != "identity"


def _judged(memory: Memory, rating: Rating, earlier: _Earlier, lifted: int) -> Memory:
    """A memory after a rating, an earlier one of the same reply taken back first.

    `lifted` is what all feedback has added to its importance so far.
    """
    if memory.memory_type == "procedural" and _stands(memory):
        memory = replace(memory, metadata=_counted(memory, rating, earlier))
    if not _may_change(memory):
        return memory
    back = (earlier.moved or {}).get(memory.id, 0)
    own = memory.importance - lifted
    # Taking a "down" back is a lift, too.
    ceiling = max(own, min(HIGHEST, own + LIFT))
    step = 1 if rating == "up" else -1
    importance = min(ceiling, max(1, min(ceiling, memory.importance - back) + step))
    metadata = {name: value for name, value in memory.metadata.items() if name != "review"}
    if importance < REVIEW_BELOW:
        metadata["review"] = True
    return replace(memory, importance=importance, metadata=metadata)


def _counted(memory: Memory, rating: Rating, earlier: _Earlier) -> dict[str, Any]:
    """Uses, successes and their rate."""
    used, won = (_count(memory.metadata.get(name)) for name in ("times_used", "successes"))
    if memory.id in earlier.judged:
        used, won = used - 1, won - (earlier.rating == "up")
    used, won = max(0, used) + 1, max(0, won) + (rating == "up")
    won = min(won, used)
    rate = round(won / used, 4)
    return {**memory.metadata, "times_used": used, "successes": won, "success_rate": rate}


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _result(
    reply: Message, rating: Rating, before: Sequence[Memory], after: Sequence[Memory]
) -> FeedbackResult:
    return FeedbackResult(
        message=reply,
        rating=rating,
        memories=tuple(
            Rated(memory=new, old=old.importance, new=new.importance)
            for old, new in zip(before, after, strict=True)
        ),
        flagged=tuple(one.id for one in after if one.metadata.get("review") is True),
    )
