"""Work in memory, in front of the ledger."""

import asyncio
from datetime import UTC, datetime, timedelta

from skill_agent.identifiers import new_id
from skill_agent.jobs.work.records import Kept
from skill_agent.jobs.work.remembered import Remembered
from skill_agent.values import Work

NINE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Shelf:
    """A clock that stands, and a ledger that counts how often it is read."""

    def __init__(self) -> None:
        self.now, self.reads = NINE, list[str]()
        self.kept: dict[str, Kept] = {}
        self.gate: asyncio.Event | None = None
        self.memory = Remembered(lambda: self.now, self.read)

    async def read(self, name: str) -> Kept | None:
        self.reads.append(name)
        found = self.kept.get(name)
        if self.gate is not None:
            await self.gate.wait()
        return found

    def pass_(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)


def kept(title: str = "Some work") -> Kept:
    return Kept(work=Work(id=new_id(), kind="slices", title=title, created_at=NINE))


async def test_what_is_put_is_given_without_the_ledger() -> None:
    shelf, one = Shelf(), kept()
    shelf.memory.put(one)
    assert await shelf.memory.get(one.work.id) is one
    assert shelf.reads == [] and len(shelf.memory) == 1


async def test_what_is_nowhere_is_none() -> None:
    shelf = Shelf()
    assert await shelf.memory.get("nothing") is None
    assert shelf.reads == ["nothing"] and len(shelf.memory) == 0


async def test_a_miss_is_read_once_and_is_warm_then() -> None:
    shelf, one = Shelf(), kept()
    shelf.kept[one.work.id] = one
    assert await shelf.memory.get(one.work.id) is one
    assert await shelf.memory.get(one.work.id) is one
    assert shelf.reads == [one.work.id]


async def test_an_update_replaces_what_was_there() -> None:
    shelf, one = Shelf(), kept()
    shelf.memory.put(one)
    shelf.memory.put(newer := Kept(work=one.work, untold=True))
    assert await shelf.memory.get(one.work.id) is newer and len(shelf.memory) == 1


async def test_it_goes_an_hour_after_it_was_asked_for_last() -> None:
    shelf, one = Shelf(), kept()
    shelf.memory.put(one)
    shelf.pass_(60)
    assert shelf.memory.clean() == 0
    shelf.pass_(0.1)
    assert shelf.memory.clean() == 1 and one.work.id not in shelf.memory


async def test_who_asks_keeps_it_warm() -> None:
    shelf, one = Shelf(), kept()
    shelf.memory.put(one)
    for _ in range(3):
        shelf.pass_(50)
        await shelf.memory.get(one.work.id)
        assert shelf.memory.clean() == 0


async def test_what_went_from_memory_is_still_in_the_ledger() -> None:
    shelf, one = Shelf(), kept()
    shelf.kept[one.work.id] = one
    shelf.memory.put(one)
    shelf.pass_(61)
    shelf.memory.clean()
    assert await shelf.memory.get(one.work.id) is one
    assert shelf.reads == [one.work.id] and one.work.id in shelf.memory


async def test_one_is_let_go_of_and_the_others_stay() -> None:
    shelf, one, other = Shelf(), kept(), kept()
    shelf.memory.put(one)
    shelf.memory.put(other)
    shelf.memory.drop(one.work.id)
    shelf.memory.drop("nothing")
    assert one.work.id not in shelf.memory and other.work.id in shelf.memory


async def test_what_is_erased_while_it_is_read_is_not_kept() -> None:
    shelf, one = Shelf(), kept()
    shelf.kept[one.work.id], shelf.gate = one, asyncio.Event()
    reading = asyncio.create_task(shelf.memory.get(one.work.id))
    await asyncio.sleep(0)
    shelf.memory.clear()
    shelf.gate.set()
    await reading
    assert len(shelf.memory) == 0


async def test_what_changes_while_it_is_read_is_not_put_back() -> None:
    shelf, one = Shelf(), kept()
    shelf.kept[one.work.id], shelf.gate = one, asyncio.Event()
    reading = asyncio.create_task(shelf.memory.get(one.work.id))
    await asyncio.sleep(0)
    shelf.memory.put(newer := Kept(work=one.work, untold=True))
    shelf.gate.set()
    assert await reading is newer
