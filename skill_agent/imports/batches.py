"""What came in when, folded from the notes of the log, and what belongs to a batch.

Rows that came in with a batch bear its id in their actor, so that it is known of each without a
list of its own; the notes count.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from skill_agent.errors import NotFound
from skill_agent.ports import Ledger
from skill_agent.values import BatchState, ExtractionJob, ImportBatch, LogEntry, Session

BEGUN, SLICE, ENDED = "import.begun", "import.slice", "import.ended"
UNDONE, CONFIRMED = "import.undone", "import.confirmed"
_KINDS = (BEGUN, SLICE, ENDED, UNDONE, CONFIRMED)
_ROWS = ("session.imported", "memory.imported")
_COUNTS = ("conversations", "messages", "memories", "stretches")
_PAGE = 5_000


@dataclass(slots=True)
class Members:
    """What came in with a batch, by id; some of it may be gone."""

    sessions: set[str] = field(default_factory=set)
    memories: set[str] = field(default_factory=set)


def actor_of(batch: str) -> str:
    """Who wrote the rows of a batch, as the log has it."""
    return f"import {batch}"


async def every_session(ledger: Ledger) -> dict[str, Session]:
    """By id, those that were archived too."""
    found = dict[str, Session]()
    for archived in (False, True):
        offset = 0
        while page := await ledger.sessions(limit=_PAGE, offset=offset, archived=archived):
            found |= {one.id: one for one in page}
            offset += len(page)
    return found


class Batches:
    """The batches of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def every(self, jobs: Iterable[ExtractionJob] = ()) -> list[ImportBatch]:
        """Those with which something came in, the newest first; `jobs` are such as are not done."""
        found, _ = await self._folded()
        waiting = [one for one in jobs if one.trigger == "import"]
        whose = dict[str, str]()
        if waiting:
            async for row in self._rows(("session.imported",), 0):
                whose[row.entity] = row.actor
        told = [
            _with_reading(one, waiting, whose)
            for one in found.values()
            if one.state != "done" or any(getattr(one, name) for name in _COUNTS)
        ]
        return sorted(told, key=lambda one: (one.at, one.id), reverse=True)

    async def find(self, ref: str) -> ImportBatch | None:
        """By id, or its beginning where that is enough."""
        found, _ = await self._folded()
        fits = [one for name, one in found.items() if name.startswith(ref)]
        return fits[0] if len(fits) == 1 and len(ref) >= 6 else found.get(ref)

    async def get(self, ref: str) -> ImportBatch:
        """Raises NotFound."""
        if (found := await self.find(ref)) is None:
            raise NotFound(f"no import {ref!r}", hint="ska memory imports")
        return found

    async def unfinished(self, source: str, path: str) -> ImportBatch | None:
        """The one of the same file or folder that was cut short."""
        found, _ = await self._folded()
        fits = [
            one
            for one in found.values()
            if one.state == "unfinished" and (one.source, one.path) == (source, path)
        ]
        return max(fits, key=lambda one: one.at, default=None)

    async def members(self, batch: str) -> Members:
        found, began = Members(), (await self._folded())[1].get(batch, 0)
        async for row in self._rows(_ROWS, began):
            if row.actor == actor_of(batch):
                into = found.sessions if row.kind.startswith("session.") else found.memories
                into.add(row.entity)
        return found

    async def note(self, kind: str, batch: str, *, actor: str, data: dict[str, Any]) -> None:
        await self._ledger.note(kind, batch, actor=actor, data=data)

    async def _rows(self, kinds: tuple[str, ...], after: int) -> AsyncIterator[LogEntry]:
        while rows := await self._ledger.log(kinds=kinds, after=after, limit=_PAGE):
            for row in rows:
                yield row
            after = rows[-1].seq

    async def _folded(self) -> tuple[dict[str, ImportBatch], dict[str, int]]:
        """The batches by id, and where in the log each began."""
        found, began = dict[str, ImportBatch](), dict[str, int]()
        async for row in self._rows(_KINDS, 0):
            data = row.new or {}
            if row.kind == BEGUN:
                began[row.entity] = row.seq
                found[row.entity] = ImportBatch(
                    id=row.entity,
                    source=_text(data, "source"),
                    path=_text(data, "path"),
                    at=row.at,
                    state="unfinished",
                )
            elif batch := found.get(row.entity):
                found[row.entity] = _after(batch, row, data)
        return found, began


def _after(batch: ImportBatch, row: LogEntry, data: dict[str, Any]) -> ImportBatch:
    if row.kind == SLICE:
        counts = {name: getattr(batch, name) + _number(data, name) for name in _COUNTS}
        return replace(batch, **counts)
    if row.kind == CONFIRMED:
        return replace(batch, confirmed_at=row.at)
    left = data.get("left_out")
    counted = {str(name): _number(left, name) for name in left} if isinstance(left, dict) else {}
    state: BatchState = "undone" if row.kind == UNDONE else "done"
    return replace(batch, state=state, left_out=counted or batch.left_out)


def _with_reading(
    batch: ImportBatch, jobs: list[ExtractionJob], whose: dict[str, str]
) -> ImportBatch:
    mine = [one for one in jobs if whose.get(one.session) == actor_of(batch.id)]
    failed = sum(one.state == "failed" for one in mine)
    state: BatchState = "reading" if batch.state == "done" and mine else batch.state
    return replace(batch, unread=len(mine) - failed, failed=failed, state=state)


def _text(data: dict[str, Any], name: str) -> str:
    return said if isinstance(said := data.get(name), str) else ""


def _number(data: dict[str, Any], name: str) -> int:
    return said if type(said := data.get(name)) is int and said >= 0 else 0
