"""What of an archive comes in where nobody vouches for who wrote it, and what it comes in as.

The words of conversations and memories do, and each of them knows that it was brought. What would
speak as this program does not: system messages, blocks of recalled memory, summaries, the log of
another home's upkeep. What is noted is made anew from the fields that are known, or left out.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from skill_agent.conversations.accounts import CALL, TURN, call_note
from skill_agent.conversations.client_context import kept_instructions
from skill_agent.conversations.images import checked_images
from skill_agent.conversations.usage import usage_in, usage_record
from skill_agent.errors import UsageError
from skill_agent.memory.imported import counted, demoted, says_the_same
from skill_agent.values import (
    Belongings,
    ClientContext,
    ImportPlan,
    Memory,
    Message,
    Note,
    Session,
    all_origins,
)

_LONGEST_COMMENT, _LONGEST_NAME, _LONGEST_PURPOSE, _MOST_EXCHANGES = 10_000, 200, 40, 100_000
_SPOKEN = ("user", "assistant", "tool")


@dataclass(slots=True)
class Named:
    """Everything an archive names, found by reading it once."""

    sessions: set[str] = field(default_factory=set)
    turns: set[str] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)
    memories: set[str] = field(default_factory=set)

    @classmethod
    def by(cls, archive: Iterable[Belongings]) -> "Named":
        """Raises UsageError where the archive is not whole."""
        found = cls()
        for part in archive:
            found.sessions.update(one.id for one in part.sessions)
            found.turns.update(one.turn for one in part.messages)
            found.messages.update(one.id for one in part.messages)
            found.memories.update(one.id for one in part.memories)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What this home has of what an archive names."""

    sessions: Collection[str] = frozenset()
    messages: Collection[str] = frozenset()
    memories: Mapping[str, Memory] = field(default_factory=dict)
    newest: datetime | None = None
    """When the latest of its other sessions was spoken in."""
    agents: Collection[str] | None = None
    """The team; None where nobody knows it."""


