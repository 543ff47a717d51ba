import asyncio
import random

import pytest

from skill_agent.events import Event, Notice, TextDelta, ThoughtDelta, TurnFinished
from skill_agent.events.bus import MERGE_FROM, MOST_WAITING, Bus, Gap, Subscription
from skill_agent.events.journal import Entry, Journal
from skill_agent.values import Usage


def delta(text: str, turn: str = "t", session: str = "s") -> TextDelta:
    return TextDelta(session=session, turn=turn, agent="kyra", text=text)


def notice(text: str, turn: str = "t") -> Notice:
    return Notice(session="s", turn=turn, agent="kyra", level="info", text=text)


async def drain(events: Subscription, bus: Bus) -> list[Event]:
    bus.close()
    return [event async for event in events]


async def told(events: Subscription) -> list[Entry | Gap]:
    """Everything that waits, with its numbers."""
    events.end()
    return [one async for one in events.numbered()]


def said(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta | Notice))


async def test_every_listener_gets_everything_in_order() -> None:
    bus = Bus()
    one, other = bus.subscribe(), bus.subscribe()
    sent = [delta(str(n)) for n in range(10)]
    for event in sent:
        bus.publish(event)
    bus.close()
    assert [event async for event in one] == sent
    assert [event async for event in other] == sent


async def test_a_listener_of_one_session_or_turn_gets_only_that() -> None:
    bus = Bus()
    session, turn = bus.subscribe(session="a"), bus.subscribe(turn="1")
    for event in (delta("x", "1", "a"), delta("y", "2", "a"), delta("z", "1", "b")):
        bus.publish(event)
    bus.close()
    assert said([event async for event in session]) == "xy"
    assert said([event async for event in turn]) == "xz"


async def test_a_slow_listener_holds_few_events_and_loses_no_text() -> None:
    bus = Bus()
    slow = bus.subscribe()
    for n in range(5_000):
        bus.publish(delta(f"{n} ", turn="a" if n < 2_500 else "b"))
    bus.publish(notice("end", "b"))
    events = await drain(slow, bus)
    assert len(events) <= MERGE_FROM + 3
    assert said(events[:-1]) == "".join(f"{n} " for n in range(5_000))
    first_of_b = next(e for e in events if e.turn == "b")
    assert isinstance(first_of_b, TextDelta)
    assert first_of_b.text.startswith("2500 ")


async def test_thoughts_are_merged_apart_from_text() -> None:
    bus = Bus()
    slow = bus.subscribe()
    for n in range(2_000):
        bus.publish(ThoughtDelta(session="s", turn="t", agent="kyra", text=f"{n} "))
    for n in range(2_000):
        bus.publish(delta(f"{n} "))
    events = await drain(slow, bus)
    assert len(events) <= MERGE_FROM + 3
    thoughts = "".join(one.text for one in events if isinstance(one, ThoughtDelta))
    assert thoughts == said([one for one in events if isinstance(one, TextDelta)])


async def test_closing_a_listener_ends_its_waiting_and_frees_the_bus() -> None:
    bus = Bus()
    with bus.subscribe() as events:
        waiting = asyncio.create_task(anext(aiter(events), None))  # type: ignore[arg-type]
        await asyncio.sleep(0)
    assert await waiting is None
    bus.publish(delta("nobody hears"))
    assert bus.listeners == 0


async def test_who_comes_late_gets_a_turn_from_its_beginning_and_then_live() -> None:
    bus = Bus()
    for n in range(6):
        bus.publish(delta(str(n), turn="ab"[n % 2]))
    late = bus.subscribe(turn="a")
    assert late.pending
    bus.publish(delta("6", turn="a"))
    bus.publish(delta("7", turn="b"))
    assert said(await drain(late, bus)) == "0246"


async def test_without_a_number_only_what_comes_is_told() -> None:
    bus = Bus()
    bus.publish(delta("before"))
    with bus.subscribe() as every, bus.subscribe(session="s") as session:
        assert not every.pending
        assert not session.pending
        bus.publish(delta("after"))
        assert said(await drain(every, bus)) == said(await drain(session, bus)) == "after"


@pytest.mark.parametrize("turn", [None, "a"])
async def test_going_on_after_any_number_gives_the_exact_rest(turn: str | None) -> None:
    """Also where a slow listener was given merged pieces: none is told twice, none is lost."""
    bus, dice = Bus(), random.Random(4)
    slow = bus.subscribe(turn=turn)
    for n in range(600):
        made = notice if dice.random() < 0.02 else delta
        bus.publish(made(f"{n} ", dice.choice("aaaaaaab")))
    heard = await told(slow)
    assert len(heard) < 400, "something was merged"
    whole = said([one.event for one in heard if isinstance(one, Entry)])
    before = ""
    for one in heard:
        assert isinstance(one, Entry)
        before += said([one.event])
        rest = await told(bus.subscribe(turn=turn, after=one.seq))
        assert all(isinstance(later, Entry) and later.seq > one.seq for later in rest)
        assert before + said([x.event for x in rest if isinstance(x, Entry)]) == whole


