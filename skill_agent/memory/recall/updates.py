"""Which memories something newer was said about, folded from notes in the log.

A note names two memories, never what they say. Both go on standing: whoever shows them shows the
newer one first. What a person decides about them is a change of the memories themselves.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from skill_agent.ports import Ledger
from skill_agent.values import LogEntry, Memory, Update, UpdateState

from .links import true_beside

KIND = "updated"
_PAGE = 5_000
_STATES: tuple[UpdateState, ...] = get_args(UpdateState)
_STANDING = ("active", "disputed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """That a newer memory may say what has become of an older one."""

    older: str
    newer: str
    state: UpdateState
    by: str
    """`code`, or the model's name."""
    reason: str = ""
    prompt: str = ""
    probability: float | None = None
    at: datetime | None = None

    @property
    def pair(self) -> tuple[str, str]:
        return self.older, self.newer


class Updates:
    """What one home's log tells of newer words: read once, then kept up by what is written here.

    The process that holds a home has one of these.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._noted: dict[tuple[str, str], Noted] = {}
        self._newer: dict[str, Noted] = {}
        self._read = False
        self._reading = asyncio.Lock()

    def clear(self) -> None:
        """The log is read again: something in it was erased."""
        self._noted, self._newer, self._read = {}, {}, False

    async def put(self, noted: Noted) -> bool:
        """Writes it down, unless it says no more than what is known; durable when it returns."""
        await self._known()
        known = self._noted.get(noted.pair)
        if known is not None and known.state in ("updated", noted.state):
            return False
        data: dict[str, Any] = {
            "memories": [noted.older, noted.newer],
            "state": noted.state,
            "by": noted.by,
            "prompt": noted.prompt,
            "probability": noted.probability,
        }
        await self._ledger.note(
            KIND, noted.newer, actor="reconciler", reason=noted.reason, data=data
        )
        self._take(noted)
        return True

    async def newer(self, ids: Collection[str]) -> dict[str, Noted]:
        """For those of the memories something newer was said about: the last of it."""
        await self._known()
        return {one: self._newer[one] for one in ids if one in self._newer}

    async def standing(self, concerning: str | None = None) -> list[Update]:
        """What nobody has decided, the newest first; all, or where one memory is a side."""
        await self._known()
        wanted = [n for n in self._noted.values() if concerning is None or concerning in n.pair]
        ids = {one for noted in wanted for one in noted.pair}
        memories = await self._ledger.memories_by_id(sorted(ids))
        told = [one for noted in wanted if (one := _update(noted, memories)) is not None]
        return sorted(told, key=lambda one: (one.newer.created_at, one.older.id), reverse=True)

    async def _known(self) -> None:
        async with self._reading:
            after = 0
            while not self._read:
                rows = await self._ledger.log(kinds=(KIND,), after=after, limit=_PAGE)
                for noted in filter(None, map(_noted, rows)):
                    self._take(noted)
                self._read = len(rows) < _PAGE
                after = rows[-1].seq if rows else after

    def _take(self, noted: Noted) -> None:
        self._noted[noted.pair] = noted
        self._newer[noted.older] = noted


def holds(older: Memory, newer: Memory) -> bool:
    """Whether a note about the two still means something: both stand, and nobody has said that both
    are true."""
    apart = true_beside(older, newer)
    return not apart and older.status in _STANDING and newer.status in _STANDING


def _noted(row: LogEntry) -> Noted | None:
    """None for a row that was emptied, or says what cannot be."""
    said = row.new or {}
    pair = said.get("memories")
    told = str(said.get("state"))
    state: UpdateState | None = _STATES[_STATES.index(told)] if told in _STATES else None
    if not isinstance(pair, list | tuple) or len(pair) != 2 or state is None:
        return None
    likely = said.get("probability")
    return Noted(
        older=str(pair[0]),
        newer=str(pair[1]),
        state=state,
        by=str(said.get("by", "")),
        reason=row.reason,
        prompt=str(said.get("prompt", "")),
        probability=float(likely) if isinstance(likely, int | float) else None,
        at=row.at,
    )


def _update(noted: Noted, memories: dict[str, Memory]) -> Update | None:
    older, newer = memories.get(noted.older), memories.get(noted.newer)
    if older is None or newer is None or not holds(older, newer):
        return None
    return Update(
        older=older,
        newer=newer,
        state=noted.state,
        by=noted.by,
        reason=noted.reason,
        probability=noted.probability,
        at=noted.at or newer.created_at,
    )
