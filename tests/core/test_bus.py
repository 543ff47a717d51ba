import asyncio

from skill_agent.bus import MERGE_FROM, Bus
from skill_agent.events import Event, Notice, TextDelta


def delta(text: str, turn: str = "t", session: str = "s") -> TextDelta:
    return TextDelta(session=session, turn=turn, agent="kyra", text=text)


async def drain(events: object, bus: Bus) -> list[Event]:
    bus.close()
    return [event async for event in events]  # type: ignore[attr-defined]


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
    assert [event.text async for event in session] == ["x", "y"]  # type: ignore[union-attr]
    assert [event.text async for event in turn] == ["x", "z"]  # type: ignore[union-attr]


async def test_a_slow_listener_holds_few_events_and_loses_no_text() -> None:
    bus = Bus()
    slow = bus.subscribe()
    for n in range(5_000):
        bus.publish(delta(f"{n} ", turn="a" if n < 2_500 else "b"))
    bus.publish(Notice(session="s", turn="b", agent="kyra", level="info", text="end"))
    events = await drain(slow, bus)
    assert len(events) <= MERGE_FROM + 3
    text = "".join(event.text for event in events[:-1])  # type: ignore[union-attr]
    assert text == "".join(f"{n} " for n in range(5_000))
    first_of_b = next(e for e in events if e.turn == "b")
    assert isinstance(first_of_b, TextDelta)
    assert first_of_b.text.startswith("2500 ")


async def test_closing_a_listener_ends_its_waiting_and_frees_the_bus() -> None:
    bus = Bus()
    with bus.subscribe() as events:
        waiting = asyncio.create_task(anext(aiter(events), None))  # type: ignore[arg-type]
        await asyncio.sleep(0)
    assert await waiting is None
    bus.publish(delta("nobody hears"))
