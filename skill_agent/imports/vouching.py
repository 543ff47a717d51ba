"""A person vouches for what came in: its words count as theirs from then on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from skill_agent.errors import MemoryChanged, NotFound
from skill_agent.memory.standing import vouched
from skill_agent.memory.writer import Writer
from skill_agent.ports import Clock, Ledger
from skill_agent.privacy.erasure_plan import every_memory
from skill_agent.values import Memory, MemoryChange, Unconfirmed

from .batches import CONFIRMED, Batches

SHOWN, _SHOWN_CHARACTERS = 8, 200
_TOGETHER = 500
_STANDING = ("active", "disputed")


class Vouching:
    """Lifts the distrust of batches, and of single memories."""

    def __init__(self, ledger: Ledger, batches: Batches, writer: Writer, clock: Clock) -> None:
        self._ledger, self._batches = ledger, batches
        self._writer, self._clock = writer, clock

    async def unconfirmed(self, ref: str) -> Unconfirmed:
        name, waiting = await self._waiting(ref)
        step = max(1, len(waiting) // SHOWN)
        sample = tuple(one.content[:_SHOWN_CHARACTERS] for one in waiting[::step][:SHOWN])
        return Unconfirmed(id=name, memories=len(waiting), sample=sample)

    async def confirm(self, ref: str, *, actor: str) -> int:
        """A batch's memories lose the mark of the import alone: one that holds words of a web page
        too is still that page's."""
        name, waiting = await self._waiting(ref)
        of_batch = await self._batches.find(ref) is not None
        change = _from_no_import if of_batch else vouched
        done = 0
        for at in range(0, len(waiting), _TOGETHER):
            done += await self._write(waiting[at : at + _TOGETHER], change, actor)
        if of_batch:
            await self._batches.note(CONFIRMED, name, actor=actor, data={"confirmed": done})
        return done

    async def _waiting(self, ref: str) -> tuple[str, list[Memory]]:
        """The id of a batch or memory, and what of it nobody vouched for, the newest first."""
        if batch := await self._batches.find(ref):
            members = await self._batches.members(batch.id)
            return batch.id, [
                one
                async for one in every_memory(self._ledger)
                if (one.id in members.memories or one.source.session in members.sessions)
                and "import" in one.origins
                and one.status in _STANDING
            ]
        memory = await self._ledger.memory(ref)
        if memory is None:
            raise NotFound(
                f"no import and no memory {ref!r}", hint="ska memory imports, ska memory list"
            )
        return memory.id, [memory] if memory.origins else []

    async def _write(
        self, memories: list[Memory], change: Callable[[Memory], Memory], actor: str
    ) -> int:
        """All at once; one by one where somebody changed one of them meanwhile, and that one is
        left as it is. Gives how many were written."""
        now = self._clock()
        try:
            await self._writer.write([_change(one, change, now, actor) for one in memories])
        except MemoryChanged:
            if len(memories) == 1:
                return 0
            return sum([await self._write([one], change, actor) for one in memories])
        return len(memories)


def _change(
    memory: Memory, change: Callable[[Memory], Memory], now: datetime, actor: str
) -> MemoryChange:
    after = replace(change(memory), updated_at=now)
    return MemoryChange(
        kind="memory.confirmed", memory=after, actor=actor, reason="", expected=memory
    )


def _from_no_import(memory: Memory) -> Memory:
    return replace(memory, origins=tuple(one for one in memory.origins if one != "import"))
