"""Background work watched and steered from several windows."""

import asyncio
import json
from pathlib import Path

from exports import chatgpt, written
from fakes import StepClock
from hosts import OpenWindow, attached

from skill_agent.events import WorkChanged
from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import NewWork
from skill_agent.workstation import Workstation


async def watched(station: Workstation, begun: asyncio.Event) -> list[WorkChanged]:
    """What a window hears of work until some of it is done."""
    heard: list[WorkChanged] = []
    with station.turns.subscribe() as events:
        begun.set()
        async for event in events:
            if isinstance(event, WorkChanged):
                heard.append(event)
                if event.state == "completed":
                    break
    return heard


async def test_two_windows_watch_one_work(
    open_window: OpenWindow, home: Home, clock: StepClock, tmp_path: Path
) -> None:
    export = written(tmp_path / "conversations.json", [chatgpt(f"c{n}") for n in range(5)])
    model = ScriptedModel(otherwise="All right.")
    async with open_window(model) as (window, runtime), attached(home, clock) as other:
        ready = [asyncio.Event(), asyncio.Event()]
        watching = [
            asyncio.create_task(watched(station, begun))
            for station, begun in zip((window, other), ready, strict=True)
        ]
        for one in ready:
            await one.wait()
        payload = {"path": str(export), "source": "chatgpt", "read": False}
        begun = await window.work.start_here(NewWork(kind="import", payload=payload))
        assert await other.work.get(begun.id[:13]) is not None
        first, second = await asyncio.gather(*watching)
        assert first == second and {one.work for one in first} == {begun.id}
        assert [one.state for one in first][-1] == "completed"
        done = await runtime.work.get(begun.id)
        assert await window.work.get(begun.id) == await other.work.get(begun.id) == done
        assert json.dumps(done.payload) and done.payload["path"] == str(export)


async def test_paused_in_one_window_it_is_resumed_in_another(
    open_window: OpenWindow, home: Home, clock: StepClock, tmp_path: Path
) -> None:
    many = [chatgpt(f"c{n}", ("I like tea.",)) for n in range(1_200)]
    export = written(tmp_path / "conversations.json", many)
    async with open_window(ScriptedModel()) as (window, _), attached(home, clock) as other:
        payload = {"path": str(export), "source": "chatgpt", "read": False, "index": False}
        begun = await window.work.start_here(NewWork(kind="import", payload=payload))
        paused = await other.work.pause(begun.id)
        assert paused.state == "paused" and await window.work.get(begun.id) == paused
        await window.work.resume(begun.id)
        while not (done := await other.work.get(begun.id)).ended:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert done.state == "completed" and "1,200 conversations" in done.result
