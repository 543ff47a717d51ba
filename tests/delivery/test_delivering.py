"""Each thing told lies in the inbox first; then each way is tried by itself, or given up."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from told_home import START, Hand, Recording, Told, told_home, until

from skill_agent.delivery.delivering import LONGEST_TEXT, PATIENCE, TRIES_AFTER_S
from skill_agent.errors import NotDelivered, UsageError
from skill_agent.events import InboxArrived, InboxChanged
from skill_agent.identifiers import new_id
from skill_agent.values import Dispatch

SECRET = "sk-proj-Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4zAb3dEf6hIj9kLm2nOp5q"
DAILY = Dispatch(title="The day", text="Two things are open.", sort="summary", agent="kyra")


def to(*targets: str, **more: object) -> Dispatch:
    return replace(DAILY, targets=targets, **more)  # type: ignore[arg-type]


async def test_it_lies_in_the_inbox_whatever_else_is_wanted(tmp_path: Path) -> None:
    way = Recording("desktop")
    async with told_home(tmp_path, way) as home:
        only = await home.delivering.deliver(to("inbox", origins=("web",), session=None))
        more = await home.delivering.deliver(to("desktop"))
        await home.settle()
        listed = await home.inbox.list()
        assert [one.id for one in listed] == [more.id, only.id]
        assert listed[1].origins == ("web",) and listed[1].agent == "kyra"
        assert [(one.target, one.state) for one in listed[1].deliveries] == [("inbox", "delivered")]
        assert (await home.way(more.id, "desktop")).receipt == "desktop 1"
        arrived = [one for one in home.events if isinstance(one, InboxArrived)]
        assert [(one.title, one.rings) for one in arrived] == [
            ("The day", False), ("The day", True),
        ]  # fmt: skip
        assert await home.notes() == ["desktop delivered"]


async def test_none_leaves_nothing(tmp_path: Path) -> None:
    async with told_home(tmp_path) as home:
        before = await home.ledger.last_seq()
        item = await home.delivering.deliver(to("none"))
        assert item.text == DAILY.text and item.deliveries[0].target == "inbox"
        assert await home.inbox.list() == [] and await home.ledger.last_seq() == before
        with pytest.raises(UsageError, match="nothing else"):
            await home.delivering.deliver(to("none", "inbox"))


@pytest.mark.parametrize(
    "target", ["fax", "fax:1", "inbox:x", "desktop:wrong", "webhook", "webhook:a b", "telegram:x"]
)
async def test_a_target_there_is_none_of_is_refused_with_what_is_known(
    tmp_path: Path, target: str
) -> None:
    async with told_home(tmp_path, Recording("desktop")) as home:
        with pytest.raises(UsageError):
            await home.delivering.deliver(to("inbox", target))
        with pytest.raises(UsageError):
            home.delivering.check(target)
        assert await home.inbox.list() == []


async def test_a_way_that_fails_is_tried_again_and_then_given_up_and_told(tmp_path: Path) -> None:
    way = Recording("desktop", [NotDelivered("no desktop")] * 5)
    async with told_home(tmp_path, way) as home:
        item = await home.delivering.deliver(to("desktop"))
        at, failed = list[timedelta](), await home.way(item.id, "desktop")
        for seconds in TRIES_AFTER_S:
            await home.run(seconds=seconds)
            at.append(home.hand.now - START)
            assert len(way.tries) == len(at), at
            failed = await home.way(item.id, "desktop")
            assert failed.attempts == len(at)
        assert [one.total_seconds() for one in at] == [0, 60, 360, 2160, 9360]
        assert (failed.state, failed.error, failed.next_try) == ("given_up", "no desktop", None)
        await home.run(days=2)
        assert len(way.tries) == 5 and way.taken == []
        assert await home.notes() == [*["desktop failed"] * 4, "desktop given_up"]
        notice, _ = await home.inbox.list()
        assert (notice.title, notice.sort) == ("Not delivered to desktop", "failure")
        assert "after 5 tries: no desktop" in notice.text and item.id in notice.text
        (lost,) = (await home.inbox.standing()).lost
        assert lost.id == f"{item.id}/desktop"


async def test_what_makes_no_sense_is_given_up_at_once_and_a_wish_for_time_is_obeyed(
    tmp_path: Path,
) -> None:
    never = Recording("desktop", [NotDelivered("gone", again=False)])
    later = Recording("file", [NotDelivered("slow down", after_s=1000)])
    async with told_home(tmp_path, never, later) as home:
        item = await home.delivering.deliver(to("desktop", "file"))
        await home.settle()
        assert (await home.way(item.id, "desktop")).state == "given_up"
        waiting = await home.way(item.id, "file")
        assert waiting.next_try == START + timedelta(seconds=1000)
        await home.run(seconds=999)
        assert later.taken == []
        await home.run(seconds=1)
        assert later.taken == ["The day"]


async def test_one_way_never_delays_another(tmp_path: Path) -> None:
    hangs, works = Recording("desktop"), Recording("file")
    hangs.gate = asyncio.Event()
    async with told_home(tmp_path, hangs, works) as home:
        for _ in range(3):
            await home.delivering.deliver(to("desktop", "file"))
        await until(lambda: len(works.taken) == 3)
        assert len(hangs.tries) == 1 and hangs.taken == []
        hangs.gate.set()
        await home.settle()
        assert len(hangs.taken) == 3


async def test_a_restart_goes_on_where_it_was_and_tells_nothing_twice(tmp_path: Path) -> None:
    hand = Hand()
    way = Recording("desktop", [NotDelivered("not yet")])
    done = Recording("file")
    async with told_home(tmp_path, way, done, hand=hand) as home:
        item = await home.delivering.deliver(to("desktop", "file"))
        await home.settle()
        assert done.taken == ["The day"] and way.taken == []
    hand.now += timedelta(seconds=30)
    async with told_home(tmp_path, way, done, hand=hand) as home:
        await home.settle()
        assert way.taken == []  # not due yet
        await home.run(seconds=30)
        assert way.taken == ["The day"] and done.taken == ["The day"]
        assert (await home.way(item.id, "desktop")).attempts == 2
    async with told_home(tmp_path, way, done, hand=hand) as home:
        await home.run(days=1)
        assert len(way.tries) == 2 and len(done.tries) == 1
        assert (await home.inbox.standing()).waiting == 0


async def test_the_same_key_is_the_same_thing(tmp_path: Path) -> None:
    way, key = Recording("desktop"), new_id()
    async with told_home(tmp_path, way) as home:
        first, second = await asyncio.gather(
            home.delivering.deliver(to("desktop", key=key)),
            home.delivering.deliver(to("desktop", key=key, text="other words")),
        )
        assert first.id == second.id == key and first.text == second.text
        await home.settle()
    async with told_home(tmp_path, way) as home:
        again = await home.delivering.deliver(to("desktop", key=key))
        await home.settle()
        assert again.id == key and len(way.tries) == 1
        assert len(await home.inbox.list()) == 1
        with pytest.raises(UsageError, match="no UUID"):
            await home.delivering.deliver(to("inbox", key="today"))


async def test_a_way_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    hand, bot = Hand(), Recording("telegram")
    async with told_home(tmp_path, hand=hand) as home:
        item = await home.delivering.deliver(to("telegram:42"))
        await home.run(hours=5)
        way = await home.way(item.id, "telegram:42")
        assert (way.state, way.attempts) == ("pending", 0)
        assert way.error == "waits: telegram is not running here"
        assert await home.notes() == ["telegram:42 pending"]  # and none for each look
        problems = (await home.inbox.standing()).problems
        assert problems == {"telegram:42": "telegram is not running here"}
        home.delivering.register(bot)
        await home.settle()
        assert bot.tries == [("The day", "42")]
        home.delivering.unregister("telegram")
        late = await home.delivering.deliver(to("telegram"))
        home.hand.now += PATIENCE
        await home.run(hours=2)
        assert (await home.way(late.id, "telegram")).state == "given_up"


async def test_private_things_stay_here_and_in_the_persons_own_chats(tmp_path: Path) -> None:
    ways = {kind: Recording(kind) for kind in ("file", "desktop", "telegram", "webhook", "apprise")}
    targets = ("file", "desktop", "telegram", "webhook:w1", "apprise:phone")
    async with told_home(tmp_path, *ways.values()) as home:
        item = await home.delivering.deliver(to(*targets, private=True))
        await home.settle()
        assert {kind for kind, way in ways.items() if way.tries} == {"file", "desktop", "telegram"}
        for target in ("webhook:w1", "apprise:phone"):
            way = await home.way(item.id, target)
            assert way.state == "given_up" and "private" in way.error and way.attempts == 0
        (arrived, *_) = [one for one in home.events if isinstance(one, InboxArrived)]
        assert arrived.title == "something private"


async def test_secrets_do_not_go_out_and_long_texts_are_cut(tmp_path: Path) -> None:
    way = Recording("desktop", [NotDelivered(f"401 for {SECRET}", again=False)])
    async with told_home(tmp_path, way) as home:
        item = await home.delivering.deliver(
            to("desktop", title=f"key\n{SECRET}", text=f"{SECRET} " + "x" * 50_000)
        )
        await home.settle()
        assert len(item.text) < LONGEST_TEXT + 100 and "left out" in item.text
        everything = str(await home.ledger.log(limit=1000))
        assert SECRET not in everything and SECRET not in str(home.events)


async def test_giving_up_on_many_things_is_told_once_a_day(tmp_path: Path) -> None:
    way = Recording("desktop", [NotDelivered("gone", again=False)] * 30)
    async with told_home(tmp_path, way) as home:
        for _ in range(30):
            await home.delivering.deliver(to("desktop"))
        await home.settle()
        told = [one for one in await home.inbox.list() if one.sort == "failure"]
        assert len(told) == 1 and len((await home.inbox.standing()).lost) == 30


async def test_what_was_given_up_can_be_delivered_again(tmp_path: Path) -> None:
    way = Recording("desktop", [NotDelivered("gone", again=False)] * 2)
    async with told_home(tmp_path, way, quiet="00:00-23:59") as home:
        item = await home.delivering.deliver(to("desktop", "inbox"))
        failed = await home.inbox.deliver_again(item.id)  # it is quiet, but the person asks
        assert failed.deliveries[1].state == "given_up"
        assert (await home.inbox.deliver_again(item.id)).deliveries[1].state == "given_up"
        done = await home.inbox.deliver_again(item.id[:-2])
        assert (done.deliveries[1].state, done.deliveries[1].attempts) == ("delivered", 1)
        assert (await home.inbox.standing()).lost == ()
        with pytest.raises(UsageError, match="waits or was given up"):
            await home.inbox.deliver_again(item.id)
        changed = [one for one in home.events if isinstance(one, InboxChanged)]
        assert changed[-1].state == "delivered"


async def test_what_broke_inside_a_way_is_a_failure_like_others(tmp_path: Path) -> None:
    class Broken(Recording):
        async def send(self, item, address):
            raise ZeroDivisionError("oops")

    async with told_home(tmp_path, Broken("desktop")) as home:
        item = await home.delivering.deliver(to("desktop"))
        await home.settle()
        way = await home.way(item.id, "desktop")
        assert (way.state, way.error) == ("failed", "it broke: ZeroDivisionError")


async def test_more_than_is_kept_in_mind_waits_in_the_ledger(tmp_path: Path) -> None:
    hand, bot = Hand(), Recording("telegram")
    async with told_home(tmp_path, hand=hand, most_in_mind=20) as home:
        for number in range(100):
            hand.now += timedelta(milliseconds=10)
            await home.delivering.deliver(to("telegram", title=f"n{number}"))
        assert sum(map(len, home.delivering._lanes.values())) <= 20
    async with told_home(tmp_path, bot, hand=hand, most_in_mind=20) as home:
        most = 0

        def all_taken() -> bool:
            nonlocal most
            most = max(most, *map(len, home.delivering._lanes.values()))
            return len(bot.taken) == 100

        await until(all_taken)
        await home.settle()
        assert most <= 20
        assert bot.taken == [f"n{number}" for number in range(100)]


async def _all_read(home: Told) -> list[str]:
    return [one.title for one in await home.inbox.list(unread=True)]


async def test_reading_and_putting_away(tmp_path: Path) -> None:
    async with told_home(tmp_path) as home:
        items = [await home.delivering.deliver(to("inbox", title=f"n{n}")) for n in range(3)]
        assert (await home.inbox.standing()).unread == 3
        await home.inbox.read(items[0].id)
        await home.inbox.read(items[0].id)
        await home.inbox.archive(items[1].id)
        assert await _all_read(home) == ["n2"]
        assert [one.title for one in await home.inbox.list()] == ["n2", "n0"]
        assert [one.title for one in await home.inbox.list(archived=True)] == ["n1"]
        await home.inbox.read(items[0].id, read=False)
        await home.inbox.archive(items[1].id, archived=False)
        assert await _all_read(home) == ["n2", "n0"]
        assert (await home.inbox.standing()).unread == 2
        assert (await home.inbox.get("latest")).title == "n2"
        assert len(await home.ledger.log(kinds=("inbox.mark",))) == 4


async def test_a_clock_that_was_set_back_keeps_nothing_for_long(tmp_path: Path) -> None:
    hand, way, bot = Hand(), Recording("desktop", [NotDelivered("no")]), Recording("telegram")
    async with told_home(tmp_path, way, hand=hand) as home:
        await home.delivering.deliver(to("desktop", "telegram"))
        await home.settle()
    hand.now -= timedelta(days=400)
    async with told_home(tmp_path, way, bot, hand=hand) as home:
        await home.settle()
        assert bot.taken == ["The day"]
        home.hand.now += timedelta(days=1)
        await home.run(minutes=2)
        assert way.taken == ["The day"]


@pytest.mark.deep
async def test_a_thousand_items(tmp_path: Path) -> None:
    hand, way = Hand(), Recording("desktop")
    async with told_home(tmp_path, way, hand=hand) as home:
        for number in range(1_000):
            hand.now += timedelta(seconds=7)
            await home.delivering.deliver(to("desktop", title=f"n{number}"))
        await until(lambda: len(way.taken) == 1_000, seconds=600)
        await home.settle()
        assert way.taken == [f"n{number}" for number in range(1_000)]
        assert (await home.inbox.standing()).unread == 1_000
        newest = await home.inbox.list(limit=5)
        assert [one.title for one in newest] == ["n999", "n998", "n997", "n996", "n995"]
        assert len(await home.inbox.list(unread=True, limit=1_000)) == 1_000
        assert await home.ledger.last_seq() == 2_000
    async with told_home(tmp_path, way, hand=hand) as home:
        assert (await home.inbox.standing()).waiting == 0 and len(way.tries) == 1_000


async def test_what_is_due_still_goes_when_a_process_ends_at_once(tmp_path: Path) -> None:
    way, later = Recording("desktop"), Recording("file", [NotDelivered("no")])
    async with told_home(tmp_path, way, later) as home:
        await home.delivering.deliver(to("desktop", "file"))
    assert (way.taken, len(later.tries)) == (["The day"], 1)
