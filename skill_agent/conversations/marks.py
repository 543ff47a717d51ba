"""What a person set about conversations: pinned, put away, branched off; folded from notes.

Nothing of a conversation itself changes by it. What is deleted is another matter: that the ledger
keeps in the conversation's own row.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import LogEntry, Session

MARKED, BRANCHED = "conversation.marked", "conversation.branched"
"""Kinds of notes; their entity is the conversation."""
_ALL = "all"
_MARKS = ("pinned", "archived")

AnySession = TypeVar("AnySession", bound=Session)


@dataclass(frozen=True, slots=True)
class Marks:
    """Of all conversations of a home, by id; the latest mark comes last."""

    pinned: dict[str, bool]
    archived: dict[str, bool]
    origins: dict[str, str]
    """Of branches, the conversation each came from."""

    def told(self, sessions: Sequence[AnySession]) -> list[AnySession]:
        """The sessions, with what is marked about them."""
        return [self.told_of(one) for one in sessions]

    def told_of(self, session: AnySession) -> AnySession:
        name = session.id
        return replace(
            session,
            pinned=name in self.pinned,
            archived=session.archived or name in self.archived,
            branched_from=self.origins.get(name, ""),
        )


async def marks(ledger: Ledger) -> Marks:
    """As they are now."""
    state = (await ledger.projected(_FOLD, [_ALL])).get(_ALL, {})
    return Marks(*(state.get(name, {}) for name in (*_MARKS, "origins")))


async def mark(ledger: Ledger, session: str, **set_to: bool) -> None:
    """Notes `pinned` or `archived` of a conversation."""
    await ledger.note(MARKED, session, actor="person", data={"session": session, **set_to})


def _keys(_row: LogEntry) -> tuple[str, ...]:
    return (_ALL,)


def _step(_key: str, state: State | None, row: LogEntry) -> State:
    """An erased row says nothing: its conversation is gone."""
    known, said = {**(state or {})}, row.new or {}
    if row.kind == BRANCHED:
        if isinstance(origin := said.get("from"), str):
            known["origins"] = {**known.get("origins", {}), row.entity: origin}
        return known
    for name in _MARKS:
        if isinstance(said.get(name), bool):
            others = {one: True for one in known.get(name, {}) if one != row.entity}
            known[name] = {**others, row.entity: True} if said[name] else others
    return known


_FOLD = Projection(
    name="conversation_marks", version=1, kinds=(MARKED, BRANCHED), keys=_keys, step=_step
)
