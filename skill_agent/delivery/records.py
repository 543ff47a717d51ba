"""What the ledger keeps of the inbox: a note for each item, for each step of each of its ways, and
for what its person did with it; folded to states.

A note names the conversation that its item came from, with which it goes. An item whose note was
erased is gone from every list, and its ways are not gone on with.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast, get_args

from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import ORIGINS, Delivery, DeliveryState, InboxItem, ItemSort, LogEntry

from .targets import INBOX

ITEM, WAY, MARK = "inbox.item", "inbox.way", "inbox.mark"
"""Kinds of the notes; the entity of each is the item."""
UNFINISHED: tuple[DeliveryState, ...] = ("pending", "held", "failed")
_MOST_LOST = 200
"""Ways that were given up are listed up to so many."""
_YEARS, _LOST = "years", "lost"
_SHARDS = "0123456789abcdef"
SHORTEST_REF, _PART = 6, 8
"""Characters of an id by which it is found at least, and such by which few ids are told apart."""
_MANY = 1_000
_BATCH = 50

Items = list[InboxItem]


class InboxRecords:
    """Every item of one home."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # -- writing -----------------------------------------------------------------------------

    async def add(self, item: InboxItem, *, always: bool) -> None:
        """Keeps an item with its ways; `always` says that quiet hours do not hold it."""
        data: dict[str, Any] = {
            "title": item.title,
            "text": item.text,
            "sort": item.sort,
            "agent": item.agent,
            "session": item.session,
            "sessions": list(item.quotes),
            "job": item.job,
            "run": item.run,
            "private": item.private,
            "always": always,
            "origins": list(item.origins),
            "made": iso(item.created_at),
            "ways": [_way(one) for one in item.deliveries if one.target != INBOX],
        }
        await self._ledger.note(ITEM, item.id, actor=item.agent or "host", data=data)

    async def put_way(self, item: InboxItem, way: Delivery) -> None:
        data = {**_way(way), "session": item.session, "made": iso(item.created_at)}
        await self._ledger.note(WAY, item.id, actor="host", data=data)

    async def mark(self, item: InboxItem) -> None:
        """Keeps whether it was read, and whether it was put away."""
        data = {
            "session": item.session,
            "made": iso(item.created_at),
            "read_at": iso(item.read_at) if item.read_at else None,
            "archived_at": iso(item.archived_at) if item.archived_at else None,
        }
        await self._ledger.note(MARK, item.id, actor="person", data=data)

    # -- reading -----------------------------------------------------------------------------

    async def was_there(self, item: str) -> bool:
        """Whether there ever was such an item, also one that is erased."""
        return bool(await self._ledger.log(item, kinds=(ITEM,), limit=1))

    async def get(self, item: str) -> InboxItem | None:
        return (await self.some([item])).get(item)

    async def is_always(self, item: str) -> bool:
        return bool((await self._state(f"item {item}")).get("always"))

    async def some(self, ids: Iterable[str]) -> dict[str, InboxItem]:
        """Those that exist, by exact id, in the order they were asked for."""
        wanted = list(dict.fromkeys(ids))
        states = await self._states([f"item {one}" for one in wanted])
        found = {one: item_in(one, states.get(f"item {one}")) for one in wanted}
        return {name: item for name, item in found.items() if item is not None}

    async def beginning_with(self, ref: str) -> list[str]:
        """The ids that begin so; none for fewer than six characters."""
        if len(ref) < SHORTEST_REF:
            return []
        parts = (await self._state(f"id {ref[:SHORTEST_REF]}")).get("parts", ())
        keys = [f"id {one}" for one in parts if one.startswith(ref[:_PART])]
        found = (await self._states(keys)).values()
        return sorted(one for ids in found for one in ids if one.startswith(ref))

    async def newest(self, *, archived: bool = False, limit: int = 50) -> Items:
        """The newest first: those that were put away, or the others."""
        found: Items = []
        async for ids in self._minutes():
            some = (await self.some(ids)).values()
            found += [one for one in some if (one.archived_at is not None) is archived]
            if len(found) >= limit:
                break
        return found[:limit]

    async def unread(self, limit: int) -> Items:
        """The newest first."""
        waiting = await self._sharded("unread")
        found: Items = []
        ids = _newest_first(waiting)
        for at in range(0, len(ids), _BATCH):
            some = (await self.some(ids[at : at + _BATCH])).values()
            found += [one for one in some if one.read_at is None and one.archived_at is None]
            if len(found) >= limit:
                break
        return found[:limit]

    async def count_unread(self) -> int:
        """How many there are; of very many, some that were erased since may be counted."""
        waiting = await self._sharded("unread")
        if len(waiting) > _MANY:
            return len(waiting)
        minutes = await self._states(sorted({made[:16] for made in waiting.values()}))
        return sum(one in minutes.get(made[:16], {}) for one, made in waiting.items())

    async def open(self) -> list[str]:
        """The ids of items with a way that has not ended, the oldest first."""
        waiting = await self._sharded("open")
        return _newest_first({one: made for one, (made, _) in waiting.items()})[::-1]

    async def open_targets(self) -> list[str]:
        """What something has still to go to."""
        waiting = await self._sharded("open")
        return sorted({one for _, targets in waiting.values() for one in targets})

    async def lost(self) -> list[Delivery]:
        """Ways that were given up and not tried again since, the newest first."""
        ids = list(dict.fromkeys(await self._state(_LOST)))[::-1]
        items = (await self.some(ids)).values()
        return [
            way
            for item in items
            if item.archived_at is None
            for way in item.deliveries
            if way.state == "given_up"
        ]

    async def _sharded(self, name: str) -> State:
        states = await self._states([f"{name} {one}" for one in _SHARDS])
        return {key: made for state in states.values() for key, made in state.items()}

    async def _minutes(self) -> AsyncIterator[list[str]]:
        """The ids of what was made in each minute, the newest first."""
        for year in sorted(await self._state(_YEARS), reverse=True):
            for day in sorted(await self._state(year), reverse=True):
                minutes = sorted(await self._state(day), reverse=True)
                for at in range(0, len(minutes), _BATCH):
                    some = minutes[at : at + _BATCH]
                    states = await self._states(some)
                    for one in some:
                        yield _newest_first(states.get(one, {}))

    async def _state(self, key: str) -> State:
        return (await self._states([key])).get(key, {})

    async def _states(self, keys: list[str]) -> dict[str, State]:
        return await self._ledger.projected(_INBOX, keys) if keys else {}


