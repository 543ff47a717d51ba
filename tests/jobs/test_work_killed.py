"""kill -9 while work is under way: the next host goes on with it, or says that nobody knows."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from errands import Once, Slices, ended, inbox, rows, working
from fakes import HashEmbedder
from in_process import open_in_process

from skill_agent.files.home import Home
from skill_agent.identifiers import new_id
from skill_agent.jobs.work.doing import CUT_SHORT
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel

DIES = Path(__file__).with_name("dies_at_work.py")


def killed(home: Home, when: str, *how: str) -> str:
    """Gives the key of the work at which the process died."""
    key = new_id()
    done = subprocess.run(
        [sys.executable, str(DIES), str(home.root), key, when, *how],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == -9, done.stdout + done.stderr
    return key


def opened(home: Home):
    gateway = ScriptedGateway(ScriptedModel())
    return open_in_process(home.root, gateway=gateway, embedder=HashEmbedder())


@pytest.mark.deep
@pytest.mark.parametrize(
    ("when", "attempts", "slices"),
    [("note 1", 1, 4), ("note 2", 2, 4), ("slice 1", 2, 4), ("slice 3", 2, 4), ("note 3", 1, 0)],
)
async def test_killed_at_each_stage_it_is_done_once_more(
    home: Home, when: str, attempts: int, slices: int
) -> None:
    key = await asyncio.to_thread(killed, home, when)
    kind = Slices()
    async with opened(home) as runtime, working(runtime, kind) as work:
        done = await ended(work, key)
        assert (done.state, done.result, done.attempts) == ("completed", "4 slices", attempts)
        assert len(kind.done) == slices
        while await inbox(runtime) != ["Slices: done"] and slices == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        assert [one.id for one in await work.list()] == [key]
        assert (await runtime.memory.verify()).problems == ()
        states = [one["state"] for one in await rows(runtime, key)]
        assert states.count("completed") <= 2 and states[-1] == "completed"


@pytest.mark.deep
async def test_killed_at_what_may_not_be_begun_again_it_has_failed(home: Home) -> None:
    key = await asyncio.to_thread(killed, home, "slice 2", "once")
    kind = Once()
    async with opened(home) as runtime, working(runtime, kind) as work:
        failed = await ended(work, key)
        assert (failed.state, failed.error, kind.begun) == ("failed", CUT_SHORT, [])
        while await inbox(runtime) != ["Slices: failed"]:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
