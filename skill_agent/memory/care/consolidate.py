"""Tidying up: near-duplicates become one, old small events become a summary, tiers follow use.

Originals are superseded, never erased. Every step is a batch of its own that is written only if
nothing in it changed since it was read, so it may run beside anything else.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from skill_agent.errors import MemoryChanged, ModelError
from skill_agent.identifiers import new_id
from skill_agent.memory import life
from skill_agent.memory.recall.projector import Projector
from skill_agent.memory.recall.summed import is_summary
from skill_agent.memory.summaries.summary import told_by_model, told_by_rules
from skill_agent.memory.words.retold import says_the_same
from skill_agent.memory.writer import Writer
from skill_agent.ports import Clock, Ledger, Model, Progress
from skill_agent.text.clock import day_of
from skill_agent.values import (
    Access,
    Action,
    ActionKind,
    ConsolidationReport,
    Memory,
    MemoryChange,
    MemoryFilter,
    Scope,
    Source,
    all_origins,
)

from .tiers import HOT_WINDOW, fading, tier_of

MERGE_ABOVE = 0.92
"""Cosine of two texts from which on they are looked at: alike is not the same."""
OLD_EVENT = timedelta(days=30)
SMALL_EVENT = 5
"""Events below this importance are summarised once they are old."""
FEWEST, MOST = 3, 12
"""Events one summary may stand for."""
FADING_DAYS = 30
"""What fades is archived after so many further days, unless it is used."""
_PAGE = 2_000
_BREATH = 20
"""Pairs judged between two looks at what else is to be done: some ten milliseconds."""


@dataclass(slots=True)
class _Run:
    """One run under way."""

    now: datetime
    actor: str
    dry_run: bool
    actions: list[Action] = field(default_factory=list)
    left_alone: int = 0
    touched: set[str] = field(default_factory=set)
    """A memory takes part in one action a run."""


class Consolidator:
    """Consolidates the memory of one home."""

    def __init__(
        self, ledger: Ledger, writer: Writer, projector: Projector, clock: Clock, user: str
    ) -> None:
        self._ledger, self._writer, self._projector = ledger, writer, projector
        self._clock, self._user = clock, user

    async def run(
        self,
        *,
        dry_run: bool = False,
        model: Model | None = None,
        actor: str = "consolidation",
        progress: Progress | None = None,
    ) -> ConsolidationReport:
        """Merges, summarises, moves between tiers. `model` writes the summaries where it is given
        and able; rules do otherwise. With `dry_run` nothing is written."""
        started = time.perf_counter()
        run = _Run(now=self._clock(), actor=actor, dry_run=dry_run)
        memories = await self._all()
        told = progress or _silent
        told(0, 3, "comparing memories")
        await self._merge(run, memories)
        told(1, 3, "summarising old events")
        await self._summarise(run, memories, model)
        told(2, 3, "moving between tiers")
        await self._move(run, memories)
        told(3, 3, "done")
        report = ConsolidationReport(
            dry_run=dry_run,
            actions=tuple(run.actions),
            left_alone=run.left_alone,
            seconds=time.perf_counter() - started,
        )
        if not dry_run:
            await self._ledger.note("consolidated", "memory", actor=actor, data=_counts(report))
        return report

    async def _all(self) -> list[Memory]:
        """Every active memory; disputed ones wait for their person."""
        wanted = MemoryFilter(statuses=("active",), limit=_PAGE)
        found: list[Memory] = []
        while page := await self._ledger.memories(replace(wanted, offset=len(found))):
            found += page
        return found

    # -- near-duplicates ---------------------------------------------------------------------

    async def _merge(self, run: _Run, memories: Sequence[Memory]) -> None:
        await self._projector.settle()
        index = await self._projector.index()
        by_id = {
            one.id: one
            for one in memories
            if one.memory_type != "identity" and not is_summary(one.subject)
        }
        scope = Scope(user=self._user, kinds=("memory",))
        pairs = await index.near_pairs(above=MERGE_ABOVE, scope=scope)
        for at, (first, second, _) in enumerate(pairs):
            if at % _BREATH == 0:
                await asyncio.sleep(0)  # there may be thousands, and a reply is being made
            one, other = by_id.get(first), by_id.get(second)
            if one is None or other is None or not _same_owner(one, other):
                continue
            if run.touched & {first, second}:
                continue
            winner, loser = _ranked(one, other)
            if says_the_same(winner.content, loser.content):
                await self._merge_into(run, winner, loser)

    async def _merge_into(self, run: _Run, winner: Memory, loser: Memory) -> None:
        """The more important one stays and takes over where the other came from."""
        ends = (winner.expires_at, loser.expires_at)
        source = Source(
            session=winner.source.session or loser.source.session,
            message_ids=tuple(
                dict.fromkeys((*winner.source.message_ids, *loser.source.message_ids))
            ),
        )
        kept = replace(
            life.succeeding(winner, [loser]),
            version=winner.version,
            source=source,
            confidence=max(winner.confidence, loser.confidence),
            expires_at=None if None in ends else max(filter(None, ends)),
            updated_at=run.now,
        )
        reason = "they say the same"
        changes = [
            MemoryChange(
                kind="memory.merged", memory=kept, actor=run.actor, reason=reason, expected=winner
            ),
            life.superseded(loser, winner.id, now=run.now, actor=run.actor, reason=reason),
        ]
        await self._write(run, changes, Action(kind="merged", ids=(loser.id,), text=winner.content))
        run.touched |= {winner.id, loser.id}

    # -- old events --------------------------------------------------------------------------

    async def _summarise(self, run: _Run, memories: Sequence[Memory], model: Model | None) -> None:
        for events in _clusters(memories, run.now, run.touched):
            text = told_by_rules(events)
            if model is not None and not run.dry_run:
                with suppress(ModelError):  # the rules' summary is there already
                    text = await told_by_model(events, model)
            await self._put_summary(run, events, text)

    async def _put_summary(self, run: _Run, events: Sequence[Memory], text: str) -> None:
        newest = max(events, key=lambda one: one.created_at)
        messages = dict.fromkeys(m for one in events for m in one.source.message_ids)
        summary = replace(
            newest,
            id=new_id(),
            content=text,
            subject=None,
            source=Source(session=None, message_ids=tuple(messages)),
            source_type="consolidation",
            origins=all_origins(*(one.origins for one in events)),
            metadata={},
            related_to=(),
        )
        changes = life.superseding(
            summary,
            events,
            now=run.now,
            actor=run.actor,
            reason=f"stands for {len(events)} old events",
            stored=False,
        )
        ids = tuple(one.id for one in events)
        await self._write(run, changes, Action(kind="summarised", ids=ids, text=text))
        run.touched |= {*ids}

    # -- tiers -------------------------------------------------------------------------------

    async def _move(self, run: _Run, memories: Sequence[Memory]) -> None:
        for start in range(0, len(memories), _PAGE):
            page = [one for one in memories[start : start + _PAGE] if one.id not in run.touched]
            used = await self._ledger.accesses([one.id for one in page], since=run.now - HOT_WINDOW)
            for memory in page:
                await self._move_one(run, memory, used.get(memory.id, Access()))

    async def _move_one(self, run: _Run, memory: Memory, access: Access) -> None:
        tier = tier_of(memory, access, run.now)
        expires = memory.expires_at
        if fading(memory, access, run.now) and expires is None:
            expires = run.now + timedelta(days=FADING_DAYS)
        if (tier, expires) == (memory.tier, memory.expires_at):
            return
        kind: ActionKind = "fading" if tier == memory.tier else "demoted"
        kind = "promoted" if tier == "hot" else kind
        after = replace(memory, tier=tier, expires_at=expires, updated_at=run.now)
        reason = f"{access.recent} prompts in 7 days, {access.count} in all"
        change = MemoryChange(
            kind=f"memory.{kind}", memory=after, actor=run.actor, reason=reason, expected=memory
        )
        await self._write(run, [change], Action(kind=kind, ids=(memory.id,), text=memory.content))

    async def _write(self, run: _Run, changes: Sequence[MemoryChange], action: Action) -> None:
        if not run.dry_run:
            try:
                await self._writer.write(changes)
            except MemoryChanged:
                run.left_alone += 1
                return
        run.actions.append(action)


def _silent(_done: int, _of: int, _what: str) -> None:
    return None


def _counts(report: ConsolidationReport) -> dict[str, int | float]:
    kinds: tuple[ActionKind, ...] = ("merged", "summarised", "promoted", "demoted", "fading")
    counts: dict[str, int | float] = {kind: report.count(kind) for kind in kinds}
    return {**counts, "left_alone": report.left_alone, "seconds": round(report.seconds, 3)}


def _same_owner(one: Memory, other: Memory) -> bool:
    return (one.memory_type, one.agent, one.user) == (other.memory_type, other.agent, other.user)


def _ranked(one: Memory, other: Memory) -> tuple[Memory, Memory]:
    """The one to keep first: a person's own, pinned, more important, said in more words, newer."""
    first, second = sorted(
        (one, other),
        key=lambda m: (not m.origins, m.pinned, m.importance, len(m.content), m.created_at, m.id),
        reverse=True,
    )
    return first, second


def _clusters(memories: Iterable[Memory], now: datetime, touched: set[str]) -> list[list[Memory]]:
    """Old small events of one owner and month, in order of time, FEWEST to MOST together."""
    months: defaultdict[tuple[str | None, str | None, str], list[Memory]] = defaultdict(list)
    for one in memories:
        old = now - one.created_at > OLD_EVENT
        small = one.importance < SMALL_EVENT and not one.pinned
        told = one.source_type == "consolidation" or one.id in touched
        if one.memory_type == "episodic" and old and small and not told:
            months[(one.agent, one.user, day_of(one.created_at)[:7])].append(one)
    clusters: list[list[Memory]] = []
    for events in months.values():
        events.sort(key=lambda one: (one.created_at, one.id))
        parts = [events[i : i + MOST] for i in range(0, len(events), MOST)]
        clusters += [part for part in parts if len(part) >= FEWEST]
    return clusters
