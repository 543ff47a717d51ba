"""Turns that an outside program answers, from the message to the ledger."""

from outside_home import OutsideHome, runs, said, the, those

from skill_agent.events import TurnFinished


async def test_it_answers(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        events = await said(runtime, "say Hello")
        assert the(events, TurnFinished).text == "Hello"
    assert not runs(outside.groups[0])
