"""The one place every call goes through, over backends that break on cue."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from skill_agent.attach.remote import Heard, Here, Told
from skill_agent.attach.remote_errors import HostGone
from skill_agent.attach.remote_subscription import MOST_WAITING
from skill_agent.attach.remote_workstation import MOST_TRIES, RemoteWorkstation
from skill_agent.errors import (
    Closing,
    HomeBusy,
    NotFound,
    OutcomeUnknown,
    SkillAgentError,
    UsageError,
)
from skill_agent.events import (
    Event,
    HostFound,
    HostLost,
    TextDelta,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from skill_agent.events.bus import Gap
from skill_agent.text.clock import zone_here
from skill_agent.values import HomeInfo, NewMemory, Submitted, TurnRequest, TurnState, Usage
from skill_agent.workstation import Operation

CUT = HostGone("cut", sent=True)
REFUSED = HostGone("refused", sent=False)


class Frail:
    """A backend that gives scripted answers: values are given, exceptions raised."""

    here = False

    def __init__(self, name: str, *answers: Any, lives: bool = False) -> None:
        self.info = HomeInfo(
            id="/home", version="1", pid=ord(name), role="up", epoch=name, user="me",
            default_agent="kyra", settings={},
        )  # fmt: skip
        self.answers = deque(answers)
        self.living = lives
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.streams: deque[list[Told | Exception]] = deque()
        self.resumed: list[str] = []
        self.tasks: dict[str, Any] = {}
        self.closed = False
        self.hold = asyncio.Event()

    async def call(self, operation: Operation, arguments: dict[str, Any]) -> Any:
        self.asked.append((operation.id, arguments))
        if operation.id == "turns.get":
            if arguments["turn"] not in self.tasks:
                raise NotFound("no such turn")
            return self.tasks[arguments["turn"]]
        answer = self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def told(
        self, *, session: str | None, turn: str | None, after: str
    ) -> AsyncGenerator[Told, None]:
        self.resumed.append(after)
        for one in self.streams.popleft() if self.streams else [Here()]:
            if isinstance(one, Exception):
                raise one
            yield one
        await self.hold.wait()

    async def lives(self) -> bool:
        return self.living

    async def until_stopped(self) -> None:
        await self.hold.wait()

    async def close(self) -> None:
        self.closed = True


class Recovery:
    """Gives one backend after the other, or raises."""

    def __init__(self, *found: Frail | Exception) -> None:
        self.found = deque(found)
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> Frail:
        self.asked += 1
        await self.gate.wait()
        one = self.found.popleft()
        if isinstance(one, Exception):
            raise one
        return one


def said(turn: str, text: str) -> TextDelta:
    return TextDelta(session="s", turn=turn, agent="kyra", text=text)


def started(turn: str) -> TurnStarted:
    return TurnStarted(session="s", turn=turn, agent="kyra", message_id="m", text="hi", model="x")


def ended(turn: str, text: str) -> TurnFinished:
    return TurnFinished(
        session="s", turn=turn, agent="kyra", message_id="r", text=text, usage=Usage()
    )


async def until(holds: Callable[[], object]) -> None:
    """Returns once it holds; what it looks at tells nobody when it changes."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0)


async def heard_until(listener: Any, wanted: Callable[[Event], bool]) -> list[Event]:
    events = [await listener.next()]
    while not wanted(events[-1]):
        events.append(await listener.next())
    return events


async def test_a_call_goes_on_at_the_next_host_with_the_same_key() -> None:
    first, second = Frail("a", CUT), Frail("b", "kept")
    window = RemoteWorkstation(first, Recovery(second))
    assert await window.memory.add(NewMemory("Tea", pinned=True)) == "kept"
    assert first.asked == second.asked and len(first.asked[0][1]["new"].key) == 36
    await window.close()
    assert first.closed and second.closed


async def test_a_broken_connection_is_no_lost_host() -> None:
    host = Frail("a", CUT, {"memories": 1}, lives=True)
    window = RemoteWorkstation(host, Recovery())
    with window.turns.subscribe() as heard:
        assert await window.figures.counts() == {"memories": 1}
        heard.close()
        assert [event async for event in heard] == []
    await window.close()


