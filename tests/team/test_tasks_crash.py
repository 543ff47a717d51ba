"""kill -9 at each stage of a task, and homes that are closed under one: nothing runs twice, and
nothing stays open that nobody works on."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import HashEmbedder
from giving import ended, engine, in_state, task
from in_process import open_in_process

from skill_agent.files.home import Home
from skill_agent.identifiers import new_id
from skill_agent.models.scripted import Gate, ScriptedGateway, ScriptedModel
from skill_agent.team.tasks.tasks import CUT_SHORT

DIES = Path(__file__).with_name("dies_at_task.py")


def killed(home: Home, stage: str, *how: str) -> str:
    """Gives the key of the task at which the process died."""
    key = new_id()
    done = subprocess.run(
        [sys.executable, str(DIES), str(home.root), key, stage, *how],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == -9, done.stdout + done.stderr
    return key


def opened(home: Home, model: ScriptedModel, **more: Any) -> Any:
    gateway = ScriptedGateway(model)
    return open_in_process(home.root, gateway=gateway, embedder=HashEmbedder(), **more)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("stage", "result", "attempt", "calls"),
    [
        ("after 1", "Again.", 1, 1),
        ("after 2", "Again.", 2, 1),
        ("reply", "Again.", 2, 1),
        ("before 3", "The whole reply.", 1, 0),
        ("after 3", "The whole reply.", 1, 0),
    ],
)
async def test_one_that_nobody_waits_for_is_taken_up_again(
    home: Home, stage: str, result: str, attempt: int, calls: int
) -> None:
    key = await asyncio.to_thread(killed, home, stage)
    model = ScriptedModel(otherwise="Again.")
    async with opened(home, model, hosting=True) as runtime:
        done = await ended(runtime, key)
        assert (done.status, done.result, done.attempt) == ("completed", result, attempt)
        replies = [one for one in model.requests if one.purpose == "reply"]
        assert len(replies) == calls
        assert (await runtime.memory.verify()).problems == ()
        assert await runtime.tasks.list(status="in_progress") == []


async def test_whose_asker_is_gone_is_cut_short_and_goes_on_when_asked_again(home: Home) -> None:
    key = await asyncio.to_thread(killed, home, "reply", "waits")
    model = ScriptedModel(otherwise="Again.")
    async with opened(home, model, hosting=True) as runtime:
        found = await runtime.tasks.get(key)
        assert (found.status, found.error, found.dead) == ("failed", CUT_SHORT, False)
        done = await engine(runtime).run(task("Look at it", key=key))
        assert (done.status, done.result, done.attempt) == ("completed", "Again.", 2)
        assert await engine(runtime).run(task("Look at it", key=key)) == done


async def test_what_was_said_already_is_not_asked_for_again(home: Home) -> None:
    key = await asyncio.to_thread(killed, home, "before 3", "waits")
    model = ScriptedModel(otherwise="Again.")
    async with opened(home, model) as runtime:
        done = await engine(runtime).run(task("Look at it", key=key))
        assert (done.status, done.result) == ("completed", "The whole reply.")
        assert model.requests == []


async def test_a_process_that_does_not_stay_leaves_it_to_one_that_does(home: Home) -> None:
    key = await asyncio.to_thread(killed, home, "after 2")
    async with opened(home, ScriptedModel()) as runtime:
        assert (await runtime.tasks.get(key)).status == "in_progress"
        assert (await runtime.tasks.cancel(key, reason="never mind")).error == "never mind"
    async with opened(home, ScriptedModel(), hosting=True) as runtime:
        assert (await runtime.tasks.get(key)).status == "cancelled"


@pytest.mark.deep
async def test_found_too_late_its_time_is_up(home: Home) -> None:
    key = await asyncio.to_thread(killed, home, "after 2")
    later = datetime.now(UTC) + timedelta(hours=1)
    async with opened(home, ScriptedModel(), hosting=True, clock=lambda: later) as runtime:
        found = await runtime.tasks.get(key)
        assert (found.status, found.dead) == ("timed_out", True)
        assert [one.id for one in await runtime.tasks.list(dead=True)] == [key]


@pytest.mark.deep
async def test_closed_under_it_it_is_taken_up_again(home: Home) -> None:
    never = asyncio.Event()
    half = ScriptedModel(otherwise=["Half ", Gate(never), "done."])
    async with opened(home, half, create=True) as runtime:
        made = await runtime.tasks.delegate(task())
        waiting = asyncio.create_task(engine(runtime).run(task("Another")))
        await in_state(runtime, made.id, "in_progress")
        while len(half.requests) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert (await waiting).status == "cancelled"
    async with opened(home, ScriptedModel(otherwise="Whole."), hosting=True) as runtime:
        done = await ended(runtime, made.id)
        assert (done.status, done.result, done.attempt) == ("completed", "Whole.", 2)
        other = (await runtime.tasks.list(status="failed"))[0]
        assert other.error == CUT_SHORT
