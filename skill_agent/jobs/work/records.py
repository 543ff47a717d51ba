"""Background work as the ledger keeps it: a note for each state, folded to what is known now.

The first note of a piece of work says what it is, the later ones how it stands; progress within a
state is in memory alone. Notes name the conversation that the work belongs to and go with it; work
whose first note was erased is gone.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from skill_agent.errors import NotFound, UsageError
from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.text.checks import sound_text
from skill_agent.values import LogEntry, Work

KIND = "work.state"
"""Of the note; its entity is the work."""
_OPEN, _UNTOLD, _DAYS = "open", "untold", "days"
_LISTS = (_OPEN, _UNTOLD)
_SHORTEST_REF = 6
_PAGE = 50
_FIXED = ("kind", "title", "priority", "payload", "max_attempts", "repeatable", "agent", "by")
"""What is said once."""
_STANDING = (
    "state", "progress", "message", "result", "error", "attempts", "next_try", "session", "origins",
    "started_at", "ended_at",
)  # fmt: skip
_MOMENTS = ("next_try", "started_at", "ended_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A piece of work, and what else is known of it."""

    work: Work
    untold: bool = False
    """It has ended and nobody was told yet."""
    marks: dict[str, Any] = field(default_factory=dict)
    """What it wants to know when it goes on."""


def with_changes(kept: Kept, **changes: Any) -> Kept:
    """It with other fields of its work."""
    return replace(kept, work=replace(kept.work, **changes))


class WorkRecords:
    """All the work of a home."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def save(self, kept: Kept, *, new: bool = False) -> None:
        """Writes down how it stands, and what it is where it is `new`."""
        work = kept.work
        told: dict[str, Any] = {name: getattr(work, name) for name in _STANDING}
        if new:
            told |= {name: getattr(work, name) for name in _FIXED}
        for name in _MOMENTS:
            told[name] = iso(told[name]) if told[name] else None
        told["origins"] = list(work.origins)
        data = {
            "session": work.session,
            "made": iso(work.created_at),
            "open": not work.ended,
            "untold": kept.untold,
            "marks": kept.marks,
            "work": told,
        }
        await self._ledger.note(KIND, work.id, actor=work.agent or "host", data=data)

    async def get(self, name: str) -> Kept | None:
        """By its exact id."""
        return (await self._some([name])).get(name)

    async def find(self, ref: str) -> Kept:
        """By id or its beginning; raises NotFound, and UsageError where several begin so."""
        ref = sound_text(ref.strip().lower(), "the work's id")
        if not ref:
            raise UsageError("which work?", hint="ska work list")
        if (exact := await self.get(ref)) is not None:
            return exact
        names = [one async for one in self._names() if one.startswith(ref)]
        if len(ref) < _SHORTEST_REF or not (found := await self._some(names[:10])):
            raise no_work(ref)
        if len(found) > 1:
            raise UsageError(f"{ref!r} fits {len(found)} pieces of work", hint="more of the id")
        return next(iter(found.values()))

    async def open(self) -> list[Kept]:
        """What has not ended, the oldest first."""
        return await self._listed(_OPEN)

    async def untold(self) -> list[Kept]:
        """What has ended without that anybody knows of it."""
        return await self._listed(_UNTOLD)

    async def newest(self, limit: int, *, by: str | None = None) -> list[Kept]:
        """What has ended, the newest first; with `by` only what that API key asked for."""
        found: list[Kept] = []
        async for page in self._pages():
            every = (await self._some(page)).values()
            found += [one for one in every if one.work.ended and by in (None, one.work.by)]
            if len(found) >= limit:
                break
        return found[:limit]

    async def _pages(self) -> AsyncIterator[list[str]]:
        page: list[str] = []
        async for name in self._names():
            page.append(name)
            if len(page) == _PAGE:
                yield page
                page = []
        yield page

    async def _listed(self, key: str) -> list[Kept]:
        state = (await self._states([key])).get(key, {})
        found = (await self._some(sorted(state))).values()
        return sorted(found, key=lambda one: (one.work.created_at, one.work.id))

    async def _names(self) -> AsyncIterator[str]:
        """Every id, the newest first."""
        days = sorted((await self._states([_DAYS])).get(_DAYS, {}), reverse=True)
        for day in days:
            made = (await self._states([day])).get(day, {})
            for name in sorted(made, key=lambda one: (str(made[one]), one), reverse=True):
                yield name

    async def _some(self, names: Sequence[str]) -> dict[str, Kept]:
        states = await self._states([f"work {one}" for one in names])
        found = {name: kept_in(name, states.get(f"work {name}")) for name in names}
        return {name: kept for name, kept in found.items() if kept is not None}

    async def _states(self, keys: Sequence[str]) -> dict[str, State]:
        return await self._ledger.projected(_WORK, keys) if keys else {}


def no_work(ref: str) -> NotFound:
    return NotFound(f"no work {ref!r}", hint="ska work list")


def kept_in(name: str, state: State | None) -> Kept | None:
    """What a state tells of; None where that is gone, or was never written by us."""
    import msgspec

    if not state or not isinstance(told := state.get("work"), dict):
        return None
    known = {key: told[key] for key in (*_FIXED, *_STANDING) if key in told}
    try:
        work = msgspec.convert({**known, "id": name, "created_at": state["made"]}, Work)
        marks = msgspec.convert(state.get("marks") or {}, dict[str, Any])
        UUID(name)
    except (KeyError, ValueError):  # ValueError is what msgspec raises
        return None
    whole = all(key in told for key in _FIXED) and 0.0 <= work.progress <= 1.0
    return Kept(work=work, untold=state.get("untold") is True, marks=marks) if whole else None


# -- the fold ------------------------------------------------------------------------------------


def _told(row: LogEntry) -> dict[str, Any] | None:
    """What a row of ours says; None for one that was erased, or is none of ours."""
    new = row.new
    if not isinstance(new, dict) or not isinstance(made := new.get("made"), str):
        return None
    try:
        day = iso(parse_time(made))[:10] == made[:10]
    except (ValueError, OverflowError):
        return None
    return new if day and isinstance(new.get("work"), dict) else None


def _keys(row: LogEntry) -> Iterable[str]:
    yield from (f"work {row.entity}", *_LISTS)
    if (told := _told(row)) is not None:
        yield from (_DAYS, told["made"][:10])


def _step(key: str, state: State | None, row: LogEntry) -> State:
    told, known = _told(row), state or {}
    if key.startswith("work "):
        if told is None:
            return known
        parts = {name: told.get(name) for name in ("made", "untold", "marks")}
        return {**known, **parts, "work": {**known.get("work", {}), **told["work"]}}
    if key in _LISTS:
        rest = {name: True for name in known if name != row.entity}
        return {**rest, row.entity: True} if told and told.get(key) is True else rest
    assert told is not None
    made = told["made"]
    return {**known, made[:10]: True} if key == _DAYS else {**known, row.entity: made}


_WORK = Projection(name="work", version=1, kinds=(KIND,), keys=_keys, step=_step)
