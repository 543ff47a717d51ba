"""What belongs to a memory that is to be erased: its versions, the turns it came from, and every
place that repeats it.

Literal repetition and words that give it away are found here; nothing is erased, and what says
the same in other words is not looked for.
"""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from skill_agent.conversations.client_context import all_said
from skill_agent.conversations.sessions import title_of
from skill_agent.memory.life import previous
from skill_agent.memory.recall.summed import made_from
from skill_agent.memory.words.phrases import Finder
from skill_agent.memory.words.stemming import STOP_WORDS
from skill_agent.ports import Ledger
from skill_agent.text.redaction import mask
from skill_agent.text.secrets.credentials import secrets_in
from skill_agent.values import (
    ERASED_TITLE,
    Erasure,
    Memory,
    MemoryFilter,
    Message,
    Occurrences,
)

_SHORTEST_WORD = 4
_STANDING = ("identity", "user_profile", "shared")
"""Types that stand in every system message: any reply may repeat them."""


def holds(erasure: Erasure) -> Finder:
    """Tells whether a text (JSON or plain) is about any of it or repeats it."""
    return Finder(_said(erasure), erasure.ids)


def mentions(erasure: Erasure) -> Finder:
    """As `holds`, and for every word that gives it away: for logs and histories."""
    return Finder([*_said(erasure), *erasure.telling], erasure.ids)


def _said(erasure: Erasure) -> list[str]:
    """What repeats it: the memories, the messages that are no mere "Okay", the numbers."""
    contents = [one.content for one in erasure.memories]
    gives_away = Finder([*contents, *erasure.telling])
    messages = (text for one in erasure.messages for text in all_said(one))
    return [*contents, *filter(gives_away, messages), *filter(_has_digit, erasure.telling)]


@dataclass(slots=True)
class _Gone:
    """What was found so far."""

    memories: dict[str, Memory] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    notes: set[int] = field(default_factory=set)
    followed: set[str] = field(default_factory=set)
    """Ids whose data blocks were looked for."""
    candidates: dict[str, Message] = field(default_factory=dict)
    """Replies that had it before their eyes: recalled, or earlier in their conversation."""