async def test_numbers_have_no_holes_and_are_given_in_order() -> None:
    bus = Bus()
    events = bus.subscribe(after=0)
    for n in range(20):
        bus.publish(notice(str(n)))
    assert [one.seq for one in await told(events) if isinstance(one, Entry)] == [*range(1, 21)]
    assert bus.position == 20


async def test_what_the_journal_no_longer_has_is_told_as_a_gap() -> None:
    bus = Bus(journal=Journal(most=100))
    for n in range(250):
        bus.publish(notice(str(n), turn="ab"[n % 2]))
    assert bus.journal.first == 151
    exact = await told(bus.subscribe(after=150))
    assert [one.seq for one in exact if isinstance(one, Entry)] == [*range(151, 251)]
    assert await told(bus.subscribe(after=149)) == [Gap("too_old")], "and then what comes"
    gap, *rest = await told(bus.subscribe(turn="a", after=10))
    assert gap == Gap("too_old")
    assert len(rest) == 50, "of a turn, all there is of it"
    assert len(await told(bus.subscribe(turn="a"))) == 50
    assert await told(bus.subscribe(after=251)) == [Gap("epoch")], "a number not given yet"


async def test_the_journal_is_bounded_by_weight_and_forgets_whole_turns() -> None:
    journal = Journal(weight=1_000_000)
    for n in range(100):
        journal.add(delta("x" * 100_000, turn=str(n)))
    assert len(list(journal.after(0))) == 4
    assert not list(journal.after(0, turn="95"))
    assert len(list(journal.after(0, turn="99"))) == 1
    journal.add(delta("x" * 10_000_000))
    assert [entry.seq for entry in journal.after(0)] == [101], "the newest always stays"


async def test_a_listener_too_slow_to_be_helped_by_merging_still_gets_everything() -> None:
    bus = Bus()
    slow = bus.subscribe()
    for n in range(3 * MOST_WAITING):
        bus.publish(notice(f"{n} "))
    assert len(slow._waiting) <= MOST_WAITING
    heard = await told(slow)
    assert [one.seq for one in heard if isinstance(one, Entry)] == [*range(1, bus.position + 1)]


async def test_a_listener_that_never_reads_holds_nothing_and_is_told_what_it_missed() -> None:
    bus = Bus(journal=Journal(most=1_000))
    dead, of_turn = bus.subscribe(), bus.subscribe(turn="b")
    for n in range(3 * MOST_WAITING):
        bus.publish(notice(f"{n} ", turn="ab"[n % 2]))
    assert not dead._waiting
    assert not of_turn._waiting
    bus.publish(notice("last", "b"))
    assert await told(dead) == [Gap("too_old")]
    gap, *rest = await told(of_turn)
    assert gap == Gap("too_old")
    assert len(rest) == 501
    with bus.subscribe(after=bus.position) as events:
        bus.publish(notice("live"))
        assert said(await drain(events, bus)) == "live"


async def test_a_quiet_listener_is_not_told_of_a_gap_where_nothing_was_for_it() -> None:
    bus = Bus(journal=Journal(most=100))
    quiet = bus.subscribe(turn="b")
    await asyncio.wait_for(_read_nothing(quiet), 5)
    for n in range(1_000):
        bus.publish(notice(str(n), "a"))
    bus.publish(notice("mine", "b"))
    assert [one.event.turn for one in await told(quiet) if isinstance(one, Entry)] == ["b"]


async def _read_nothing(events: Subscription) -> None:
    reading = asyncio.create_task(events.next())
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def test_large_events_weigh_more() -> None:
    bus = Bus()
    slow = bus.subscribe()
    text = "x" * 1_000_000
    ends = [
        TurnFinished(session="s", turn=str(n), agent="k", message_id="m", text=text, usage=Usage())
        for n in range(10)
    ]
    for event in ends:
        bus.publish(event)
    assert sum(entry.weight for entry in slow._waiting) <= 8 * 1024 * 1024
    assert await drain(slow, bus) == ends


async def test_json_is_made_once_for_all_listeners() -> None:
    bus = Bus()
    one, other = bus.subscribe(), bus.subscribe()
    bus.publish(delta("hello"))
    (mine,), (theirs,) = await told(one), await told(other)
    assert isinstance(mine, Entry)
    assert isinstance(theirs, Entry)
    assert mine.data is theirs.data


async def test_draining_waits_for_who_reads_and_not_for_who_does_not() -> None:
    bus = Bus()
    reads, _sleeps = bus.subscribe(), bus.subscribe()
    got: list[Event] = []

    async def read() -> None:
        async for event in reads:
            got.append(event)
            await asyncio.sleep(0.001)

    reading = asyncio.create_task(read())
    for n in range(50):
        bus.publish(notice(str(n)))
    await bus.drained(seconds=20)
    assert len(got) >= 49
    bus.close()
    await reading
    assert len(got) == 50


async def test_a_closed_bus_tells_what_it_has_and_ends() -> None:
    bus = Bus()
    bus.publish(delta("x"))
    bus.close()
    assert said(await drain(bus.subscribe(turn="t"), bus)) == "x"
    assert await drain(bus.subscribe(), bus) == []
