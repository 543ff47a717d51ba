"""Jobs that ask an agent, and what is kept of what they say."""

import asyncio
from typing import Any

import pytest
from fakes import StepClock
from job_home import OpenHost, looked

from skill_agent.events import InboxArrived
from skill_agent.jobs.kinds.silence import is_silent
from skill_agent.models.scripted import Gate, ScriptedModel
from skill_agent.ports import ModelRequest
from skill_agent.values import NewJob, Purge, RunLimits, TurnRequest


@pytest.mark.parametrize(
    ("reply", "silent"),
    [
        ("[SILENT]", True),
        ("  [silent]\n", True),
        ("**[SILENT]**", True),
        ("[SILENT]\nThe build is green, so there is nothing to tell.", True),
        ("The build is green.\n\n[SILENT].", True),
        ("", False),
        ("I would say [SILENT] here, but the build is red.", False),
        ("The build is red.\n[SILENT]\nMend it.", False),
        ("SILENT", False),
    ],
)
def test_what_says_that_there_is_nothing_to_tell(reply: str, silent: bool) -> None:
    assert is_silent(reply) is silent


async def made(station: Any, **more: Any) -> Any:
    return await station.jobs.add(NewJob("every 30m", prompt="What waits?", name="post", **more))


async def test_nobody_watches_and_a_reply_goes_on_there(
    open_host: OpenHost, clock: StepClock
) -> None:
    model = ScriptedModel(["Two mails wait.", "From Ada and Max."])
    async with open_host(model) as station:
        with station.turns.subscribe() as heard:
            await made(station)
            clock.advance(minutes=30)
            await looked(station)
            (run,) = await station.jobs.history("post")
            async for _ in station.turns.ask(TurnRequest("From whom?", session=run.session)):
                pass
            heard.close()
            (arrived,) = [one async for one in heard if isinstance(one, InboxArrived)]
        assert arrived.item == run.inbox and arrived.title == "post"
        assert run.session is not None
        asked, told, more, answered = await station.conversations.messages(run.session)
        assert (asked.content, told.content) == ("What waits?", "Two mails wait.")
        assert (more.content, answered.content) == ("From whom?", "From Ada and Max.")
        assert run.tokens_used > 0 and run.turn == told.turn


async def test_silence_tells_nothing(open_host: OpenHost, clock: StepClock) -> None:
    async with open_host(ScriptedModel(["[SILENT]"])) as station:
        await made(station)
        clock.advance(minutes=30)
        await looked(station)
        (run,) = await station.jobs.history("post")
        assert (run.state, run.silent, run.result, run.inbox) == ("completed", True, "", None)


async def test_a_run_is_held_to_its_tokens(open_host: OpenHost, clock: StepClock) -> None:
    def long(request: ModelRequest) -> str:
        return "word " * min(request.max_tokens, 400)

    model = ScriptedModel(otherwise=long)
    async with open_host(model) as station:
        await made(station, limits=RunLimits(max_tokens=40))
        clock.advance(minutes=30)
        await looked(station)
        assert {one.max_tokens for one in model.requests if one.purpose == "reply"} == {40}


async def test_a_paused_agent_costs_nothing(open_host: OpenHost, clock: StepClock) -> None:
    model = ScriptedModel(otherwise="never")
    async with open_host(model) as station:
        await made(station, agent="luke")
        await station.agents.set_status("luke", "paused")
        clock.advance(minutes=30)
        await looked(station)
        (run,) = await station.jobs.history("post")
        assert (run.state, run.error_kind) == ("failed", "configuration")
        assert run.hint == "ska agents activate luke" and model.requests == []


async def test_what_is_erased_is_gone_and_runs_nothing_anew(
    open_host: OpenHost, clock: StepClock
) -> None:
    secret = "My sister lives at 7 Heron Lane"
    async with open_host(ScriptedModel([secret], otherwise="More.")) as station:
        await made(station)
        await station.jobs.add(NewJob("every 30m", prompt=secret, name="secret"))
        clock.advance(minutes=30)
        await looked(station)
        done = (await station.jobs.history("post"))[0]
        await station.ledger.purge(Purge(sessions=(done.session or "",), actor="person"))
        await looked(station)
        (run,) = await station.jobs.history("post")
        assert (run.state, run.due, run.result, run.session) == (
            "completed", done.due, "", None,
        )  # fmt: skip
        kept = await station.memory.add(secret)
        plan = await station.eraser.plan([kept.id])
        await station.eraser.erase([kept.id], expected=plan.digest)
        assert "secret" not in [one.name for one in await station.jobs.list()]
        rows = await station.ledger.log(limit=1000)
        assert not [one for one in rows if "Heron" in str(one.new)]
        clock.advance(minutes=30)
        await looked(station)
        assert len(await station.jobs.history("post")) == 2


async def test_keys_are_masked(open_host: OpenHost, clock: StepClock) -> None:
    key = "sk-proj-" + "a1B2c3D4" * 6
    async with open_host(ScriptedModel([f"The key is {key}."])) as station:
        job = await station.jobs.add(NewJob("every 30m", prompt=f"Use {key}", name="post"))
        assert key not in job.prompt
        clock.advance(minutes=30)
        await looked(station)
        rows = await station.ledger.log(limit=1000)
        assert not [one for one in rows if key in str(one.new)]


async def test_turns_that_run_are_not_left_behind(open_host: OpenHost, clock: StepClock) -> None:
    """Closed in the middle, a run is told as cut short, and the next opening knows it."""
    gate = asyncio.Event()
    async with open_host(ScriptedModel([["Two ", Gate(gate)]])) as station:
        await made(station)
        clock.advance(minutes=30)
        await station._automation.jobs.engine.look()
        while not await station.turns.list():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    async with open_host(ScriptedModel(otherwise="x")) as station:
        (run,) = await station.jobs.history("post")
        assert run.state == "failed" and "closed" in run.error
