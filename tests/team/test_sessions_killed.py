"""kill -9 in a collaboration: the next opening goes on after what was finished."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
from dies_together import TEAM, goal, speaking
from fakes import OpenRuntime

from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Collaboration, Pattern

DIES = Path(__file__).with_name("dies_together.py")


async def ended(runtime: Runtime, one: Collaboration) -> Collaboration:
    sessions = runtime._team.sessions
    if (running := sessions._running.get(one.id)) is not None:
        await asyncio.wait([running.task])
    return await sessions.get(one.id)


def replies(model: ScriptedModel) -> int:
    return sum(one.purpose == "reply" for one in model.requests)


@pytest.mark.deep
async def test_killed_at_the_second_reply(home: Home, open_runtime: OpenRuntime) -> None:
    await killed_at(2, 3, "supervisor_worker", home, open_runtime)


@pytest.mark.deep
@pytest.mark.parametrize("pattern", TEAM)
async def test_killed_at_each_reply(home: Home, open_runtime: OpenRuntime, pattern: str) -> None:
    named = cast(Pattern, pattern)
    model = speaking()
    async with open_runtime(model) as runtime:
        whole = await runtime._team.sessions.run(goal(named))
    assert whole.status == "completed" and len(whole.participants) == len(TEAM[pattern])
    total = replies(model)
    for number in range(1, total + 1):
        done = await killed_at(number, total, named, home, open_runtime)
        assert done.stages_completed == whole.stages_completed


async def killed_at(
    number: int, total: int, pattern: Pattern, home: Home, open_runtime: OpenRuntime
) -> Collaboration:
    """What became of one whose process was killed as it asked for a reply, of so many in all."""
    command = [sys.executable, str(DIES), str(home.root), pattern, str(number)]
    killed = await asyncio.to_thread(subprocess.run, command, check=False)
    assert killed.returncode == -9
    after = speaking()
    async with open_runtime(after) as runtime:
        (left,) = [one for one in await runtime.collaborations.list() if not one.ended]
        assert len(left.stage_outputs) == number - 1
        assert all(one.output for one in left.stage_outputs)
        assert await runtime._team.sessions.take_up() == 1
        done = await ended(runtime, left)
        assert (done.status, done.error) == ("completed", "")
        assert replies(after) == total - number + 1, "what was finished is not done again"
        assert done.stage_outputs[: number - 1] == left.stage_outputs
        messages = await runtime.conversations.messages(done.conversation or "")
        assert [one.content for one in messages] == [done.goal, done.final_output]
        (state,) = await runtime.turns.of_session(done.conversation or "")
        assert state.state == "finished"
        assert (await runtime.memory.verify()).problems == ()
        return done
