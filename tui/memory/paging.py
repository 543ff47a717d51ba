"""Which memories the memory screen wants, and fetching them in pages.

It asks the memory book and keeps the place of the next page; it draws nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

from skill_agent.values import (
    MEMORY_TYPES,
    Memory,
    MemoryFilter,
    MemoryStatus,
    MemoryType,
    Search,
    Tier,
)

if TYPE_CHECKING:
    from skill_agent.workstation import MemoryOperations

_T = TypeVar("_T")

PAGE = 200
FOUND = 100
"""Search results at most."""
CHUNK = 2_000
"""Memories looked through at a time for what the ledger cannot filter by."""
REVIEW = "review"
"""Metadata key of a memory somebody should look at."""

State = Literal[
    "in use", "pinned", "hot", "cold", "disputed", "to review", "replaced", "forgotten", "all"
]
STATES: tuple[State, ...] = get_args(State)

_LIVING: tuple[MemoryStatus, ...] = ("active", "disputed")
_GONE: tuple[MemoryStatus, ...] = ("superseded", "archived")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the person asked for; the default is everything in use, newest first."""

    words: str = ""
    memory_type: MemoryType | None = None
    agent: str | None = None
    state: State = "in use"

    @property
    def narrowed(self) -> bool:
        return self != Wanted()


def wanted_by(said: str) -> Wanted | None:
    """What `@kyra` or `@kyra:semantic` asks for; None for anything else."""
    if not said.startswith("@"):
        return None
    agent, _, kind = said.removeprefix("@").partition(":")
    return Wanted(agent=agent, memory_type=next((one for one in MEMORY_TYPES if one == kind), None))


class PagedQuery:
    """One answer to one wish, fetched as far as it is looked at."""

    def __init__(self, book: "MemoryOperations", wanted: Wanted, *, floor: float) -> None:
        """`floor` is the score below which a search result is none."""
        self._book, self._wanted, self._floor = book, wanted, floor
        self._offset = 0
        self._known: set[str] = set()
        self.more = True

    async def next(self, count: int = PAGE) -> list[Memory]:
        """The following memories, none of them twice; raises StoreError."""
        found = await (self._search() if self._wanted.words.strip() else self._page(count))
        fresh = [one for one in found if one.id not in self._known]
        self._known |= {one.id for one in fresh}
        return fresh

    async def _page(self, count: int) -> list[Memory]:
        found: list[Memory] = []
        filtered = _only_here(self._wanted.state)
        while self.more and len(found) < count:
            size = CHUNK if filtered else count
            page = await self._listed(_filter(self._wanted), size)
            found += [one for one in page if fits(one, self._wanted.state)]
        return found

    async def _listed(self, wanted: MemoryFilter, size: int) -> list[Memory]:
        page = await self._book.list(replace(wanted, limit=size, offset=self._offset))
        self._offset += len(page)
        self.more = len(page) == size
        return page

    async def _search(self) -> list[Memory]:
        """By meaning among what is in use; word by word among what no recall sees any more."""
        wanted, found = self._wanted, list[Memory]()
        if wanted.state not in ("replaced", "forgotten"):
            hits = await self._book.search(
                Search(
                    wanted.words,
                    agent=wanted.agent,
                    limit=FOUND,
                    cold=True,
                    kinds=("memory",),
                    memory_types=(wanted.memory_type,) if wanted.memory_type else (),
                    floor=self._floor,
                ),
            )
            memories = [hit.memory for hit in hits if hit.memory is not None]
            found += [one for one in memories if fits(one, wanted.state)]
        if wanted.state in ("replaced", "forgotten", "all"):
            found += await self._words_among(_gone(wanted))
        self.more = False
        return found

    async def _words_among(self, wanted: MemoryFilter) -> list[Memory]:
        words = self._wanted.words.lower().split()
        found: list[Memory] = []
        while self.more and len(found) < FOUND:
            page = await self._listed(wanted, CHUNK)
            found += [one for one in page if all(word in one.content.lower() for word in words)]
        return found


def fits(memory: Memory, state: State) -> bool:
    """Whether a memory is in the state."""
    match state:
        case "in use":
            return memory.status in _LIVING
        case "pinned":
            return memory.status in _LIVING and memory.pinned
        case "hot" | "cold":
            return memory.status in _LIVING and memory.tier == state
        case "disputed":
            return memory.status == "disputed"
        case "to review":
            return memory.status in _LIVING and bool(memory.metadata.get(REVIEW))
        case "replaced":
            return memory.status == "superseded"
        case "forgotten":
            return memory.status == "archived"
        case "all":
            return True


def _only_here(state: State) -> bool:
    """Whether the ledger cannot tell and each memory must be looked at."""
    return state == "to review"


def _filter(wanted: Wanted) -> MemoryFilter:
    statuses: dict[State, tuple[MemoryStatus, ...]] = {
        "disputed": ("disputed",),
        "replaced": ("superseded",),
        "forgotten": ("archived",),
        "all": (),
    }
    tiers: dict[State, tuple[Tier, ...]] = {"hot": ("hot",), "cold": ("cold",)}
    return MemoryFilter(
        agent=wanted.agent,
        memory_types=(wanted.memory_type,) if wanted.memory_type else (),
        statuses=statuses.get(wanted.state, _LIVING),
        tiers=tiers.get(wanted.state, ()),
        pinned=True if wanted.state == "pinned" else None,
    )


def _gone(wanted: Wanted) -> MemoryFilter:
    statuses = _GONE if wanted.state == "all" else _filter(wanted).statuses
    return replace(_filter(wanted), statuses=statuses)


def after(current: _T, choices: Sequence[_T], step: int) -> _T:
    """The choice `step` places on, around the end."""
    return choices[(choices.index(current) + step) % len(choices)]
