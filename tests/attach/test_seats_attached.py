"""A handover as another window sees it, and as a client over HTTP drives it."""

import asyncio

from hosts import OpenWindow
from team_talk import Chooses, begun, events_of, one

from skill_agent.events import ApprovalAsked, HandedOff, TurnFinished, TurnStarted
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import TurnRequest

SHY = {"name": "Shy", "boundaries": {"escalates_to": "luke", "max_autonomy": "ask"}}


async def test_a_window_hears_asks_and_answers(open_window: OpenWindow) -> None:
    async with open_window(ScriptedModel(otherwise="ok")) as (window, runtime):
        await window.agents.new("shy", SHY)
        session = one(await events_of(window.ask("hello", agent="shy")), TurnStarted).session
        Chooses(agent="luke", escalated_from="shy").put_into(runtime)
        heard: list[object] = []
        async for event in window.turns.ask(TurnRequest("a recipe", session=session)):
            heard.append(event)
            if isinstance(event, ApprovalAsked):
                assert await window.approvals.answer(event.approval, "once")
        moved = [event for event in heard if isinstance(event, HandedOff)]
        assert [(event.came_from, event.agent) for event in moved] == [("shy", "luke")]
        assert isinstance(heard[0], TurnStarted) and isinstance(heard[-1], TurnFinished)
        assert heard[-1].agent == (await window.conversations.find(session)).agent == "luke"
        (moment,) = await window.seats.history(session)
        assert moment.id == moved[0].id and moment.turn == moved[0].turn


async def test_a_change_from_elsewhere_is_heard_once(open_window: OpenWindow) -> None:
    async with open_window(ScriptedModel(otherwise="ok")) as (window, runtime):
        session = await begun(runtime)
        with window.turns.subscribe(session=session) as events:
            await runtime.seats.hand_over(session, "luke", reason="hens")
            await window.seats.go_back(session)
            told = [await asyncio.wait_for(events.next(), 30) for _ in range(2)]
        assert [event.line for event in told] == [
            "kyra hands over to luke: hens",
            "luke hands over to kyra: the user asked for it",
        ]
