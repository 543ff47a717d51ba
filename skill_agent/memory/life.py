"""What may become of a memory, as the changes to write; pure, no store and no clock.

Versions are linked both ways: `superseded_by` points to the successor, `metadata["previous"]` lists
what a version stands in for. Memories in dispute name each other in `contradicts`; memories found
to be true side by side name each other in `related_to`, which keeps the question from coming again.
"""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from skill_agent.errors import UsageError
from skill_agent.memory.recall.links import LINKS, links_of
from skill_agent.values import Dispute, Memory, MemoryChange, MemoryDifference

from .standing import vouched

PREVIOUS = "previous"


def previous(memory: Memory) -> tuple[str, ...]:
    """Ids of the versions this one stands in for."""
    return tuple(memory.metadata.get(PREVIOUS, ()))


def _beside(memory: Memory, others: Sequence[str]) -> Memory:
    """A person says that it is true beside those; a link of ours to them is none any more."""
    named = tuple(dict.fromkeys((*memory.related_to, *others)))
    said = {*others}
    links = {key: why for key, why in links_of(memory).items() if key not in said}
    metadata = {**memory.metadata, LINKS: links} if LINKS in memory.metadata else memory.metadata
    return replace(memory, related_to=named, metadata=metadata)


def pinned(memory: Memory) -> Memory:
    """Always in the prompt, and hot; whoever pins it vouches for its words."""
    return replace(vouched(memory), pinned=True, tier="hot")


def unpinned(memory: Memory) -> Memory:
    """Raises UsageError for an identity memory."""
    if memory.memory_type == "identity":
        raise UsageError(
            "an identity memory is always pinned", hint=f"ska memory forget {memory.id}"
        )
    return replace(memory, pinned=False, tier="warm" if memory.tier == "hot" else memory.tier)


def archived(memory: Memory) -> Memory:
    """Out of recall and prompts, still there to be restored."""
    if memory.status == "archived":
        return memory
    return replace(memory, status="archived", tier="cold", pinned=False)


def archiving(
    memory: Memory,
    opponents: Iterable[Memory],
    *,
    kind: str,
    now: datetime,
    actor: str,
    reason: str,
) -> list[MemoryChange]:
    """It is archived, and who was in dispute with nobody else stands as before."""
    after = replace(archived(memory), contradicts=(), updated_at=now)
    changes = [
        MemoryChange(kind=kind, memory=after, actor=actor, reason=reason, expected=memory)
    ]  # fmt: skip
    return changes + released(opponents, {memory.id}, now=now, actor=actor)


def released(
    memories: Iterable[Memory], gone: Collection[str], *, now: datetime, actor: str
) -> list[MemoryChange]:
    """Those that contradicted what is gone do so no longer."""
    changes: list[MemoryChange] = []
    for one in memories:
        against = tuple(other for other in one.contradicts if other not in gone)
        if one.status != "disputed" or against == one.contradicts:
            continue
        free = replace(
            one, contradicts=against, status="disputed" if against else "active", updated_at=now
        )
        why = "what it contradicted is out of use"
        changes.append(
            MemoryChange(
                kind="memory.released", memory=free, actor=actor, reason=why, expected=one
            )
        )  # fmt: skip
    return changes


def restored(memory: Memory, before: Mapping[str, Any]) -> Memory:
    """Back from the archive, its expiry lifted; `before` is what it was put there from, as far as
    anybody knows. Raises UsageError for a replaced one."""
    if memory.superseded_by:  # also one that was forgotten after it had been replaced
        raise UsageError(
            f"memory {memory.id} was replaced by {memory.superseded_by}",
            hint=f"ska memory correct {memory.superseded_by} TEXT",
        )
    if memory.status != "archived":
        return memory
    pinned = memory.memory_type == "identity" or before.get("pinned") is True
    tier = "hot" if pinned or before.get("tier") == "hot" else "warm"
    return replace(memory, status="active", tier=tier, pinned=pinned, expires_at=None)


def succeeding(new: Memory, olds: Sequence[Memory]) -> Memory:
    """The new memory as the next version of the old ones; a pin and the importance are kept."""
    ids = dict.fromkeys((*previous(new), *(old.id for old in olds)))
    return replace(
        new,
        version=max(new.version, *(old.version + 1 for old in olds)),
        importance=max(new.importance, *(old.importance for old in olds)),
        pinned=new.pinned or any(old.pinned for old in olds),
        tier="hot" if any(old.pinned for old in olds) else new.tier,
        metadata={**new.metadata, PREVIOUS: list(ids)},
    )


def superseded(
    old: Memory, successor: str, *, now: datetime, actor: str, reason: str
) -> MemoryChange:
    """The old one gives way: cold, unpinned, pointing to what replaced it."""
    after = replace(
        old,
        status="superseded",
        tier="cold",
        pinned=False,
        superseded_by=successor,
        contradicts=(),
        updated_at=now,
    )
    return MemoryChange(
        kind="memory.superseded", memory=after, actor=actor, reason=reason, expected=old
    )