async def test_many_callers_recover_once() -> None:
    first, second = Frail("a", *[CUT] * 9), Frail("b", *range(9))
    recovery = Recovery(second)
    recovery.gate.clear()
    window = RemoteWorkstation(first, recovery)
    with window.turns.subscribe() as heard:
        calls = [asyncio.create_task(window.figures.counts()) for _ in range(9)]
        await until(lambda: len(first.asked) == 9 and recovery.asked)
        calls[0].cancel()  # who began the recovery leaves; the others still get it
        recovery.gate.set()
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert sorted(map(str, done[1:])) == list("01234567") and isinstance(
            done[0], asyncio.CancelledError
        )
        events = await heard_until(heard, lambda event: isinstance(event, HostFound))
        assert [type(event) for event in events] == [HostLost, HostFound]
        assert events[0].pid == ord("a") and events[1].pid == ord("b")  # type: ignore[union-attr]
    assert recovery.asked == 1
    await window.close()


async def test_what_may_not_be_repeated_is_not() -> None:
    for broken, again in ((CUT, False), (REFUSED, True)):
        first, second = Frail("a", broken), Frail("b", "made")
        window = RemoteWorkstation(first, Recovery(second))
        if again:
            assert await window.agents.new("neo") == "made"
        else:
            with pytest.raises(OutcomeUnknown):
                await window.agents.new("neo")
            assert second.asked == []
        await window.close()
    window = RemoteWorkstation(Frail("a", CUT), Recovery())
    assert await window.host.stop() is None
    window = RemoteWorkstation(Frail("a", CUT), Recovery(Frail("b", UsageError("not that"))))
    with pytest.raises(UsageError, match="not that"):
        await window.memory.pin("m")


async def test_a_call_that_ends_every_host_is_given_up() -> None:
    hosts = [Frail(name, CUT) for name in "abcdef"]
    window = RemoteWorkstation(hosts[0], Recovery(*hosts[1:]))
    with pytest.raises(SkillAgentError, match="whenever it is asked"):
        await window.figures.counts()
    assert sum(len(host.asked) for host in hosts) == MOST_TRIES


async def test_a_closing_host_is_waited_for() -> None:
    first = Frail("a", Closing("closing"), Closing("closing"), CUT, lives=True)
    window = RemoteWorkstation(first, Recovery(Frail("b", 7)))
    asking = asyncio.create_task(window.figures.counts())
    await until(lambda: len(first.asked) >= 2)
    first.living = False
    assert await asking == 7
    await window.close()


async def test_no_home_is_told_and_tried_again_at_the_next_call() -> None:
    recovery = Recovery(HomeBusy("held", pid=3), Frail("b", 7))
    window = RemoteWorkstation(Frail("a", CUT, CUT), recovery)
    with pytest.raises(HomeBusy):
        await window.figures.counts()
    assert await window.figures.counts() == 7
    await window.close()
    with pytest.raises(Closing):
        await window.figures.counts()
    with pytest.raises(Closing):
        window.turns.subscribe()


async def test_a_window_closed_while_it_recovers_keeps_no_home() -> None:
    recovery = Recovery(Frail("b"))
    recovery.gate.clear()
    window = RemoteWorkstation(Frail("a", CUT), recovery)
    asking = asyncio.create_task(window.figures.counts())
    await until(lambda: recovery.asked)
    await window.close()
    with pytest.raises((Closing, asyncio.CancelledError)):
        await asking


async def test_a_stream_goes_on_where_it_stopped() -> None:
    host = Frail("a", lives=True)
    host.streams += [
        [Here("a.3"), CUT],
        [Here("a.3"), Heard(started("t"), "a.4"), Heard(said("t", "one "), "a.5"), CUT],
        [Here("a.5"), Heard(said("t", "two"), "a.6"), Heard(ended("t", "one two"), "a.7")],
    ]
    window = RemoteWorkstation(host, Recovery())
    with window.turns.subscribe() as heard:
        events = await heard_until(heard, lambda event: isinstance(event, TurnFinished))
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["one ", "two"]
    assert host.resumed == ["", "a.3", "a.5"]
    await window.close()


async def test_a_gap_ends_what_ended_meanwhile() -> None:
    host = Frail("a", lives=True)
    host.tasks["t"] = TurnState(
        id="t", state="finished", session="s", agent="kyra", started_at=datetime.now(UTC),
        text="one two", message_id="r",
    )  # fmt: skip
    host.streams += [
        [Here("a.1"), Heard(started("t"), "a.2"), Heard(said("t", "one "), "a.3"), CUT],
        [Here("a.3"), Gap("too_old"), Here("a.9")],
    ]
    window = RemoteWorkstation(host, Recovery())
    with window.turns.subscribe() as heard:
        events = await heard_until(heard, lambda event: isinstance(event, TurnFinished))
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["one ", "two"]
    await window.close()


