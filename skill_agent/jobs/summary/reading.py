"""The conversations of a span, and what the person told in them, sentence by sentence."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from skill_agent.conversations.client_context import typed, typed_origins
from skill_agent.conversations.requesters import left_out, owned
from skill_agent.memory.extraction.statement import Statement
from skill_agent.memory.extraction.statements import sentences, statements_of
from skill_agent.ports import Ledger
from skill_agent.text.language import spoken
from skill_agent.values import Memory, MemoryFilter, Message, Session

from .span import Span

MOST_SESSIONS, MOST_MESSAGES = 200, 2_000
"""Of one summary, the newest; messages that are left are counted."""
_PAGE, _TAIL = 100, 200
_ASKS = ("?", "？", "؟")
_MEMORIES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What was said in one conversation within the span."""

    session: Session
    messages: tuple[Message, ...]
    """All of the span, agents' and tools' too."""
    own: tuple[Message, ...]
    """The person's, without what they had forgotten."""
    replaced: tuple[str, ...] = ()
    """What memory knows to hold no longer, in the words it was kept in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question of the person's that nobody could answer."""

    text: str
    message: Message


class Conversations:
    """The conversations of a home, read for summaries."""

    def __init__(self, ledger: Ledger, *, most: int = MOST_MESSAGES) -> None:
        """At `most` so many messages are read for one summary, the newest."""
        self._ledger, self._most = ledger, most

    async def spoken(
        self, span: Span, *, key: str = "", without: Collection[str] = ()
    ) -> tuple[list[Spoken], int]:
        """The conversations in which the person spoke, the oldest first, and how many messages were
        too many to be read. `key`: only those an API key began. `without`: turns in which a job
        spoke in the person's place."""
        found: list[Spoken] = []
        read = unread = 0
        for session in await self._sessions(span, key):
            messages = await self._messages(session.id, span)
            room = self._most - read
            unread += max(0, len(messages) - room)
            messages = messages[-room:] if room > 0 else []
            read += len(messages)
            if one := await self._one(session, messages, without):
                found.append(one)
        return found[::-1], unread

    async def _sessions(self, span: Span, key: str) -> list[Session]:
        found: list[Session] = []
        before: tuple[datetime, str] | None = None
        while len(found) < MOST_SESSIONS:
            page = await self._ledger.sessions(limit=_PAGE, before=before)
            lately = [one for one in page if one.updated_at >= span.since]
            mine = await owned(self._ledger, [one.id for one in lately], key) if key else ()
            found += [
                one for one in lately if one.created_at < span.until and (not key or one.id in mine)
            ]
            if len(lately) < _PAGE:
                break
            before = page[-1].updated_at, page[-1].id
        return found[:MOST_SESSIONS]

    async def _messages(self, session: str, span: Span) -> list[Message]:
        """From the end of the conversation back to where the span begins."""
        last = _TAIL
        while True:
            messages = await self._ledger.messages(session, last=last)
            whole = len(messages) < last or messages[0].created_at < span.since
            if whole or last > 4 * self._most:
                return [one for one in messages if span.holds(one.created_at)]
            last *= 4

    async def _one(
        self, session: Session, messages: Sequence[Message], without: Collection[str]
    ) -> Spoken | None:
        silent = await left_out(self._ledger, (one.turn for one in messages))
        heard = [one for one in messages if one.turn not in silent and one.turn not in without]
        # What a program says in the person's place is none of their decisions and promises.
        said = [one for one in heard if one.role == "user" and not typed_origins(one)]
        if not said:
            return None
        gone = await self._gone(session.id)
        forgotten = {
            source for one in gone if one.status == "archived" for source in one.source.message_ids
        }
        own = [one for one in said if one.id not in forgotten]
        return Spoken(
            session=session,
            messages=tuple(heard),
            own=tuple(own),
            replaced=tuple(one.content for one in gone if one.status == "superseded"),
        )

    async def _gone(self, session: str) -> list[Memory]:
        wanted = MemoryFilter(session=session, statuses=("archived", "superseded"), limit=_MEMORIES)
        return await self._ledger.memories(wanted)


def told(one: Spoken) -> list[Statement]:
    """What the person stated there as their own; supposed and quoted things are left out."""
    own = {message.id for message in one.own}
    heard = [m for m in one.messages if m.role == "assistant" or m.id in own]
    return [each for each in statements_of(heard) if not each.invented]


def unanswered(one: Spoken) -> list[Asked]:
    """Questions whose turn has no whole reply, or one that says that it was never told; a question
    that was answered when it was asked again is none."""
    found: dict[str, Asked] = {}
    for message in one.own:
        asked = [each for each in sentences(_flat(typed(message))) if each.endswith(_ASKS)]
        if not asked:
            continue
        same = " ".join(asked[-1].casefold().split())
        if _answered(one, message):
            found.pop(same, None)
        else:
            found[same] = Asked(text=asked[-1], message=message)
    return list(found.values())


def _answered(one: Spoken, message: Message) -> bool:
    replies = [
        each.content
        for each in one.messages
        if each.turn == message.turn
        and each.role == "assistant"
        and each.state == "complete"
        and each.content.strip()
    ]
    unknown = [next(sentences(language.unknown)) for language in spoken()]
    return bool(replies) and not any(line in replies[-1] for line in unknown)


def _flat(text: str) -> str:
    return " ".join(text.split())