def superseding(
    new: Memory, olds: Sequence[Memory], *, now: datetime, actor: str, reason: str, stored: bool
) -> list[MemoryChange]:
    """The new one and what it replaces; `stored` says that the new one is in the ledger already."""
    kind = "memory.versioned" if stored else "memory.created"
    after = replace(succeeding(new, olds), status="active", contradicts=(), updated_at=now)
    expected = new if stored else None
    first = MemoryChange(kind=kind, memory=after, actor=actor, reason=reason, expected=expected)
    return [
        first, *(superseded(old, new.id, now=now, actor=actor, reason=reason) for old in olds)
    ]  # fmt: skip


def disputing(
    new: Memory, olds: Sequence[Memory], *, now: datetime, actor: str, reason: str, stored: bool
) -> list[MemoryChange]:
    """All of them disputed, each naming the others it contradicts."""
    ids = tuple(old.id for old in olds)
    members = [(new, ids), *((old, (new.id,)) for old in olds)]
    changes: list[MemoryChange] = []
    for memory, against in members:
        fresh = memory is new and not stored
        after = replace(
            memory,
            status="disputed",
            contradicts=tuple(dict.fromkeys((*memory.contradicts, *against))),
            updated_at=now,
        )
        changes.append(
            MemoryChange(
                kind="memory.created" if fresh else "memory.disputed",
                memory=after,
                actor=actor,
                reason=reason,
                expected=None if fresh else memory,
            )
        )
    return changes


def decided(
    right: Memory, wrong: Sequence[Memory], *, now: datetime, actor: str, reason: str
) -> list[MemoryChange]:
    """A dispute ends: one is right and takes the others' place."""
    after = replace(succeeding(right, wrong), status="active", contradicts=(), updated_at=now)
    change = MemoryChange(
        kind="memory.resolved", memory=after, actor=actor, reason=reason, expected=right
    )
    return [
        change, *(superseded(one, right.id, now=now, actor=actor, reason=reason) for one in wrong)
    ]  # fmt: skip


def coexisting(
    members: Sequence[Memory], *, now: datetime, actor: str, reason: str
) -> list[MemoryChange]:
    """A dispute ends: all of them are true."""
    changes: list[MemoryChange] = []
    for memory in members:
        others = tuple(one.id for one in members if one is not memory)
        after = replace(
            _beside(memory, others),
            status="active",
            contradicts=tuple(one for one in memory.contradicts if one not in others),
            updated_at=now,
        )
        changes.append(
            MemoryChange(
                kind="memory.resolved", memory=after, actor=actor, reason=reason, expected=memory
            )
        )
    return changes


def reinstating(
    newer: Memory,
    older: Memory,
    before: Mapping[str, Any],
    *,
    now: datetime,
    actor: str,
    reason: str,
) -> list[MemoryChange]:
    """A replacement is taken back: the older one stands again as it did before, beside the newer
    one; `before` is what the log has of it."""
    kept = [one for one in previous(newer) if one != older.id]
    tier = "hot" if before.get("tier") == "hot" else "warm"
    back = replace(
        _beside(older, [newer.id]),
        status="active",
        superseded_by=None,
        tier=tier,
        pinned=before.get("pinned") is True,
        updated_at=now,
    )
    newer_beside = _beside(newer, [older.id])
    alone = replace(
        newer_beside, metadata={**newer_beside.metadata, PREVIOUS: kept}, updated_at=now
    )
    return [
        MemoryChange(kind="memory.resolved", memory=after, actor=actor, reason=reason, expected=was)
        for after, was in ((back, older), (alone, newer))
    ]


def grouped(disputed: Iterable[Memory]) -> list[Dispute]:
    """Disputed memories by who contradicts whom, the newest dispute first."""
    left = {memory.id: memory for memory in disputed}
    disputes: list[Dispute] = []
    while left:
        members = _reached(next(iter(left)), left)
        for member in members:
            del left[member.id]
        ordered = sorted(members, key=lambda one: (one.created_at, one.id), reverse=True)
        disputes.append(Dispute(id=ordered[0].id, memories=tuple(ordered)))
    return sorted(disputes, key=lambda one: one.memories[0].created_at, reverse=True)


def _reached(start: str, among: dict[str, Memory]) -> list[Memory]:
    """Everything linked to a memory by `contradicts`, in either direction."""
    found, waiting = dict[str, Memory](), [start]
    while waiting:
        memory = among.get(waiting.pop())
        if memory is None or memory.id in found:
            continue
        found[memory.id] = memory
        waiting += memory.contradicts
        waiting += [one.id for one in among.values() if memory.id in one.contradicts]
    return list(found.values())


def differences(
    before: Mapping[str, Memory], after: Mapping[str, Memory]
) -> list[MemoryDifference]:
    """What became of each memory, by id, in the order of the states."""
    told: list[MemoryDifference] = []
    for one in {**before, **after}:
        old, new = before.get(one), after.get(one)
        if old is None and new is not None:
            told.append(MemoryDifference(id=one, change="added", memory=new))
        elif new is None and old is not None:
            told.append(MemoryDifference(id=one, change="removed", memory=old))
        elif old is not None and new is not None and old != new:
            fields = {
                f.name: (getattr(old, f.name), getattr(new, f.name))
                for f in dataclasses.fields(Memory)
                if getattr(old, f.name) != getattr(new, f.name)
            }
            told.append(MemoryDifference(id=one, change="changed", memory=new, fields=fields))
    return told