async def test_turns_nobody_knows_any_more_end() -> None:
    first, second = Frail("a"), Frail("b")
    first.streams.append([Here(), Heard(started("t"), "a.1"), Heard(said("t", "one "), "a.2"), CUT])
    window = RemoteWorkstation(first, Recovery(second))
    with window.turns.subscribe() as heard:
        events = await heard_until(heard, lambda event: isinstance(event, TurnFailed))
    assert [type(event) for event in events] == [
        TurnStarted, TextDelta, HostLost, HostFound, TurnFailed,
    ]  # fmt: skip
    assert second.resumed == [""]
    await window.close()


async def test_turns_end_though_no_host_comes_back() -> None:
    first = Frail("a")
    first.streams.append([Here(), Heard(started("t"), "a.1"), CUT])
    window = RemoteWorkstation(first, Recovery(*[HomeBusy("held", pid=3)] * 50))
    with window.turns.subscribe() as heard:
        events = await heard_until(heard, lambda event: isinstance(event, TurnFailed))
        assert events[-1].reason == "host_lost"  # type: ignore[union-attr]
        with pytest.raises(HomeBusy):
            first.answers.append(CUT)
            await window.turns.submit("Hi")
    await window.close()


async def test_a_turn_is_sent_with_the_clock_of_its_window() -> None:
    host = Frail("a", *[Submitted(session="s", turn="t", agent="kyra")] * 3)
    window = RemoteWorkstation(host, Recovery())
    for request in ("Hi", TurnRequest("Hi"), TurnRequest("Hi", zone="Asia/Tokyo")):
        await window.turns.submit(request)
    sent = [arguments["request"].zone for _, arguments in host.asked]
    assert sent == [zone_here(), zone_here(), "Asia/Tokyo"]


async def test_a_submit_waits_until_everybody_listens() -> None:
    host = Frail("a", Submitted(session="s", turn="t", agent="kyra"), lives=True)
    host.streams.append([CUT])
    window = RemoteWorkstation(host, Recovery())
    with window.turns.subscribe():
        await window.turns.submit(TurnRequest("Hi", key="01890a5d-ac96-774b-bcce-b302099a8057"))
        assert len(host.resumed) == 2  # connected at the second try
    await window.close()


async def test_a_stream_that_hangs_is_left_for_the_new_host() -> None:
    submitted = Submitted(session="s", turn="t", agent="kyra")
    first, second = Frail("a", CUT), Frail("b", submitted)
    second.tasks["t"] = TurnState(
        id="t", state="interrupted", session="s", agent="kyra", started_at=datetime.now(UTC)
    )
    window = RemoteWorkstation(first, Recovery(second))
    with window.turns.subscribe() as heard, window.turns.subscribe(turn="other") as other:
        await window.turns.submit(TurnRequest("Hi", key="01890a5d-ac96-774b-bcce-b302099a8057"))
        events = await heard_until(heard, lambda event: isinstance(event, TurnFailed))
        assert [type(event) for event in events] == [HostLost, HostFound, TurnFailed]
        assert first.resumed == ["", ""] and len(second.resumed) == 2
        assert isinstance(await other.next(), HostLost)
    await window.close()


async def test_a_listener_that_sleeps_holds_the_stream_and_not_the_memory() -> None:
    host = Frail("a")
    host.streams.append([Here(), *[Heard(said("t", "x"), f"a.{n}") for n in range(5_000)]])
    window = RemoteWorkstation(host, Recovery())
    with window.turns.subscribe() as heard:
        waiting = heard._waiting
        await until(lambda: len(waiting) == MOST_WAITING)
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(waiting) == MOST_WAITING
        for _ in range(5_000):
            await heard.next()
    await window.close()


async def test_a_stream_that_is_refused_tells_why() -> None:
    host = Frail("a")
    host.streams.append([UsageError("the key may not read")])
    window = RemoteWorkstation(host, Recovery())
    with window.turns.subscribe() as heard, pytest.raises(UsageError, match="may not read"):
        await heard.next()
    await window.close()
