"""The memory index: LanceDB holds the rows, a resident copy answers.

The ledger is the truth; everything here may be deleted and projected again. One process writes.
Rows are written in ledger order, so the highest sequence in the table is how far it got, also
after a crash in the middle of an `apply`.

With another embedder the rows of the old one go on answering, while `grow` fills a second space
from the ledger; once that has seen all the first has, it takes over in one step.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from skill_agent.errors import IndexDamaged, ModelUnavailable, SkillAgentError
from skill_agent.files.refusals import disk_refusals, read_only
from skill_agent.values import Hit, Rebuilding

from ..embedding import CachedEmbedder, Missing, WordsOnly
from .items import ItemTable
from .places import Building, Places
from .rows import LAYOUT, Kind
from .space import IN_MEMORY, Space

if TYPE_CHECKING:
    from skill_agent.ports import Clock, Embedder, Progress
    from skill_agent.values import Delta, RecallQuery, Scope, Similar

NamedEmbedder = Callable[[str], "Embedder | None"]
"""Gives the embedder of a name as an index keeps it; None where it is not to be had."""

_CHUNK = 512
"""Rows per commit: some two seconds of embedding; progress moves and a crash costs little."""

_SLICES_A_COMPACTION = 200


class LanceIndex:
    """A `MemoryIndex` in a directory; make one with `open`."""

    def __init__(
        self,
        places: Places,
        serving: Space,
        wanted: CachedEmbedder,
        clock: "Clock",
        *,
        only_reads: bool = False,
        in_memory: int = IN_MEMORY,
    ) -> None:
        self._in_memory = in_memory
        self._places = places
        self._serving = serving
        self._wanted = wanted
        self._clock = clock
        self._only_reads = only_reads
        self._growing: Space | None = None
        self._changing = RLock()
        self._slices = 0
        self._writing = asyncio.Lock()
        self._filling = asyncio.Lock()

    @classmethod
    async def open(
        cls,
        directory: Path,
        embedder: "Embedder",
        clock: "Clock" = lambda: datetime.now(UTC),
        *,
        named: NamedEmbedder | None = None,
        only_reads: bool = False,
        in_memory: int = IN_MEMORY,
    ) -> "LanceIndex":
        """Opens or creates the index. `named` finds the embedder of rows that another one made;
        rows that cannot be read are left to the ledger to bring back. With `only_reads` no file is
        written: what comes is found while it is open. Past `in_memory` rows most lie in files.

        The embedder loads beside the rows: together they are most of a cold start.
        """
        wanted, places = CachedEmbedder(embedder), Places(directory)
        serving, _ = await asyncio.gather(
            asyncio.to_thread(_open, places, wanted, named or _words_only, only_reads, in_memory),
            asyncio.to_thread(_warm, wanted),
        )
        await asyncio.to_thread(serving.warm)
        return cls(places, serving, wanted, clock, only_reads=only_reads, in_memory=in_memory)

    @property
    def embedder(self) -> str:
        """Name of the embedder whose vectors answer now."""
        return self._serving.name

    @property
    def problem(self) -> str:
        """Why recall goes by words alone; empty while it does not."""
        return self._serving.problem

    @property
    def rebuilding(self) -> Rebuilding | None:
        """How far the space of another embedder is; None while none is wanted."""
        serving = self._serving
        if self._only_reads or not _outdated(serving, self._wanted):
            return None
        building = self._places.building
        return Rebuilding(
            done=min(building.done, len(serving)) if building else 0,
            total=len(serving),
            old=serving.name,
            new=self._wanted.name,
        )

    async def watermark(self) -> int:
        """Highest ledger sequence reflected; 0 for a new index."""
        return self._serving.watermark

    async def apply(self, delta: "Delta", progress: "Progress | None" = None) -> None:
        """Upserts and removes, idempotently, and moves the watermark to `up_to`.

        Removals go first: once a row is in, its sequence vouches for everything before it. They
        leave nothing of the removed in any file, nor in a space being built.
        """
        if delta.removed:
            async with self._filling, self._writing:
                await asyncio.to_thread(self._erase, delta.removed)
        async with self._writing:
            try:
                with disk_refusals(self._places.root, "The index could not follow the ledger"):
                    await self._fill(self._serving, delta, progress)
                return
            except Exception as error:  # a library's panic is any
                if isinstance(error, SkillAgentError) or not self._serving.storing_failed:
                    raise
                problem = error
        await self.reset()
        raise IndexDamaged("The index was damaged, and is made anew from the ledger.") from problem

    async def rebuilt_to(self) -> int:
        """Highest ledger sequence the space being built reflects; 0 where there is none."""
        async with self._filling:
            if self.rebuilding is None:
                return 0
            return (await asyncio.to_thread(self._grown)).watermark

    async def grow(self, delta: "Delta") -> None:
        """Applies what follows `rebuilt_to` to the space being built, which takes over once it has
        seen what the serving one has. Raises ModelUnavailable where its model cannot be loaded."""
        async with self._filling:
            if self.rebuilding is None:
                return
            space = await asyncio.to_thread(self._grown)
            if delta.removed:
                await asyncio.to_thread(self._erase, delta.removed)
            await self._fill(space, delta, None, strict=True)
            await asyncio.to_thread(self._note, space)
            self._slices += 1
            if self._slices % _SLICES_A_COMPACTION == 0:
                await asyncio.to_thread(space.tend)
            if delta.behind == 0:
                async with self._writing:
                    if space.watermark >= self._serving.watermark:
                        await asyncio.to_thread(self._take_over, space)

    async def recall(self, query: "RecallQuery") -> list[Hit]:
        """Best first, at most `query.limit`, visibility enforced before anything is ranked."""
        return await asyncio.to_thread(self._serving.recall, query)

    async def similar(
        self, texts: Sequence[str], *, scope: "Scope", limit: int = 8
    ) -> list[list["Similar"]]:
        """For each text the memories in scope nearest to it, best first; cosine of bare texts."""
        return await asyncio.to_thread(self._serving.similar, texts, scope, self._clock(), limit)

    async def near_pairs(self, *, above: float, scope: "Scope") -> list[tuple[str, str, float]]:
        """Pairs of memories in scope whose bare texts are nearer than `above`, nearest first."""
        return await asyncio.to_thread(self._serving.near_pairs, above, scope, self._clock())

    async def tend(self) -> None:
        """Compacts small commits and frees dead slots; for the host, when idle."""
        async with self._writing:
            with disk_refusals(self._places.root, "The index could not be tidied up"):
                await asyncio.to_thread(self._serving.tend)

    async def scrub(self) -> None:
        """Rewrites the index from what lives in it now: afterwards no file in its folder, nor its
        copy in memory, holds a byte of what was removed or replaced. Raises OSError where an old
        file cannot be deleted."""
        async with self._filling, self._writing:
            await asyncio.to_thread(self._scrub)

    async def reset(self) -> None:
        """Empties the index, also of what was being built; the next `apply` starts from 0."""
        async with self._filling, self._writing:
            with disk_refusals(self._places.root, "The index could not be emptied"):
                await asyncio.to_thread(self._reset)

    async def counts(self) -> dict[str, int]:
        """`items`, `memories`, `turns`."""
        return self._serving.counts()

    async def close(self) -> None:
        """Waits for a running write and leaves what the next process opens fast."""
        async with self._filling, self._writing:
            with suppress(Exception):  # what cannot be stored waits in the ledger
                await asyncio.to_thread(self._serving.close)

    async def _fill(
        self, space: Space, delta: "Delta", progress: "Progress | None", *, strict: bool = False
    ) -> None:
        items = sorted(delta.items, key=lambda item: item.seq)
        for start in range(0, len(items), _CHUNK):
            batch = items[start : start + _CHUNK]
            await asyncio.to_thread(space.upsert, batch, strict=strict)
            if progress:
                progress(min(start + _CHUNK, len(items)), len(items), "indexing")
        space.watermark = max(space.watermark, delta.up_to)

    # -- in a thread -----------------------------------------------------------------------------

    # Under `_changing`: a cancelled caller lets go of the locks above while its thread still runs.

    def _erase(self, ids: Sequence[str]) -> None:
        """Takes items out of both spaces and of every file."""
        if self._only_reads:
            self._serving.drop(ids)
            return
        with self._changing:
            spaces = [self._serving]
            if self._growing is not None or self._places.building is not None:
                spaces.append(self._grown())
            for space in spaces:
                if space.knows(ids):
                    self._rewrite(space, ids)

    def _grown(self) -> Space:
        """The space being built, opened or begun."""
        with self._changing:
            if self._growing is None:
                self._growing = self._continued() or Space.empty(
                    self._places.new(), self._wanted, in_memory=self._in_memory
                )
                self._note(self._growing)
            return self._growing

    def _continued(self) -> Space | None:
        """What an earlier process has built so far, if it can be read."""
        building = self._places.building
        if building is None:
            return None
        table = ItemTable(self._places.folder(building))
        space = Space.open(
            table, lambda kind: self._wanted if kind == _kind(self._wanted) else None
        )
        if space is None:
            self._places.drop(table.directory)
        return space

    def _note(self, space: Space) -> None:
        self._places.build(
            Building(
                place=space.directory.name,
                embedder=self._wanted.name,
                layout=LAYOUT,
                done=len(space),
            )
        )

    def _take_over(self, space: Space) -> None:
        with self._changing:
            self._places.serve(space.directory)
            self._places.build(None)
            self._serving, self._growing = space, None

    def _rewrite(self, space: Space, without: Sequence[str] = ()) -> None:
        """Moves a space into a new folder and deletes the old one."""
        with self._changing:
            old, serves = space.directory, space is self._serving
            space.move(self._places.new(), without)
            if serves:
                self._places.serve(space.directory)
            else:
                self._note(space)
                self._places.drop(old)

    def _scrub(self) -> None:
        self._check_writable()
        with self._changing:
            spaces = [self._serving]
            if self._growing is not None or self._places.building is not None:
                spaces.append(self._grown())
            for space in spaces:
                self._rewrite(space)
                space.forget_spares()
            self._places.tidy()

    def _check_writable(self) -> None:
        if self._only_reads:
            raise read_only(self._places.root.parent, "The index was not changed")

    def _reset(self) -> None:
        self._check_writable()
        with self._changing:
            self._places.build(None)
            self._growing = None
            self._serving = _begin(self._places.new(), self._wanted, self._in_memory)
            self._places.serve(self._serving.directory)
            self._places.tidy()


def _warm(embedder: CachedEmbedder) -> None:
    """Loads the model while the rows are read; what fails is noted by whoever needs it."""
    try:
        embedder.embed(["warm up"])
    except ModelUnavailable:
        return


def _open(
    places: Places,
    wanted: CachedEmbedder,
    named: NamedEmbedder,
    only_reads: bool,
    in_memory: int,
) -> Space:
    """The serving space as it lies there, or a new one."""
    table = ItemTable(places.serving)
    space = Space.open(
        table,
        lambda kind: _of(kind, wanted, named),
        keeps=not only_reads,
        in_memory=in_memory,
    )
    if only_reads:
        space = space or _begin(table.directory, wanted, in_memory)
        space.only_in_memory()
        return space
    building = places.building
    if building and (building.embedder, building.layout) != (wanted.name, LAYOUT):
        places.build(None)
    if space is None:
        space = _begin(places.new() if table.exists else table.directory, wanted, in_memory)
        places.serve(space.directory)
    if not _outdated(space, wanted):
        places.build(None)
    places.tidy()
    return space


def _of(kind: Kind, wanted: CachedEmbedder, named: NamedEmbedder) -> CachedEmbedder:
    """The embedder of stored rows."""
    if kind.embedder == wanted.name:
        return wanted
    older = named(kind.embedder)
    if older is None or older.name != kind.embedder:
        older = Missing(kind.embedder, kind.dimensions)
    return CachedEmbedder(older)


def _begin(folder: Path, wanted: CachedEmbedder, in_memory: int) -> Space:
    """An empty space; of words where the wanted embedder cannot even tell its dimensions."""
    try:
        return Space.empty(folder, wanted, in_memory=in_memory)
    except ModelUnavailable:
        return Space.empty(folder, CachedEmbedder(WordsOnly()), in_memory=in_memory)


def _words_only(name: str) -> "Embedder | None":
    words = WordsOnly()
    return words if name == words.name else None


def _outdated(space: Space, wanted: CachedEmbedder) -> bool:
    return space.name != wanted.name or space.layout != LAYOUT


def _kind(wanted: CachedEmbedder) -> Kind:
    return Kind(layout=LAYOUT, embedder=wanted.name, dimensions=wanted.dimensions)