class Planner:
    """Works out one erasure; make a new one for the next."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._gone = _Gone()
        self._sessions: dict[str, list[Message]] = {}

    async def plan(self, wanted: Sequence[Memory]) -> Erasure:
        """The whole of it, look-alikes and files apart."""
        gone = self._gone
        gone.memories = {one.id: one for one in await self._versions(wanted)}
        chain = list(gone.memories.values())
        contents = [one.content for one in chain] + await self._masked_in(chain)
        vocabulary = list(dict.fromkeys(w for text in contents for w in _words(text)))
        found = await self._ledger.occurrences(list(dict.fromkeys([*contents, *vocabulary])))
        literal = [found[text] for text in contents]
        await self._holders(literal)
        await self._turns(chain, literal)
        await self._derived()
        await self._repetitions(chain, {word: found[word] for word in vocabulary})
        telling = self._telling({word: found[word] for word in vocabulary})
        await self._summaries()
        titles = await self._titles(contents, telling, literal, found)
        changes = {seq: name for one in literal for seq, name in one.changes.items()}
        restated = {name for name in changes.values() if name not in gone.memories}
        own_rows = {seq for seq, name in changes.items() if name in restated}
        return Erasure(
            memories=tuple(gone.memories.values()),
            messages=tuple(sorted(gone.messages.values(), key=lambda m: (m.session, m.position))),
            notes=tuple(sorted({*gone.notes, *own_rows})),
            titles=titles,
            fixed=tuple(
                sorted({seq for text in (*contents, *telling) for seq in found[text].fixed})
            ),
            restated=tuple(sorted(restated)),
            telling=tuple(telling),
            since=await self._since(),
        )

    async def _versions(self, wanted: Sequence[Memory]) -> list[Memory]:
        """The memories with everything before and after them."""
        everything = {one.id: one async for one in every_memory(self._ledger)}
        linked: dict[str, set[str]] = {name: set() for name in everything}
        for memory in everything.values():
            for other in (memory.superseded_by, *previous(memory)):
                if other in linked:
                    linked[other].add(memory.id)
                    linked[memory.id].add(other)
        found: dict[str, Memory] = {}
        waiting = [one.id for one in wanted]
        while waiting:
            name = waiting.pop()
            if name in everything and name not in found:
                found[name] = everything[name]
                waiting += sorted(linked[name])
        return list(found.values())

    async def _masked_in(self, chain: Sequence[Memory]) -> list[str]:
        """The credentials that memory has a mask for, and the conversation has whole."""
        sources = {name for one in chain for name in one.source.message_ids}
        said = await self._ledger.messages_by_id(sorted(sources))
        found = {
            text[one.start : one.end]: mask(one.kind, text[one.start : one.end])
            for message in said.values()
            for text in all_said(message)
            for one in secrets_in(text)
        }
        return [
            secret
            for secret, mark in found.items()
            if any(mark in memory.content for memory in chain)
        ]

    async def _holders(self, literal: Sequence[Occurrences]) -> None:
        """Other memories, and notes, that say it word for word."""
        ids = sorted({name for one in literal for name in one.memories} - {*self._gone.memories})
        self._gone.memories |= await self._ledger.memories_by_id(ids)
        self._gone.notes |= {seq for one in literal for seq in one.notes}

    async def _turns(self, chain: Sequence[Memory], literal: Sequence[Occurrences]) -> None:
        """The turns it came from, and every message that says it."""
        sources = {name for one in chain for name in one.source.message_ids}
        said = {name for one in literal for name in one.messages}
        for message in (await self._ledger.messages_by_id(sorted(sources | said))).values():
            whole = message.id in sources or message.role == "user"
            await self._take(message, whole=whole)

    async def _derived(self) -> None:
        """Summaries, in all their versions, made from a message that goes: they are written anew
        from what stays."""
        gone = self._gone.messages.keys()
        async for memory in every_memory(self._ledger):
            if made_from(memory) & gone:
                self._gone.memories[memory.id] = memory

    async def _take(self, message: Message, *, whole: bool) -> None:
        """A message with its turn, or with the other half of a tool's exchange."""
        for other in await self._turn(message):
            tools = bool(message.tool_calls or message.tool_call_id)
            partner = tools and bool(other.tool_calls or other.tool_call_id)
            if whole or partner or other.id == message.id:
                self._gone.messages[other.id] = other
        for other in self._sessions[message.session]:
            if other.position > message.position and other.role != "user":
                self._gone.candidates[other.id] = other

    async def _turn(self, message: Message) -> list[Message]:
        if message.session not in self._sessions:
            self._sessions[message.session] = await self._ledger.messages(message.session)
        return [one for one in self._sessions[message.session] if one.turn == message.turn]

    async def _repetitions(self, chain: Sequence[Memory], found: dict[str, Occurrences]) -> None:
        """Data blocks that hold any of it, and replies made from those that give it away."""
        gone = self._gone
        if any(one.memory_type in _STANDING for one in chain):
            await self._standing_candidates(found, min(one.created_at for one in chain))
        while fresh := {*gone.memories, *gone.messages} - gone.followed:
            gone.followed |= fresh
            for name in sorted(fresh):
                await self._follow(name)
            telling = self._telling(found)
            for reply in list(gone.candidates.values()):
                if any(reply.id in found[word].messages for word in telling):
                    await self._take(reply, whole=False)

    async def _follow(self, name: str) -> None:
        """The prompts an item entered: their blocks go, their replies are suspects."""
        after = 0
        while rows := await self._ledger.log(name, kinds=("recalled",), after=after):
            after = rows[-1].seq
            self._gone.notes |= {row.seq for row in rows}
            asked = await self._ledger.messages_by_id([row.entity for row in rows])
            for message in asked.values():
                for other in await self._turn(message):
                    if other.role != "user":
                        self._gone.candidates[other.id] = other

    async def _standing_candidates(self, found: dict[str, Occurrences], since: datetime) -> None:
        ids = sorted({name for one in found.values() for name in one.messages})
        for message in (await self._ledger.messages_by_id(ids)).values():
            if message.role != "user" and message.created_at >= since:
                self._gone.candidates[message.id] = message

    def _telling(self, found: dict[str, Occurrences]) -> list[str]:
        """Numbers, and words nothing else in the ledger uses."""
        gone = self._gone
        known = {*gone.messages, *gone.candidates}
        return [
            word
            for word, where in found.items()
            if _has_digit(word) or (where.memories <= {*gone.memories} and where.messages <= known)
        ]

    async def _summaries(self) -> None:
        """Rolling summaries made of a conversation after one of its messages that goes."""
        first: dict[str, datetime] = {}
        for message in self._gone.messages.values():
            first[message.session] = min(
                first.get(message.session, message.created_at), message.created_at
            )
        for session, since in first.items():
            rows = await self._ledger.log(
                session, kinds=("compacted", "team.handoff"), limit=100_000
            )
            self._gone.notes |= {row.seq for row in rows if row.at >= since}

    async def _titles(
        self,
        contents: Sequence[str],
        telling: Sequence[str],
        literal: Sequence[Occurrences],
        found: dict[str, Occurrences],
    ) -> dict[str, str]:
        """Sessions that bear a part of it as their title, or once did."""
        gone = self._gone
        asked = [one for one in gone.messages.values() if one.role == "user"]
        asked.sort(key=lambda one: -one.position)
        opened = {one.session: one for one in asked}  # the first one that goes
        named = {name for one in literal for name in one.titles}
        named |= {name for word in telling for name in found[word].titles if name in opened}
        titles: dict[str, str] = {}
        for name in sorted({*opened, *named}):
            session = await self._ledger.session(name)
            if session is None:
                continue
            first = opened.get(name)
            derived = first is not None and title_of(first.content) == session.title
            if derived or Finder([*contents, *(telling if first else ())])(session.title):
                titles[name] = ERASED_TITLE
            elif name in named or (first is not None and first.position == 0):
                titles[name] = session.title
        return titles

    async def _since(self) -> datetime:
        """When the first of it was written down."""
        moments = [one.created_at for one in self._gone.messages.values()]
        for name in self._gone.memories:
            moments += [row.at for row in await self._ledger.log(name, limit=1)]
        return min(moments, default=datetime.min.replace(tzinfo=UTC))


def _words(text: str) -> list[str]:
    """Words that may give it away: numbers, and whatever is no everyday word."""
    return [
        word
        for word in re.findall(r"[^\W_]+", text.casefold())
        if _has_digit(word) or (len(word) >= _SHORTEST_WORD and word not in STOP_WORDS)
    ]


def _has_digit(word: str) -> bool:
    return any(character.isdigit() for character in word)


async def every_memory(ledger: Ledger) -> AsyncIterator[Memory]:
    """All memories whatever their status, newest first."""
    wanted = MemoryFilter(limit=5_000)
    while memories := await ledger.memories(wanted):
        for memory in memories:
            yield memory
        wanted = replace(wanted, offset=wanted.offset + len(memories))
