"""What other programs keep, as this home keeps it: sessions, messages and memories with ids that
are the same at each import.

Nobody vouches for any of it: each message and memory knows that it was brought in, nothing of it is
identity, profile, team's or pinned, and none of its conversations is the latest before one's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from skill_agent.conversations.sessions import title_of
from skill_agent.memory.imported import demoted
from skill_agent.memory.masking import without_secrets
from skill_agent.values import Memory, Message, PastSource, Session

from .found import Fact, Line, Talk

_NAMESPACE = UUID("0d7f5e2a-93c1-5b44-8f0e-6a1f2f5c7d10")
_LONGEST_MEMORY = 100_000
_IMPORTANCE = 5


def id_of(source: str, *parts: object) -> str:
    """The same for the same thing at each import."""
    said = "\x1f".join([source, *map(str, parts)])
    return str(uuid5(_NAMESPACE, said.encode("utf-8", "replace").decode()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """How the things of one file come in."""

    source: PastSource
    agent: str
    now: datetime
    newest: datetime | None
    """When the latest of this home's own conversations was spoken in."""
    batch: str = ""

    def session_id(self, talk: Talk) -> str:
        return id_of(self.source, "talk", talk.id)

    def memory_id(self, fact: Fact) -> str:
        return id_of(self.source, "fact", fact.id)

    def session(self, talk: Talk) -> Session:
        times = [at for at in (talk.at, *(one.at for one in talk.lines)) if at]
        last = self.now
        if self.newest is not None:
            last = min(last, self.newest - timedelta(microseconds=1))
        return Session(
            id=self.session_id(talk),
            title=title_of(talk.title or talk.first_said),
            agent=self.agent,
            created_at=min((*times, self.now)),
            updated_at=min(max(times, default=last), last),
        )

    def messages(
        self, talk: Talk, *, known: Sequence[Message] = (), after: int = 0
    ) -> list[Message]:
        """Those that are not `known`, from a position on; replies belong to the turn of what was
        said before them."""
        session, here = self.session_id(talk), {one.id for one in known}
        made, turn, at = list[Message](), id_of(self.source, talk.id, "turn"), talk.at
        for line in talk.lines:
            name = id_of(self.source, talk.id, line.id)
            at = min(line.at or at or self.now, self.now)
            if line.role == "user":
                turn = id_of(self.source, talk.id, line.id, "turn")
            if name in here:
                continue
            here.add(name)
            made.append(self._message(line, name, session, turn, at, after + len(made)))
        return made

    def _message(
        self, line: Line, name: str, session: str, turn: str, at: datetime, position: int
    ) -> Message:
        return Message(
            id=name,
            session=session,
            turn=turn,
            role=line.role,
            content=line.text,
            created_at=at,
            agent=self.agent,
            zone=line.zone,
            origins=("import",),
            position=position,
        )

    def memory(self, fact: Fact, related: Mapping[str, Sequence[str]]) -> Memory:
        """`related` names the memories that one is linked with, by its id."""
        name, at = self.memory_id(fact), fact.at or self.now
        memory = Memory(
            id=name,
            content=fact.text.strip()[:_LONGEST_MEMORY],
            created_at=at,
            updated_at=max(at, fact.changed_at or at),
            subject=fact.subject,
            importance=_IMPORTANCE,
            metadata={**fact.metadata, "import": {"from": self.source}},
        )
        taken = without_secrets(demoted(memory, now=self.now))
        return replace(taken, related_to=tuple(related.get(name, ())))
