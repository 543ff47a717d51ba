"""The hot tier in the host: what stands in prompts anyway, by agent and user, without a query.

Loaded from the ledger at the first need and dropped by any write that could change it; the clock
is asked at each reading, for memories expire without a write. Nothing is ever written here.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from skill_agent.ports import Clock, Ledger
from skill_agent.values import Memory, MemoryFilter, MemoryType

from .recall.told import INSTRUCTION

STANDING: tuple[MemoryType, ...] = ("identity", "user_profile", "shared")
HOT_IMPORTANCE = 9
"""From here on a memory is hot, whatever its tier says."""
_MOST = 5_000
"""Of each kind; a person may pin thousands, and the newest are taken."""
_SEEN_BY_ALL = ("shared", "user_profile")
_TRIES = 3
"""Loadings overtaken by a write before the last one is given, though not kept."""

Key = tuple[str | None, str]
"""Agent (None is the person) and user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hot:
    """What one agent has at hand for one user; disputed memories among them."""

    identity: tuple[Memory, ...] = ()
    profile: tuple[Memory, ...] = ()
    team: tuple[Memory, ...] = ()
    hot: tuple[Memory, ...] = ()
    """Pinned, important or of the hot tier, of whatever type."""

    @property
    def all(self) -> tuple[Memory, ...]:
        """Each once."""
        every = (*self.identity, *self.profile, *self.team, *self.hot)
        return tuple({memory.id: memory for memory in every}.values())


@dataclass(frozen=True, slots=True)
class _Held:
    hot: Hot
    ids: frozenset[str]


@dataclass(slots=True, eq=False)
class _Loading:
    """A loading under way, and what it may have come too early to read."""

    written: list[Memory] = field(default_factory=list)
    cleared: bool = False


class HotCache:
    """The hot memories of one home's agents and users."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._held: dict[Key, _Held] = {}
        self._loading: set[_Loading] = set()
        self.loads = 0
        """How often the ledger was asked."""

    async def of(self, agent: str | None, user: str) -> Hot:
        """What the agent has at hand now."""
        key, tries = (agent, user), 0
        while (held := self._held.get(key)) is None:
            loading, tries = _Loading(), tries + 1
            self._loading.add(loading)
            try:
                hot = await self._load(key)
            finally:
                self._loading.discard(loading)
            loaded = _Held(hot, frozenset(one.id for one in hot.all))
            if not (loading.cleared or any(_touches(m, key, loaded.ids) for m in loading.written)):
                self._held[key] = loaded
            elif tries >= _TRIES and not loading.cleared:  # no turn waits for writes to pause
                return self._alive(hot)
        return self._alive(held.hot)

    def changed(self, memories: Sequence[Memory]) -> None:
        """Hears of memories written, in their new state; drops what they could stand in."""
        for loading in self._loading:
            loading.written += memories
        for memory in memories:
            touched = [key for key, one in self._held.items() if _touches(memory, key, one.ids)]
            for key in touched:
                del self._held[key]

    def clear(self) -> None:
        """Drops everything: after a purge, or whatever else went past the book."""
        for loading in self._loading:
            loading.cleared = True
        self._held.clear()

    async def _load(self, key: Key) -> Hot:
        self.loads += 1
        agent, user = key
        wanted = MemoryFilter(
            agent=agent, user=user, statuses=("active", "disputed"), limit=_MOST
        )  # fmt: skip
        standing = await self._ledger.memories(replace(wanted, memory_types=STANDING))
        rest = [
            memory
            for one in (
                replace(wanted, pinned=True),
                replace(wanted, tiers=("hot",)),
                replace(wanted, min_importance=HOT_IMPORTANCE),
            )
            for memory in await self._ledger.memories(one)
        ]

        def of(memory_type: MemoryType) -> tuple[Memory, ...]:
            return _ordered([m for m in standing if m.memory_type == memory_type])

        return Hot(
            identity=of("identity"),
            profile=tuple(one for one in of("user_profile") if _asked_of(one, agent)),
            team=of("shared"),
            hot=_ordered({memory.id: memory for memory in rest}.values()),
        )

    def _alive(self, hot: Hot) -> Hot:
        now = self._clock()

        def alive(memories: tuple[Memory, ...]) -> tuple[Memory, ...]:
            if all(one.expires_at is None for one in memories):
                return memories
            return tuple(one for one in memories if one.expires_at is None or one.expires_at > now)

        # An identity memory never expires.
        return replace(
            hot, profile=alive(hot.profile), team=alive(hot.team), hot=alive(hot.hot)
        )  # fmt: skip


def _asked_of(memory: Memory, agent: str | None) -> bool:
    """Whether it tells this agent something: what was asked of another for good is not asked of
    it."""
    return memory.subject != INSTRUCTION or None in (agent, memory.agent) or memory.agent == agent


def _touches(memory: Memory, key: Key, ids: Collection[str]) -> bool:
    """Whether a memory written could change what is at hand, of which these are the ids."""
    agent, user = key
    if memory.id in ids:
        return True
    if memory.user not in (None, user) or not _stands(memory):
        return False
    for_all = memory.agent is None or memory.memory_type in _SEEN_BY_ALL
    return for_all or agent is None or memory.agent == agent


def _stands(memory: Memory) -> bool:
    """Whether a memory can be at hand at all."""
    important = memory.pinned or memory.tier == "hot" or memory.importance >= HOT_IMPORTANCE
    return memory.memory_type in STANDING or important


def _ordered(memories: Iterable[Memory]) -> tuple[Memory, ...]:
    """In an order that new memories of less weight do not disturb."""
    return tuple(sorted(memories, key=lambda m: (-m.importance, m.created_at, m.id)))