def _newest_first(ids: State) -> list[str]:
    return [one for one, _ in sorted(ids.items(), key=lambda pair: (pair[1], pair[0]))][::-1]


# -- values from notes and back ------------------------------------------------------------------


def _way(way: Delivery) -> dict[str, Any]:
    told = asdict(way)
    for name in ("next_try", "delivered_at"):
        told[name] = iso(told[name]) if told[name] else None
    del told["id"], told["item"]
    return {name: value for name, value in told.items() if value or name in ("target", "state")}


def item_in(name: str, state: State | None) -> InboxItem | None:
    """The item a state tells of; None where it is gone, or is none."""
    try:
        return _item(name, state) if state and "title" in state else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _item(name: str, state: State) -> InboxItem:
    made = parse_time(state["made"])
    inbox = Delivery(
        id=f"{name}/{INBOX}", item=name, target=INBOX, state="delivered", delivered_at=made
    )
    sort = state.get("sort")
    ways = [_delivery(name, target, one) for target, one in state.get("ways", {}).items()]
    return InboxItem(
        id=name,
        title=_said(state, "title"),
        text=_said(state, "text"),
        sort=cast(ItemSort, sort if sort in get_args(ItemSort) else "result"),
        agent=_said(state, "agent"),
        session=_said(state, "session") or None,
        job=_said(state, "job") or None,
        run=_said(state, "run") or None,
        private=state.get("private") is True,
        origins=tuple(one for one in ORIGINS if one in (state.get("origins") or ())),
        deliveries=(inbox, *ways),
        created_at=made,
        read_at=_moment(state, "read_at"),
        archived_at=_moment(state, "archived_at"),
    )


def _delivery(item: str, target: str, told: dict[str, Any]) -> Delivery:
    state, attempts = told.get("state"), told.get("attempts")
    return Delivery(
        id=f"{item}/{target}",
        item=item,
        target=target,
        state=cast(DeliveryState, state if state in get_args(DeliveryState) else "given_up"),
        attempts=attempts if isinstance(attempts, int) else 0,
        next_try=_moment(told, "next_try"),
        error=_said(told, "error"),
        delivered_at=_moment(told, "delivered_at"),
        receipt=_said(told, "receipt"),
    )


