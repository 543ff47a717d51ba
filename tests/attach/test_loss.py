"""The host dies under its windows: in a call, in a turn, under a subscription. Real processes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fakes import StepClock
from hosts import attached, dying, serving

from skill_agent.attach.remote_workstation import RemoteWorkstation
from skill_agent.errors import OutcomeUnknown
from skill_agent.events import (
    Event,
    HostFound,
    HostLost,
    TextDelta,
    TurnFailed,
    TurnFinished,
)
from skill_agent.files.home import Home
from skill_agent.identifiers import new_id
from skill_agent.models.scripted import Gate, ScriptedModel
from skill_agent.values import NewMemory

REPLY = "It was a dark and stormy night."


@asynccontextmanager
async def orphaned(
    home: Home, clock: StepClock, mode: str
) -> AsyncIterator[tuple[RemoteWorkstation, "asyncio.subprocess.Process"]]:
    """A window on a home whose host is about to die."""
    async with dying(home, mode) as host, attached(home, clock) as window:
        yield window, host


async def whole(window: RemoteWorkstation, key: str) -> list[Event]:
    return [event async for event in window.ask("Tell me a story", key=key)]


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def messages_of(window: RemoteWorkstation) -> list[str]:
    (session,) = await window.conversations.list()
    return [one.content for one in await window.conversations.messages(session.id)]


@pytest.mark.deep
async def test_before_the_message_is_saved(home: Home, clock: StepClock) -> None:
    async with orphaned(home, clock, "before") as (window, host):
        turn = new_id()
        events = [event async for event in window.ask("Tell me a story", key=turn)]
        assert [one for one in kinds(events) if one.startswith("Host")] == ["HostLost", "HostFound"]
        assert (await host.wait()) == -9
        lost, found = events[:2]
        assert isinstance(lost, HostLost) and lost.pid == host.pid
        assert isinstance(found, HostFound) and found.here and window.here
        assert isinstance(events[-1], TurnFinished) and text_of(events) == "taken over"
        assert await messages_of(window) == ["Tell me a story", "taken over"]
        assert (await window.turns.get(turn)).state == "finished"


@pytest.mark.deep
async def test_after_the_message_is_saved_and_before_that_is_told(
    home: Home, clock: StepClock
) -> None:
    async with orphaned(home, clock, "answer") as (window, _):
        turn = new_id()
        events = [event async for event in window.ask("Tell me a story", key=turn)]
        end = events[-1]
        assert isinstance(end, TurnFailed | TurnFinished)
        assert len([one for one in events if isinstance(one, TurnFailed | TurnFinished)]) == 1
        said = await messages_of(window)
        assert said.count("Tell me a story") == 1 and "taken over" not in said
        if isinstance(end, TurnFailed):
            assert end.reason == "host_lost"


@pytest.mark.deep
async def test_whoever_listens_to_everything_hears_the_end_too(
    home: Home, clock: StepClock
) -> None:
    for mode in ("before", "answer"):
        async with orphaned(Home(home.root / mode), clock, mode) as (window, _):
            with window.turns.subscribe() as heard:
                submitted = await window.turns.submit("Tell me a story")
                events = [await heard.next()]
                while not isinstance(events[-1], TurnFailed | TurnFinished):
                    events.append(await heard.next())
                assert events[-1].turn == submitted.turn
                if mode == "before":
                    assert kinds(events)[:3] == ["HostLost", "HostFound", "TurnStarted"]
                    assert text_of(events) == "taken over"


async def test_in_the_middle_of_the_reply(home: Home, clock: StepClock) -> None:
    async with orphaned(home, clock, "middle") as (window, _):
        with window.turns.subscribe() as everything:
            events = [event async for event in window.ask("Tell me a story")]
            end = events[-1]
            assert isinstance(end, TurnFailed) and end.reason == "host_lost"
            assert end.text == text_of(events) and REPLY.startswith(end.text)
            seen = [await everything.next()]
            while not isinstance(seen[-1], TurnFailed):
                seen.append(await everything.next())
            assert kinds(seen).count("HostLost") == kinds(seen).count("HostFound") == 1
            again = [event async for event in window.ask("Again", session=end.session)]
            assert isinstance(again[-1], TurnFinished)
            while not isinstance(seen[-1], TurnFinished):
                seen.append(await everything.next())
        assert kinds(seen).count("TurnFailed") == 1


async def test_after_the_reply_is_saved(home: Home, clock: StepClock) -> None:
    async with orphaned(home, clock, "finished") as (window, _):
        events = [event async for event in window.ask("Tell me a story")]
        end = events[-1]
        assert isinstance(end, TurnFinished)
        assert text_of(events) == end.text == REPLY
        assert await messages_of(window) == ["Tell me a story", REPLY]


@pytest.mark.deep
async def test_idle_listeners_and_two_callers_at_once(home: Home, clock: StepClock) -> None:
    async with orphaned(home, clock, "never") as (window, host):
        kept = await window.memory.add("Tea")
        with window.turns.subscribe() as one, window.turns.subscribe(session="none") as other:
            await window.turns.submit("Hello")  # both are connected
            while not isinstance(await one.next(), TurnFinished):
                pass
            host.kill()
            await host.wait()
            answers = await asyncio.gather(
                window.memory.get(kept.id),
                window.figures.counts(),
                window.figures.info(),
                window.conversations.list(),
            )
            assert answers[0] == kept
            for listener in (one, other):
                events = [await listener.next()]
                while not isinstance(events[-1], HostFound):
                    events.append(await listener.next())
                assert kinds(events).count("HostLost") == 1
            assert window.here and window.settings.general.user == "me"


@pytest.mark.deep
async def test_listeners_alone_bring_the_home_back(home: Home, clock: StepClock) -> None:
    async with orphaned(home, clock, "never") as (window, host):
        with window.turns.subscribe() as heard:
            await window.turns.submit("Hello")
            while not isinstance(await heard.next(), TurnFinished):
                pass
            host.kill()
            seen = [await heard.next()]
            while not isinstance(seen[-1], HostFound):
                seen.append(await heard.next())
            await window.turns.submit("Again")
            while not isinstance(seen[-1], TurnFinished):
                seen.append(await heard.next())
            assert kinds(seen).count("TurnStarted") == 1


async def test_a_stopped_host_is_followed_by_this_one(home: Home, clock: StepClock) -> None:
    async with orphaned(home, clock, "never") as (window, host):
        kept = await window.memory.add("Tea")
        host.terminate()
        assert await window.memory.get(kept.id) == kept
        assert window.here


async def test_two_windows_find_one_home(home: Home, clock: StepClock) -> None:
    async with orphaned(home, clock, "never") as (one, host), attached(home, clock) as other:
        kept = await one.memory.add("Tea")
        host.kill()
        await host.wait()
        assert (
            await asyncio.gather(one.memory.get(kept.id), other.memory.get(kept.id)) == [kept] * 2
        )
        assert sorted((one.here, other.here)) == [False, True]
        key = new_id()
        guest, owner = (one, other) if other.here else (other, one)
        assert await guest.memory.add(NewMemory("Coffee", key=key)) == await owner.memory.get(key)
        assert isinstance((await whole(guest, new_id()))[-1], TurnFinished)


async def test_a_host_closing_in_good_order_ends_the_turns_it_ran(
    home: Home, clock: StepClock
) -> None:
    story = ScriptedModel([["Once ", "upon ", Gate(asyncio.Event())]])
    async with serving(home, story, clock) as runtime, attached(home, clock) as window:
        events: list[Event] = []
        async for event in window.ask("Tell me a story"):
            events.append(event)
            if isinstance(event, TextDelta) and event.text.strip() == "upon":
                await runtime.end_turns()
        end = events[-1]
        assert isinstance(end, TurnFailed) and end.reason == "host_closed"
        assert end.text == "Once upon "


async def test_what_cannot_be_repeated_is_told(home: Home, clock: StepClock) -> None:
    async with orphaned(home, clock, "/v1/agents") as (window, _):
        with pytest.raises(OutcomeUnknown, match="new agent") as caught:
            await window.agents.new("neo", {"name": "Neo"})
        assert "look" in caught.value.hint
        assert (await window.agents.get("neo")).name == "Neo"  # it had been done


@pytest.mark.deep
async def test_what_was_done_before_is_answered(home: Home, clock: StepClock) -> None:
    async with orphaned(home, clock, "/correct") as (window, _):
        kept = await window.memory.add("Tea")
        new = await window.memory.correct(kept.id, "Coffee")
        assert new.content == "Coffee" and new.version == 2 and window.here
        assert len(await window.memory.list()) == 2
