"""The workstation attached to a host in another process that dies on cue."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel

MORTAL = Path(__file__).parent.parent / "attach" / "mortal_host.py"


@asynccontextmanager
async def dying(home: Home, mode: str) -> AsyncIterator[None]:
    """Another process that serves the home and kills itself as `mode` says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(MORTAL), str(home.root), mode, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def said(seat) -> list[str]:
    """What the person said in the conversation shown, as the ledger has it."""
    messages = await seat.app.runtime.conversations.messages(seat.talk.session_id)
    return [one.content for one in messages if one.role == "user"]


def status(seat) -> str:
    return str(seat.talk.query_one("#status").render())


@pytest.mark.deep
async def test_a_reply_cut_short_is_told_and_what_waits_is_sent(sit, join, home: Home) -> None:
    model = ScriptedModel(otherwise="From here on.")
    async with dying(home, "middle"), sit(lambda: join(model), size=(120, 30)) as seat:
        await seat.say("first")
        await seat.say("second")
        await seat.press(*"third, half ty")
        await seat.until(lambda: "went away; your message is saved" in seat.shown())
        await seat.until(lambda: "From here on." in seat.shown())
        await seat.press(*"ped")
        assert seat.talk.composer.text == "third, half typed"
        assert "taking over" not in status(seat)
        assert await said(seat) == ["first", "second"]


@pytest.mark.deep
async def test_a_message_the_host_never_saved_is_answered_here(sit, join, home: Home) -> None:
    model = ScriptedModel(otherwise="From here on.")
    async with dying(home, "before"), sit(lambda: join(model), size=(120, 30)) as seat:
        await seat.say("first")
        await seat.until(lambda: "From here on." in seat.shown())
        assert await said(seat) == ["first"]
        assert seat.shown().count("first") == 1


@pytest.mark.deep
async def test_a_message_saved_but_never_acknowledged_is_not_run_again(
    sit, join, home: Home
) -> None:
    model = ScriptedModel(otherwise="From here on.")
    async with dying(home, "answer"), sit(lambda: join(model), size=(120, 30)) as seat:
        await seat.say("first")
        await seat.until(lambda: "went away; your message is saved" in seat.shown())
        await seat.say("second")
        await seat.until(lambda: "From here on." in seat.shown())
        assert await said(seat) == ["first", "second"]
        assert model.requests[-1].messages[-1].content.endswith("second")


@pytest.mark.deep
async def test_a_reply_saved_but_never_told_is_shown(sit, join, home: Home) -> None:
    model = ScriptedModel(otherwise="From here on.")
    async with dying(home, "finished"), sit(lambda: join(model), size=(120, 30)) as seat:
        await seat.say("first")
        await seat.until(lambda: "It was a dark and stormy night." in seat.shown())
        await seat.until(lambda: not seat.talk.turns.of(seat.talk.session_id))
        assert "went away" not in seat.shown()
        assert await said(seat) == ["first"]


@pytest.mark.deep
async def test_the_memory_screen_outlives_its_host(sit, join, home: Home) -> None:
    model = ScriptedModel(otherwise="From here on.")
    async with dying(home, "/pin"), sit(lambda: join(model), size=(120, 30)) as seat:
        await seat.app.runtime.memory.add("I deploy on Fridays")
        await seat.look()
        await seat.press("p")
        await seat.until(lambda: seat.memory.listing.memories[0].pinned)