class Taking:
    """An archive as it comes in; counted while it is read, anew at each reading."""

    def __init__(
        self,
        archive: Iterable[Belongings],
        named: Named,
        here: Here,
        *,
        now: datetime,
        trusted: bool,
    ) -> None:
        self._archive, self._named, self._here, self._now = archive, named, here, now
        self._trusted = trusted
        self._begin()

    def __iter__(self) -> Iterator[Belongings]:
        self._begin()
        for part in self._archive:
            self._count(part)
            yield part if self._trusted else self._taken(part)

    @property
    def plan(self) -> ImportPlan:
        """Of what was read so far."""
        names = {*self._plan.unknown_agents, *self._agents}
        return replace(
            self._plan,
            sessions=self._sessions,
            messages=dict(self._messages),
            notes=dict(self._notes),
            there=self._plan.there + self._there,
            refused=dict(self._refused),
            unknown_agents=tuple(sorted(names)),
            trusted=self._trusted,
        )

    def _begin(self) -> None:
        self._plan = ImportPlan()
        self._messages, self._notes = Counter[str](), Counter[str]()
        self._refused = Counter[str]()
        self._agents = set[str]()
        self._sessions = self._there = 0
        self._used = set[str]()
        """Turns whose usage was taken."""

    def _count(self, part: Belongings) -> None:
        team = self._here.agents
        memories = counted(
            part.memories, known=self._here.memories.keys(), agents=team, trusted=self._trusted
        )
        self._plan = memories.plus(self._plan)
        self._sessions += len(part.sessions)
        self._there += sum(one.id in self._here.sessions for one in part.sessions)
        self._messages.update(one.role for one in part.messages)
        self._notes.update(one.kind for one in part.notes)
        if team is not None:
            self._agents |= {one.agent for one in part.sessions} - {*team}

    # -- from anybody ------------------------------------------------------------------------

    def _taken(self, part: Belongings) -> Belongings:
        return Belongings(
            sessions=tuple(self._session(one) for one in part.sessions),
            messages=tuple(filter(None, map(self._message, part.messages))),
            memories=tuple(self._memory(one) for one in part.memories),
            notes=tuple(filter(None, map(self._note, part.notes))),
        )

    def _session(self, session: Session) -> Session:
        """Never the latest beside one of this home's own."""
        _check_id(session.id)
        last = self._now
        if self._here.newest is not None:
            last = min(last, self._here.newest - timedelta(microseconds=1))
        return replace(
            session,
            created_at=min(session.created_at, self._now),
            updated_at=min(session.updated_at, last),
        )

    def _message(self, message: Message) -> Message | None:
        _check_id(message.id)
        _check_id(message.turn)
        if message.role not in _SPOKEN:
            return self._out(f"messages with the role {message.role}")
        if message.session in self._here.sessions and message.id not in self._here.messages:
            return self._out("messages for conversations that are here already")
        usage, sent = message.usage, message.client_context
        return replace(
            message,
            created_at=min(message.created_at, self._now),
            client_context=_beside(sent) if sent else None,
            usage=usage_in(usage_record(usage)) if usage else None,
            origins=all_origins(message.origins, ("import",)),
        )

    def _memory(self, memory: Memory) -> Memory:
        kept = self._here.memories.get(memory.id)
        if kept is not None:
            return kept if says_the_same(memory, kept) else memory
        where = memory.source.session
        comes_along = where in self._named.sessions and where not in self._here.sessions
        elsewhere = frozenset() if comes_along or where is None else {where}
        return demoted(memory, now=self._now, sessions_here=elsewhere)

    def _note(self, note: Note) -> Note | None:
        session = note.data.get("conversation" if note.kind == CALL else "session")
        makers = {TURN: self._usage, CALL: self._call, "feedback": self._feedback}
        if (made := makers.get(note.kind)) and session in self._named.sessions:
            data = made(note)
            if data is not None:
                at = min(note.at, self._now)
                return replace(note, at=at, reason="", data=data)
        return self._out(f"notes of kind {note.kind[:40]}")

    def _usage(self, note: Note) -> dict[str, Any] | None:
        """Of a turn that comes along, once."""
        if note.entity not in self._named.turns or note.entity in self._used:
            return None
        self._used.add(note.entity)
        by_call = {"by_call": True} if note.data.get("by_call") is True else {}
        used = usage_record(usage_in(note.data))
        return {"session": note.data["session"], **used, **by_call}

    def _call(self, note: Note) -> dict[str, Any] | None:
        """Of a turn that comes along."""
        if note.entity not in self._named.turns:
            return None
        purpose, session = note.data.get("purpose"), note.data["conversation"]
        told = purpose[:_LONGEST_PURPOSE] if isinstance(purpose, str) else ""
        return call_note(usage_in(note.data), session=session, purpose=told)

    def _feedback(self, note: Note) -> dict[str, Any] | None:
        """The rating alone: what it did to memories is done."""
        rating, text = note.data.get("rating"), note.data.get("text")
        if note.entity not in self._named.messages or rating not in ("up", "down"):
            return None
        data: dict[str, Any] = {
            "session": note.data["session"], "message": note.entity, "memories": [],
            "rating": rating,
        }  # fmt: skip
        return {**data, "text": text[:_LONGEST_COMMENT]} if isinstance(text, str) else data

    def _out(self, what: str) -> None:
        self._refused[what] += 1


def _beside(sent: ClientContext) -> ClientContext:
    """What came beside the words, in the form this program writes: nothing in it ends the fence or
    the line it is told in, and a picture is one."""
    try:
        images = checked_images(sent.images)
    except UsageError:
        images = ()
    return replace(
        sent,
        instructions=kept_instructions(sent.instructions),
        earlier=kept_instructions(sent.earlier),
        exchanges=min(max(0, sent.exchanges), _MOST_EXCHANGES),
        digest=sent.digest if re.fullmatch(r"[0-9a-f]{1,64}", sent.digest) else "",
        images=images,
        attachments=tuple(
            replace(one, name=" ".join(one.name.split())[:_LONGEST_NAME])
            for one in sent.attachments
        ),
    )


def _check_id(text: str) -> None:
    """Conversations, messages and turns bear ids of our making wherever they were made."""
    try:
        if str(UUID(text)) == text:
            return
    except ValueError:
        pass
    raise UsageError(f"{text[:80]!r} is no id of a conversation. Nothing was imported.")
