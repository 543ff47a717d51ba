"""The event stream over a real server: order, numbers, going on where one stopped."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator

import httpx
import pytest
from fakes import OpenRuntime
from served import Told, listening, served
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from skill_agent.api.routes.events_stream import Heard, event_response
from skill_agent.events import Event, Notice, TextDelta, from_json
from skill_agent.events.bus import Bus, Subscription
from skill_agent.events.journal import Journal
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import TurnRequest


class Station:
    """What has events, without the rest of a runtime."""

    def __init__(self, *, most: int = 20_000) -> None:
        self.bus = Bus(journal=Journal(most=most))

    @property
    def epoch(self) -> str:
        return self.bus.epoch

    def subscribe(
        self, *, session: str | None = None, turn: str | None = None, after: int | None = None
    ) -> Subscription:
        return self.bus.subscribe(session=session, turn=turn, after=after)


def app(station: Heard) -> Starlette:
    async def events(request: Request) -> Response:
        return event_response(
            station,
            session=request.query_params.get("session"),
            turn=request.query_params.get("turn"),
            last_event_id=request.headers.get("Last-Event-ID"),
        )

    return Starlette(routes=[Route("/v1/events", events)])


def piece(text: str, turn: str = "t") -> TextDelta:
    return TextDelta(session="s", turn=turn, agent="kyra", text=text)


def notice(text: str, turn: str = "t") -> Notice:
    return Notice(session="s", turn=turn, agent="kyra", level="info", text=text)


def text_of(told: list[Told]) -> str:
    return "".join(one.data["text"] for one in told)


async def up_to(told: AsyncIterator[Told], seq: int) -> list[Told]:
    """The events that come, up to the one with this number."""
    heard: list[Told] = []
    async for one in told:
        if one.event:
            heard.append(one)
            if one.id and one.seq >= seq:
                return heard
    raise AssertionError("the stream ended early")


async def test_events_come_in_order_with_their_ids_and_their_json() -> None:
    station = Station()
    sent: list[Event] = [piece("hé\u2028l\x85lo\r\n"), notice("a\nb"), piece("\ud800 half")]
    async with served(app(station)) as client, listening(client) as told:
        for event in sent:
            station.bus.publish(event)
        heard = await up_to(told, 3)
    assert [one.id for one in heard] == [f"{station.epoch}.{n}" for n in (1, 2, 3)]
    assert [one.event for one in heard] == ["text_delta", "notice", "text_delta"]
    assert [from_json(one.data) for one in heard] == sent


async def test_a_turn_is_told_from_its_beginning_and_only_it() -> None:
    station = Station()
    for n in range(10):
        station.bus.publish(piece(str(n), turn="ab"[n % 2]))
    async with served(app(station)) as client, listening(client, turn="a") as told:
        station.bus.publish(piece("!", turn="a"))
        assert text_of(await up_to(told, 11)) == "02468!"


@pytest.mark.parametrize("turn", ["", "a"])
async def test_going_on_after_every_id_gives_the_exact_rest(turn: str) -> None:
    station = Station()
    wanted = {"turn": turn} if turn else {}
    async with served(app(station)) as client:
        async with listening(client, **wanted) as told:
            for n in range(300):  # at once, so that pieces are merged for this listener
                station.bus.publish((notice if n % 40 == 0 else piece)(f"{n} ", "ab"[n > 150]))
            last = 151 if turn else 300
            heard = await up_to(told, last)
        assert len(heard) < last, "some were merged"
        before, whole = "", text_of(heard)
        for one in heard[:-1]:
            before += one.data["text"]
            async with listening(client, after=one.id, **wanted) as told:
                assert before + text_of(await up_to(told, last)) == whole


async def test_an_id_of_another_life_of_the_host_is_a_gap_and_then_live() -> None:
    station = Station()
    station.bus.publish(piece("old"))
    async with served(app(station)) as client:
        for after in ("other.1", "nonsense", f"{station.epoch}.", f"{station.epoch}.9", ".."):
            async with listening(client, after=after) as told:
                station.bus.publish(piece("new"))
                gap, event = await up_to(told, station.bus.position)
                assert (gap.event, gap.data, gap.id) == ("gap", {"reason": "epoch"}, "")
                assert event.data["text"] == "new"
        async with listening(client, after="other.1", turn="t") as told:
            heard = await up_to(told, station.bus.position)
            assert text_of(heard[1:]) == "old" + 5 * "new"


async def test_an_id_older_than_the_journal_is_a_gap_and_then_live() -> None:
    station = Station(most=10)
    for n in range(30):
        station.bus.publish(notice(str(n)))
    async with served(app(station)) as client:
        async with listening(client, after=f"{station.epoch}.20") as told:
            assert len(await up_to(told, 30)) == 10
        async with listening(client, after=f"{station.epoch}.19") as told:
            station.bus.publish(notice("live"))
            gap, event = await up_to(told, 31)
            assert gap.data == {"reason": "too_old"}
            assert event.data["text"] == "live"


async def test_a_client_that_does_not_read_slows_nobody_and_can_go_on() -> None:
    station = Station()
    async with served(app(station)) as client, listening(client) as stalled:
        async with listening(client) as told:
            for n in range(8_000):
                station.bus.publish(notice(f"{n} " + "x" * 200))
                if n % 100 == 0:
                    await asyncio.sleep(0)
            quick = await up_to(told, 8_000)
        assert [one.seq for one in quick] == [*range(1, 8_001)]
        assert all(len(one._waiting) <= 5_000 for one in station.bus._subscriptions)
        assert [one.seq for one in await up_to(stalled, 8_000)] == [*range(1, 8_001)]


async def test_who_leaves_before_the_first_event_can_go_on_too() -> None:
    station = Station()
    station.bus.publish(piece("before"))
    async with served(app(station)) as client:
        async with listening(client) as told:
            begins = await anext(told)
        assert (begins.event, begins.id) == ("", f"{station.epoch}.1")
        station.bus.publish(piece("meanwhile"))
        async with listening(client, after=begins.id) as told:
            assert text_of(await up_to(told, 2)) == "meanwhile"


async def test_a_client_that_leaves_is_forgotten() -> None:
    station = Station()
    async with served(app(station)) as client:
        for _ in range(20):
            async with listening(client):
                assert station.bus.listeners
        while station.bus.listeners:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.005)


async def test_a_closing_host_gives_what_waits_and_says_so() -> None:
    station = Station()
    async with served(app(station)) as client, listening(client) as told:
        station.bus.publish(piece("last words"))
        station.bus.close()
        heard = [one async for one in told]
    assert [one.event for one in heard] == ["", "text_delta", "closing"]


WORDS = " ".join(f"word{n}" for n in range(30))


async def everything(client: httpx.AsyncClient, ready: asyncio.Semaphore) -> list[Told]:
    """All events until 200 turns have ended."""
    async with listening(client) as told:
        ready.release()
        ends, heard = 0, []
        while ends < 200:
            heard.append(await anext(told))
            ends += heard[-1].event == "turn_finished"
        return heard[1:]


async def one_turn(client: httpx.AsyncClient, runtime: Runtime, number: int) -> str:
    """Begins a turn and hears it to its end."""
    submitted = await runtime.turns.submit(TurnRequest(f"hello {number}", use_memory=False))
    async with listening(client, turn=submitted.turn) as told:
        text = ""
        async for one in told:
            if one.event == "text_delta":
                text += one.data["text"]
            if one.event == "turn_finished":
                assert text == one.data["text"] == WORDS
                return submitted.turn
    raise AssertionError("no end")


@pytest.mark.deep
async def test_two_hundred_turns_and_several_listeners(open_runtime: OpenRuntime) -> None:
    ready, turns = asyncio.Semaphore(0), asyncio.Semaphore(25)
    async with (
        open_runtime(ScriptedModel(otherwise=WORDS)) as runtime,
        served(app(runtime._turns)) as client,
    ):

        async def in_turn(number: int) -> str:
            async with turns:
                return await one_turn(client, runtime, number)

        listeners = [asyncio.create_task(everything(client, ready)) for _ in range(4)]
        for _ in listeners:
            await ready.acquire()
        done = await asyncio.gather(*(in_turn(n) for n in range(200)))
        for heard in await asyncio.gather(*listeners):
            numbers = [one.seq for one in heard]
            assert numbers == sorted(set(numbers))
            by_turn = defaultdict[str, list[Told]](list)
            for one in heard:
                by_turn[one.data["turn"]].append(one)
            for told in map(by_turn.__getitem__, done):
                assert [told[0].event, told[-1].event] == ["turn_started", "turn_finished"]
                assert text_of([one for one in told if one.event == "text_delta"]) == WORDS
