"""Looks again at what was kept: does it replace, contradict or bring up to date something older?

Code looks at once, at each new memory; where it finds nothing certain, a model is asked when it may
be. What was read in conversations was compared when it was taken in, by `extraction.intake`; only
updates, under which both stand, are left to be found here.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from skill_agent.errors import MemoryChanged, ModelError
from skill_agent.memory.recall.projector import Projector
from skill_agent.memory.recall.updates import Noted, Updates
from skill_agent.memory.words.retold import says_the_same
from skill_agent.memory.writer import Writer
from skill_agent.ports import Clock, Ledger, Model
from skill_agent.text.redaction import redact
from skill_agent.values import LogEntry, Memory, MemoryChange, UpdateState

from .asking import LIKELY, PERHAPS, PROMPT, out_of_date
from .comparing import Comparer, Near, Verdict, unseen
from .judge import Judgement, of_others, protected
from .links import linked

_log = logging.getLogger(__name__)

NOTE, JUDGED = "checked", "judged"
"""Notes of how far code has looked at the log, and a model."""
_CREATED = "memory.created"
_CHUNK = 200
"""Log rows looked at together."""
_BEHIND_S = 0.25
_WINDOWS = (2_000, 50_000)
"""How many log rows back the last note is looked for before all of them are. A model that was never
asked begins with the first window: what is older was lived with."""
_TRIES = 3
_MOST = 3
"""Earlier memories a model is asked about for each new one."""
_STATES: dict[str, UpdateState] = {"update": "updated", "wait": "waiting"}
_UNCHECKED = ("consolidation", "import", "system")
"""Sources of memories that were compared already, or never are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What a look at new memories led to."""

    looked_at: int = 0
    superseded: tuple[str, ...] = ()
    """Ids of memories that gave way."""
    disputed: tuple[str, ...] = ()
    """Ids of new memories that are now in dispute."""
    updated: tuple[tuple[str, str], ...] = ()
    """(older, newer) of which the newer one is shown first from now on."""
    behind: bool = False
    """There is more, or the index has yet to catch up; call again."""


async def nobody(_older: Memory, _newer: Memory) -> None:
    return None


async def no_model() -> None:
    return None


class Reconciler:
    """Remembers up to where the memories of one home were looked at."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        writer: Writer,
        projector: Projector,
        clock: Clock,
        user: str,
        updates: Updates,
        told: Callable[[Memory, Memory], Awaitable[None]] = nobody,
        model: Callable[[], Awaitable[Model | None]] = no_model,
    ) -> None:
        """`told` hears of each (older, newer) that was replaced or brought up to date; `model` is
        whom to ask, where there is one able to answer."""
        self._ledger, self._writer, self._projector = ledger, writer, projector
        self._clock, self._updates, self._told = clock, updates, told
        self.model = model
        self._comparer = Comparer(ledger, projector, user)
        self._reached: dict[str, int] = {}
        self._looking, self._judging = asyncio.Lock(), asyncio.Lock()

    async def catch_up(self, *, limit: int = 20) -> Reconciled:
        """Looks at memories written since the last time, at most `limit` of them, by code alone.

        One question to the ledger where there is nothing new.
        """
        async with self._looking:
            head = await self._ledger.last_seq()
            entries = await self._new_entries(NOTE, head, limit)
            if not entries:
                return Reconciled()
            return await self._look(entries, head, full=len(entries) >= limit)

    async def judge(self, model: Model, *, limit: int = 20) -> int:
        """Asks a model about what code left open, at most for `limit` memories; gives for how many
        it did. What was asked stays where it fails or is stopped, and the rest is asked again."""
        async with self._judging:
            try:
                return await self._judge(model, limit)
            except ModelError as problem:
                _log.info("judging memories: %s", redact(problem.message))
                return 0

    async def _judge(self, model: Model, limit: int) -> int:
        head = await self._ledger.last_seq()
        entries = await self._new_entries(JUDGED, head, limit)
        seqs = {row.entity: row.seq for row in entries}
        pairs = await self._with_neighbours(entries)
        for memory, near in pairs:
            if asked := await self._ask(memory, near, model):
                await self._note(JUDGED, seqs[memory.id], {**asked, "model": model.info.name})
        if entries:
            up_to = entries[-1].seq if len(entries) >= limit else head
            await self._note(JUDGED, up_to, {"model": model.info.name})
        return len(pairs)

    # -- how far ------------------------------------------------------------------------------

    async def _note(self, kind: str, up_to: int, data: dict[str, Any]) -> None:
        await self._ledger.note(kind, "memory", actor="reconciler", data={"up_to": up_to, **data})
        self._reached[kind] = up_to

    async def _last_note(self, kind: str, head: int) -> int:
        """Up to where an earlier process looked."""
        for window in (*_WINDOWS, head):
            start = max(0, head - window)
            notes = await self._ledger.log(kinds=(kind,), after=start, limit=100_000)
            if notes:
                told = (notes[-1].new or {}).get("up_to")
                return told if type(told) is int and 0 <= told <= head else 0
            if start == 0:
                return 0
        return 0

    async def _new_entries(self, kind: str, head: int, limit: int) -> list[LogEntry]:
        """The next log rows by which something was kept that was not looked at in this way."""
        if kind not in self._reached:
            reached = await self._last_note(kind, head)
            begin = head - _WINDOWS[0] if kind == JUDGED and not reached else 0
            self._reached[kind] = max(reached, begin)
        after, found = self._reached[kind], list[LogEntry]()
        while after < head and len(found) < limit:
            rows = await self._ledger.log(kinds=(_CREATED,), after=after, limit=_CHUNK)
            found += [row for row in rows if _to_be_looked_at(row)]
            if len(rows) < _CHUNK:
                break
            after = rows[-1].seq
        if not found:
            self._reached[kind] = head
        return found[:limit]

    async def _with_neighbours(
        self, entries: Sequence[LogEntry]
    ) -> list[tuple[Memory, list[Near]]]:
        """Those of the memories that still stand, each with what it is to be compared with."""
        ids = [entry.entity for entry in entries]
        found = await self._ledger.memories_by_id(ids)
        memories = [found[one] for one in ids if one in found and found[one].status == "active"]
        near = await self._comparer.near(memories) if memories else []
        pairs: list[tuple[Memory, list[Near]]] = []
        for memory, alike in zip(memories, near, strict=True):
            seen = {one.id for one in alike}
            more = [one for one in unseen(memory, memories) if one.id not in seen]
            pairs.append((memory, [*alike, *more]))
        return pairs

    # -- by code -----------------------------------------------------------------------------

    async def _look(self, entries: Sequence[LogEntry], head: int, *, full: bool) -> Reconciled:
        """Compares them in order; without the older ones in the index, nothing is decided yet.
        Several are better compared with each other once the index has them."""
        wanted = entries[-1].seq if len(entries) > 1 else entries[0].seq - 1
        await self._projector.settle_briefly(wanted, _BEHIND_S)
        if head - await self._projector.lag() < entries[0].seq - 1:
            return Reconciled(behind=True)
        pairs = await self._with_neighbours(entries)
        superseded: list[str] = []
        disputed: list[str] = []
        updated: list[tuple[str, str]] = []
        for memory, near in pairs:
            settled = await self._settle(memory.id, near)
            superseded += settled.superseded
            disputed += settled.disputed
            updated += settled.updated
            await self._link(memory.id, near)
        up_to = entries[-1].seq if full else head
        told = [*disputed, *superseded]
        await self._note(NOTE, up_to, {"count": len(pairs), "memories": told})
        return Reconciled(
            looked_at=len(pairs),
            superseded=tuple(superseded),
            disputed=tuple(disputed),
            updated=tuple(updated),
            behind=full,
        )

    async def _link(self, memory_id: str, near: Sequence[Near]) -> None:
        """Notes with what it has to do; a link that somebody's change comes between is left out."""
        found = await self._ledger.memories_by_id([memory_id, *(one.id for one in near)])
        memory = found.get(memory_id)
        if memory is None or memory.status not in ("active", "disputed"):
            return
        after = linked(memory, near, found)
        if after is not memory:
            change = MemoryChange(
                kind="memory.linked", memory=after, actor="reconciler", expected=memory
            )
            with suppress(MemoryChanged):
                await self._writer.write([change])

    async def _settle(self, memory_id: str, near: Sequence[Near]) -> Reconciled:
        """Writes what a memory makes of older ones, again if somebody else came between, and notes
        of which it says what has become of them."""
        for _ in range(_TRIES):
            memory, verdicts = await self._verdicts(memory_id, near)
            if memory is None:
                return Reconciled()
            changes = await self._changes(memory, verdicts)
            if not changes:
                return Reconciled(updated=await self._bring_up_to_date(memory, verdicts))
            with suppress(MemoryChanged):
                return await self._write(memory_id, changes, near)
        memory, verdicts = await self._verdicts(memory_id, near)
        updated = await self._bring_up_to_date(memory, verdicts) if memory else ()
        return Reconciled(updated=updated)

    async def _changes(self, memory: Memory, verdicts: Sequence[Verdict]) -> list[MemoryChange]:
        """Nothing for what was read in conversations: it was compared when it was taken in."""
        if memory.source_type == "extraction":
            return []
        ruled = [_told_again(one, memory) for one in verdicts]
        return await self._comparer.changes(
            memory, ruled, now=self._clock(), actor="reconciler", stored=True
        )

    async def _write(
        self, memory_id: str, changes: Sequence[MemoryChange], near: Sequence[Near]
    ) -> Reconciled:
        written = await self._writer.write(changes)
        gone = [one for one in written if one.status == "superseded"]
        last = {one.id: one for one in written}[memory_id]
        for one in gone:
            if one.id != memory_id and not says_the_same(one.content, last.content):
                await self._told(one, last)
        memory, verdicts = await self._verdicts(memory_id, near)
        return Reconciled(
            superseded=tuple(one.id for one in gone),
            disputed=(memory_id,) if last.status == "disputed" else (),
            updated=await self._bring_up_to_date(memory, verdicts) if memory else (),
        )

    async def _bring_up_to_date(
        self, memory: Memory, verdicts: Sequence[Verdict]
    ) -> tuple[tuple[str, str], ...]:
        """Notes of which older ones a memory says what has become of them."""
        found: list[tuple[str, str]] = []
        for one in verdicts:
            state = _STATES.get(one.judgement.action)
            if state is None or one.outdated:
                continue
            noted = Noted(
                older=one.old.id, newer=memory.id, state=state, by="code",
                reason=one.judgement.reason,
            )  # fmt: skip
            if await self._updates.put(noted):
                found.append(noted.pair)
                await self._told(one.old, memory)
        return tuple(found)

    async def _verdicts(
        self, memory_id: str, near: Sequence[Near]
    ) -> tuple[Memory | None, list[Verdict]]:
        """The memory as it is now and what it is to older ones; None where it does not stand."""
        memory = (await self._ledger.memories_by_id([memory_id])).get(memory_id)
        if memory is None or memory.status != "active":
            return None, []
        verdicts = await self._comparer.verdicts(memory, near, changes=False)
        return memory, [one for one in verdicts if _older(one.old, memory)]

    # -- by a model --------------------------------------------------------------------------

    async def _ask(self, memory: Memory, near: Sequence[Near], model: Model) -> dict[str, Any]:
        """Asks about the nearest of the older ones that are open; gives what is to be noted."""
        current, verdicts = await self._verdicts(memory.id, near)
        if current is None:
            return {}
        left = sorted((v for v in verdicts if v.judgement.open), key=lambda v: -v.nearness)[:_MOST]
        asked: dict[str, float] = {}
        for one in left:
            likely = await out_of_date(model, one.old.content, memory.content)
            asked[one.old.id] = round(likely, 4)
            if likely < PERHAPS:
                continue
            foreign = of_others(memory, one.old)
            noted = Noted(
                older=one.old.id,
                newer=memory.id,
                state="updated" if likely >= LIKELY and not foreign else "waiting",
                by=model.info.name,
                reason="a model says that it holds no longer",
                prompt=PROMPT,
                probability=round(likely, 4),
            )
            if await self._updates.put(noted):
                await self._told(one.old, memory)
        return {"memory": memory.id, "asked": asked, "prompt": PROMPT} if asked else {}


def _to_be_looked_at(row: LogEntry) -> bool:
    new = row.new or {}
    return bool(new) and new.get("source_type", "explicit") not in _UNCHECKED


def _older(old: Memory, new: Memory) -> bool:
    """Of two new ones the later is compared with the earlier, not the other way round."""
    return (old.created_at, old.id) < (new.created_at, new.id)


def _ends_sooner(one: Memory, other: Memory) -> bool:
    if one.expires_at is None:
        return False
    return other.expires_at is None or one.expires_at < other.expires_at


def _told_again(verdict: Verdict, memory: Memory) -> Verdict:
    """What a person says in so many words takes the place of the same read or told before; what
    was brought from elsewhere does not, nor what is kept for a while only."""
    if verdict.judgement.action != "same":
        return verdict
    if _ends_sooner(memory, verdict.old) or protected(verdict.old, memory):
        known = Judgement(action="supersede", reason="it was known")
        return Verdict(old=verdict.old, judgement=known, outdated=True)
    ruled = Judgement(action="supersede", reason="told again")
    return replace(verdict, judgement=ruled)
