"""Taking a batch out again: erased, as far as nobody vouched for it or built on it."""

from collections import Counter
from dataclasses import replace

from skill_agent.errors import Conflict
from skill_agent.memory.extraction.queue import ExtractionQueue
from skill_agent.memory.life import previous
from skill_agent.ports import Ledger
from skill_agent.privacy.erasure import Eraser
from skill_agent.privacy.erasure_plan import every_memory
from skill_agent.values import BatchUndo, ErasureReport, ImportBatch, Memory, Purge, Session

from .batches import UNDONE, Batches, every_session

_CONFIRMED = "memories that somebody vouched for"
_BUILT_ON = "memories that others replaced, or that replaced others"
_GONE_ON = "conversations that were gone on with here"


class Undoing:
    """Undoes the batches of one home."""

    def __init__(
        self, ledger: Ledger, batches: Batches, eraser: Eraser, queue: ExtractionQueue
    ) -> None:
        self._ledger, self._batches = ledger, batches
        self._eraser, self._queue = eraser, queue

    async def plan(self, ref: str) -> BatchUndo:
        batch = await self._batches.get(ref)
        members = await self._batches.members(batch.id)
        here = await every_session(self._ledger)
        sessions, messages, kept = list[str](), 0, Counter[str]()
        for name in sorted(members.sessions & here.keys()):
            if await self._gone_on(here[name], batch):
                kept[_GONE_ON] += 1
                continue
            sessions.append(name)
            messages += here[name].messages
        memories = await self._memories(members.memories, {*sessions}, kept)
        return BatchUndo(
            id=batch.id,
            sessions=tuple(sessions),
            messages=messages,
            memories=tuple(memories),
            kept=dict(kept),
        )

    async def _gone_on(self, session: Session, batch: ImportBatch) -> bool:
        """Whether somebody spoke in it here: what came in lies before its batch began."""
        if session.updated_at <= batch.at:
            return False
        said = await self._ledger.messages(session.id)
        return any("import" not in one.origins for one in said)

    async def _memories(self, came: set[str], sessions: set[str], kept: Counter[str]) -> list[str]:
        """Those that came in, and those read from conversations that go."""
        mine = [
            one
            async for one in every_memory(self._ledger)
            if one.id in came or one.source.session in sessions
        ]
        ids, going = {one.id for one in mine}, list[str]()
        for one in mine:
            if "import" not in one.origins:
                kept[_CONFIRMED] += 1
            elif not _linked(one) <= ids:
                kept[_BUILT_ON] += 1
            else:
                going.append(one.id)
        return sorted(going)

    async def undo(self, ref: str, *, expected: str, actor: str) -> ErasureReport:
        plan = await self.plan(ref)
        if plan.digest != expected:
            raise Conflict("what would be erased has changed", hint="look at the plan again")
        batch = await self._batches.get(ref)
        purge = Purge(
            memories=plan.memories,
            sessions=plan.sessions,
            actor=actor,
            reason=f"import {plan.id} undone",
        )
        await self._queue.drop(plan.sessions)
        report = await self._eraser.erase_from_stores(purge)
        await self._batches.note(UNDONE, plan.id, actor=actor, data={"left_out": plan.kept})
        return replace(report, backups=await self._eraser.still_held(batch.at))


def _linked(memory: Memory) -> set[str]:
    """The versions before and after it."""
    after = {memory.superseded_by} if memory.superseded_by else set[str]()
    return {*previous(memory), *after}
