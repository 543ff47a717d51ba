"""What a memory becomes that somebody brings in from outside, and what is counted of it before.

Only a person may say who an agent is, who they are, what the whole team knows and what is always
in a prompt; a file says such things for whoever wrote it. So what comes out of one is a plain
memory that knows where it came from, found when it has to do with what is asked and not before.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from skill_agent.ports import Clock, Ledger
from skill_agent.values import ImportPlan, Memory, Source, all_origins

from .hot import HOT_IMPORTANCE, STANDING
from .life import PREVIOUS
from .rows import whole

MOST_IMPORTANT = HOT_IMPORTANCE - 1
"""What is more important is at hand in every prompt."""
_OURS = (PREVIOUS, "review", "times_used", "successes", "success_rate")
"""Metadata that this program writes and believes."""
_SAID = ("content", "subject", "agent", "user", "speaker")
_FARTHEST = 2**31 - 1


class Incoming:
    """What a home makes of memories that were made elsewhere."""

    def __init__(
        self, ledger: Ledger, clock: Clock, agents: Callable[[], Collection[str] | None]
    ) -> None:
        """`agents` names the team, or None where nobody knows it."""
        self._ledger, self._clock, self._agents = ledger, clock, agents

    async def taken(self, memories: Sequence[Memory]) -> tuple[list[Memory], int]:
        """The memories as they come in, and how many of the new ones say less than they did.

        Raises UsageError for one that cannot be kept.
        """
        brought = [whole(one) for one in memories]
        known = await self._ledger.memories_by_id([one.id for one in brought])
        fresh = [one for one in brought if one.id not in known]
        here, now = await self._sessions_of(fresh), self._clock()
        taken: list[Memory] = []
        for one in brought:
            if (kept := known.get(one.id)) is None:
                taken.append(demoted(one, now=now, sessions_here=here))
            else:
                taken.append(kept if says_the_same(one, kept) else one)
        return taken, sum(bool(demotions(one)) for one in fresh)

    async def plan(self, memories: Sequence[Memory], *, trusted: bool = False) -> ImportPlan:
        """What would come of bringing them in; raises UsageError for one that cannot be kept."""
        brought = [whole(one) for one in memories]
        known = await self._ledger.memories_by_id([one.id for one in brought])
        return counted(brought, known=known.keys(), agents=self._agents(), trusted=trusted)

    async def _sessions_of(self, memories: Sequence[Memory]) -> set[str]:
        """Those of the sessions they name that are of this home."""
        named = {one.source.session for one in memories if one.source.session}
        return {name for name in named if await self._ledger.session(name) is not None}


def demoted(
    memory: Memory, *, now: datetime, sessions_here: Collection[str] = frozenset()
) -> Memory:
    """The memory as it comes in from a file nobody vouches for.

    It names neither other memories nor a conversation of this home (`sessions_here`) as where it
    was said, and lies in no future.
    """
    foreign = memory.source.session not in sessions_here
    return replace(
        memory,
        memory_type="semantic" if memory.memory_type in STANDING else memory.memory_type,
        pinned=False,
        importance=min(memory.importance, MOST_IMPORTANT),
        tier="warm" if memory.tier == "hot" else memory.tier,
        status="active" if memory.status == "disputed" else memory.status,
        superseded_by=None,
        contradicts=(),
        related_to=(),
        source=memory.source if foreign else Source(),
        source_type="import",
        created_at=min(memory.created_at, now),
        updated_at=min(memory.updated_at, now),
        origins=all_origins(memory.origins, ("import",)),
        metadata={name: value for name, value in memory.metadata.items() if _is_free(name, value)},
    )


def demotions(memory: Memory) -> list[str]:
    """What `demoted` would not let it be."""
    standing = [memory.memory_type] if memory.memory_type in STANDING else []
    pinned = ["pinned"] if memory.pinned and memory.memory_type != "identity" else []
    return [*standing, *pinned, *(["importance"] if memory.importance > MOST_IMPORTANT else [])]


def counted(
    memories: Iterable[Memory],
    *,
    known: Collection[str] = frozenset(),
    agents: Collection[str] | None = None,
    trusted: bool = False,
) -> ImportPlan:
    """The plan of an import of these; `known` are ids that are here already, `agents` the team's,
    or None where nobody knows them."""
    types, less, names = Counter[str](), Counter[str](), set[str]()
    pinned = there = 0
    for one in memories:
        types[one.memory_type] += 1
        pinned += one.pinned
        there += one.id in known
        names |= {one.agent} if one.agent else set()
        less.update([] if trusted or one.id in known else demotions(one))
    return ImportPlan(
        memories=dict(types),
        pinned=pinned,
        there=there,
        demoted=dict(less),
        unknown_agents=() if agents is None else tuple(sorted(names - {*agents})),
        trusted=trusted,
    )


def says_the_same(one: Memory, other: Memory) -> bool:
    """Whether a memory brought again is the one that was kept, whatever became of that since."""
    return all(getattr(one, name) == getattr(other, name) for name in _SAID)


def _is_free(name: str, value: object) -> bool:
    if name == "position":
        return type(value) is int and 0 <= value <= _FARTHEST
    return name not in _OURS