def _said(told: dict[str, Any], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""


def _moment(told: dict[str, Any], name: str) -> datetime | None:
    return parse_time(value) if isinstance(value := told.get(name), str) else None


# -- the fold ------------------------------------------------------------------------------------


def _told(row: LogEntry) -> dict[str, Any] | None:
    """What a row of ours says; None for one that was erased, or is none of ours."""
    new = row.new
    if not isinstance(new, dict) or not isinstance(made := new.get("made"), str):
        return None
    try:
        parse_time(made)
    except ValueError:
        return None
    needed = {ITEM: ("title", "text"), WAY: ("target", "state"), MARK: ()}[row.kind]
    whole = all(isinstance(new.get(one), str) for one in needed)
    return new if whole and len(made) == len("2026-11-30T09:00:00.000000Z") else None


def _shard(item: str) -> str:
    return item[-1] if item[-1:] and item[-1] in _SHARDS else "0"


def _keys(row: LogEntry) -> Iterable[str]:
    if (told := _told(row)) is None:
        return
    item, made = row.entity, told["made"]
    yield f"item {item}"
    if row.kind in (ITEM, WAY):
        yield f"open {_shard(item)}"
    if row.kind in (ITEM, MARK):
        yield f"unread {_shard(item)}"
    if row.kind == ITEM:
        yield from (_YEARS, made[:4], made[:10], made[:16])
        yield from (f"id {item[:SHORTEST_REF]}", f"id {item[:_PART]}")
    if row.kind == WAY and told["state"] == "given_up":
        yield _LOST


def _step(key: str, state: State | None, row: LogEntry) -> State:
    told, known, item = _told(row) or {}, state or {}, row.entity
    if key.startswith("item "):
        return _changed(known, told, row.kind)
    if key.startswith("open "):
        return _opened(known, item, told, row.kind)
    if key.startswith("unread "):
        seen = row.kind == MARK and bool(told.get("read_at") or told.get("archived_at"))
        return _with(known, item, told["made"], not seen)
    if key == _LOST:
        return _lost(known, item, told)
    made = told["made"]
    if key == f"id {item[:SHORTEST_REF]}" and len(item) > SHORTEST_REF:
        return {"parts": sorted({*known.get("parts", ()), item[:_PART]})}
    if key == made[:16] or key.startswith("id "):
        return {**known, item: made}
    return {**known, made[: {len(_YEARS): 4, 4: 10, 10: 16}[len(key)]]: True}


def _changed(known: State, told: dict[str, Any], kind: str) -> State:
    if kind == ITEM:
        own = {one["target"]: one for one in _ways(told)}
        return {**told, "ways": {**own, **known.get("ways", {})}}
    if kind == MARK:
        return {**known, "read_at": told.get("read_at"), "archived_at": told.get("archived_at")}
    return {**known, "ways": {**known.get("ways", {}), told["target"]: told}}


def _opened(known: State, item: str, told: dict[str, Any], kind: str) -> State:
    """The ways that have not ended, by item: each way goes for itself, so none speaks of others."""
    steps = _ways(told) if kind == ITEM else [told]
    targets = set(known.get(item, (None, ()))[1])
    for one in steps:
        (targets.add if one.get("state") in UNFINISHED else targets.discard)(one["target"])
    rest = {name: told for name, told in known.items() if name != item}
    return {**rest, item: [told["made"], sorted(targets)]} if targets else rest


def _ways(told: dict[str, Any]) -> list[dict[str, Any]]:
    listed = told.get("ways")
    return [
        one
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict) and isinstance(one.get("target"), str)
    ]


def _with(known: State, item: str, made: str, there: bool) -> State:
    rest = {one: at for one, at in known.items() if one != item}
    return {**rest, item: made} if there else rest


def _lost(known: State, item: str, told: dict[str, Any]) -> State:
    """The newest last; an item stays while any of its ways is lost, which reading tells."""
    rest = [(one, at) for one, at in known.items() if one != item]
    return dict([*rest, (item, told["made"])][-_MOST_LOST:])


_INBOX = Projection(name="inbox", version=1, kinds=(ITEM, WAY, MARK), keys=_keys, step=_step)
