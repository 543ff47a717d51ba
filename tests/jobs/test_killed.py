"""Real processes killed while they run a job, and two that want to be host at the same time."""

import asyncio
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes import HashEmbedder, StepClock
from in_process import open_in_process
from job_home import World, looked
from skill_agent.cli.opening.home import open_home
from skill_agent.store.lock import HomeLock

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.values import NewJob

DIES = Path(__file__).with_name("dies_in_run.py")
STATES = {0: "completed", 1: "completed", 2: "unknown", 3: "completed"}
"""What a run comes to whose process was killed in the place of its n-th note."""


@pytest.mark.deep
@pytest.mark.parametrize("note", STATES)
async def test_killed_between_every_two_states(tmp_path: Path, note: int) -> None:
    world = World(tmp_path)
    async with world.open() as parts:
        await parts.operations.add(NewJob("0 * * * *", kind="expire", name="job", timezone="UTC"))
    killed = await asyncio.create_subprocess_exec(
        sys.executable, str(DIES), str(tmp_path), str(note), "1", stdout=subprocess.PIPE
    )
    said, _ = await killed.communicate()
    assert (said, killed.returncode) == (b"", -signal.SIGKILL)
    world.clock.advance(hours=1, minutes=1)
    async with world.open() as parts:
        await looked(parts)
        (run,) = await parts.operations.history("job")
        assert run.state == STATES[note]
    async with world.open() as parts:
        await looked(parts)
        assert len(await parts.operations.history("job")) == 1


@pytest.mark.deep
async def test_of_two_hosts_one_runs_it(home: Home) -> None:
    """Both are told to stay; one holds the home, the other stands by, and the job runs once."""
    async with open_in_process(
        home.root, create=True, gateway=ScriptedGateway(ScriptedModel(otherwise="Yes.")),
        embedder=HashEmbedder(),
    ) as runtime:  # fmt: skip
        soon = datetime.now(UTC) + timedelta(seconds=20)
        await runtime.jobs.add(NewJob(soon.isoformat(), kind="expire", name="once"))
    command = [sys.executable, "-m", "skill_agent.cli", "--home", str(home.root), "up",
               "--foreground"]  # fmt: skip
    hosts = [
        await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL) for _ in "12"
    ]
    try:
        await _ran(home, soon)
    finally:
        for one in hosts:
            with suppress(ProcessLookupError):  # the slower one may have given up
                one.terminate()
        await asyncio.gather(*(one.wait() for one in hosts))
    async with open_in_process(home.root) as runtime:
        (run,) = await runtime.jobs.history("once")
        assert (run.state, run.fence) == ("completed", 1)


async def _ran(home: Home, soon: datetime) -> None:
    """Returns once a host has had its time, and says that the job is over."""
    await asyncio.sleep((soon - datetime.now(UTC)).total_seconds())
    async with open_home(home.root) as window:
        while (await window.jobs.get("once")).status != "ended":  # noqa: ASYNC110
            await asyncio.sleep(0.2)


async def test_what_is_due_is_done_after_a_command(home: Home) -> None:
    """A home that was made fifty hours ago, and that no host has held since."""
    then = StepClock(datetime.now(UTC) - timedelta(hours=50))
    async with open_in_process(home.root, create=True, clock=then) as runtime:
        await runtime.memory.add("The staging server is called heron")
    command = [sys.executable, "-m", "skill_agent.cli", "--home", str(home.root)]
    asked = await asyncio.create_subprocess_exec(
        *command, "memory", "list", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    told, narrated = await asked.communicate()
    assert b"heron" in told and b"job" not in narrated
    while not home.backups.exists() or HomeLock(home.lock).holder() is not None:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    async with open_in_process(home.root) as runtime:
        for chore in ("consolidate", "expire", "backup"):
            (run, *_) = await runtime.jobs.history(chore)
            assert (run.state, run.late) == ("completed", True)
        assert len(await runtime.backups.list()) == 1
