"""kill -9 while a model reads: the queue is whole, and the next process reads on."""

import subprocess
import sys
from pathlib import Path

from fakes import StepClock
from memory_home import memory_home, reading

from skill_agent.models.scripted import ScriptedModel

KILLED = Path(__file__).with_name("killed_reader.py")
START = 1_000_000
"""Seconds the second process begins after the first."""


def killed(folder: Path) -> list[str]:
    """Sessions queued by a process that was killed in the middle of reading."""
    sessions: list[str] = []
    command = [sys.executable, str(KILLED), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            words = line.split()
            if words[0] == "reading":
                break
            sessions.append(words[1])
        process.kill()
    return sessions


async def test_the_queue_survives(tmp_path: Path, clock: StepClock) -> None:
    sessions = killed(tmp_path)
    assert len(sessions) == 3
    clock.advance(seconds=START)
    async with memory_home(tmp_path, clock) as home:
        reader = home.reader(ScriptedModel(otherwise=reading()))
        waiting = await reader.queue.pending()
        assert [job.session for job in waiting] == sessions
        assert {job.attempts for job in waiting} == {0}
        assert await reader.work() == 3
        assert {job.state for job in await reader.queue.list()} == {"done"}
        assert [await reader.queue.due(one) for one in sessions] == [4, 4, 4]
        assert (await home.book.verify()).problems == ()
