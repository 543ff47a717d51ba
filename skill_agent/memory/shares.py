"""Whose a memory is: one agent's, the team's, or waiting for a person to share it.

What is shared keeps who heard it, and goes back to them where a person takes it back.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, cast, get_args

from skill_agent.errors import UsageError
from skill_agent.ports import Ledger
from skill_agent.values import Memory, MemoryType

from .standing import vouched

WAITS = "share.waiting"
"""Kind of the note that a memory waits to be shared; its entity is the memory."""
HEARD_BY, _WAS, _WAITING = "heard_by", "heard_as", "waits"
_PAGE = 5_000
_LIVE = ("active", "disputed")

Memories = list[Memory]  # `list` is a method of the book
Change = Callable[[Memory], Memory]


def shared(memory: Memory) -> Memory:
    """The team's: every agent sees it, and who heard it is kept."""
    heard = {HEARD_BY: memory.agent, _WAS: memory.memory_type}
    known = {name: value for name, value in memory.metadata.items() if name != _WAITING}
    told = {name: value for name, value in heard.items() if value}
    return replace(memory, memory_type="shared", agent=None, metadata={**known, **told})


def waiting(memory: Memory) -> Memory:
    """Its agent's own, until a person shares it."""
    return replace(memory, metadata={**memory.metadata, _WAITING: True})


def heard(memory: Memory) -> dict[str, Any]:
    """What a new version of it keeps of who heard it."""
    return {name: memory.metadata[name] for name in (HEARD_BY, _WAS) if name in memory.metadata}


def waits(memory: Memory) -> bool:
    return memory.metadata.get(_WAITING) is True and memory.status in _LIVE


async def note_waiting(ledger: Ledger, memories: Iterable[Memory], actor: str) -> None:
    """Puts those that wait on the list of them; a note holds ids only."""
    for one in memories:
        if waits(one):
            data = {"memories": [one.id], "session": one.source.session}
            await ledger.note(WAITS, one.id, actor=actor, data=data)


class Shares:
    """What a person says about whose a memory is, for whoever can read and change memories."""

    _ledger: Ledger

    async def get(self, memory_id: str) -> Memory:
        raise NotImplementedError

    async def _alter(
        self, memory_id: str, kind: str, change: Change, actor: str, reason: str = ""
    ) -> Memory:
        raise NotImplementedError

    async def shares(self) -> Memories:
        """What waits to be shared, the newest first."""
        ids: dict[str, None] = {}
        after, more = 0, True
        while more:
            rows = await self._ledger.log(kinds=(WAITS,), after=after, limit=_PAGE)
            ids |= dict.fromkeys(row.entity for row in rows)
            more, after = len(rows) == _PAGE, rows[-1].seq if rows else after
        found = await self._ledger.memories_by_id(list(ids))
        left = [one for one in found.values() if waits(one)]
        return sorted(left, key=lambda one: (one.created_at, one.id), reverse=True)

    async def share(self, memory_id: str, *, actor: str = "person") -> Memory:
        """Makes it every agent's. Raises UsageError for identity, and for what is no longer."""
        return await self._alter(memory_id, "memory.shared", _shared_by_person, actor)

    async def unshare(
        self, memory_id: str, *, agent: str | None = None, actor: str = "person"
    ) -> Memory:
        """Gives it back to who heard it, or to `agent`; what waits to be shared waits no longer.
        Raises UsageError where nobody knows whose it was."""

        def own(memory: Memory) -> Memory:
            return _unshared(memory, agent)

        return await self._alter(memory_id, "memory.unshared", own, actor)


def _shared_by_person(memory: Memory) -> Memory:
    if memory.memory_type == "shared":
        return memory
    if memory.memory_type in ("identity", "user_profile"):
        whose = "an agent's own" if memory.memory_type == "identity" else "every agent's already"
        raise UsageError(f"a memory of type {memory.memory_type} is {whose}",
                         hint=f"ska memory show {memory.id}")  # fmt: skip
    if memory.status not in _LIVE:
        raise UsageError(f"memory {memory.id} is {memory.status}",
                         hint=f"ska memory show {memory.id}")  # fmt: skip
    return shared(vouched(memory))


def _unshared(memory: Memory, agent: str | None) -> Memory:
    heard = memory.metadata
    if memory.memory_type != "shared":
        left = {name: value for name, value in heard.items() if name != _WAITING}
        return replace(memory, metadata=left)
    owner = agent or heard.get(HEARD_BY)
    if not isinstance(owner, str) or not owner:
        raise UsageError(
            f"nobody knows which agent heard memory {memory.id}",
            hint=f"ska memory unshare {memory.id} -a NAME",
        )
    was = heard.get(_WAS)
    kind = cast(MemoryType, was) if was in get_args(MemoryType) else "semantic"
    left = {k: v for k, v in heard.items() if k not in (HEARD_BY, _WAS)}
    return replace(
        memory, memory_type="semantic" if kind == "shared" else kind, agent=owner, metadata=left
    )
