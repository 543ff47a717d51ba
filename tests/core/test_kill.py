"""kill -9 in the middle of work: what was acknowledged is there, whole and findable."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes import OpenRuntime

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Search

KILLED = Path(__file__).with_name("killed.py")


def run_and_kill(home: Home, work: str, seconds: float) -> list[list[str]]:
    """Starts the work, kills it after that long since it was ready, gives its acknowledgements."""
    process = subprocess.Popen(
        [sys.executable, str(KILLED), str(home.root), work],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline().strip() == "ready"
    time.sleep(seconds)
    process.kill()
    told, _ = process.communicate()
    lines = told.splitlines()
    whole = lines if told.endswith("\n") else lines[:-1]
    return [line.split() for line in whole]


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.deep) for n in (2, 3))])
async def test_kill_during_an_import(home: Home, open_runtime: OpenRuntime, seed: int) -> None:
    rows = 0
    while not rows:
        told = run_and_kill(home, "import", random.Random(seed).uniform(0.4, 1.5))
        rows = max((int(words[1]) for words in told), default=0)
    async with open_runtime(ScriptedModel()) as runtime:
        assert (await runtime.memory.verify()).problems == ()
        stored = {row["id"] async for row in runtime.memory.export()}
        assert {f"row-{n}" for n in range(rows)} <= stored
        assert len(stored) % 2_000 == 0, "a chunk is there whole or not at all"
        await runtime.memory.settle()
        for number in (0, rows // 2, rows - 1):
            found = await runtime.memory.search(Search(f"fact number {number}", limit=3))
            assert f"row-{number}" in {one.hit.item.id for one in found}


@pytest.mark.parametrize("seed", [4, *(pytest.param(n, marks=pytest.mark.deep) for n in (5, 6))])
async def test_kill_during_turns(home: Home, open_runtime: OpenRuntime, seed: int) -> None:
    memories: set[str] = set()
    replies: set[str] = set()
    dice = random.Random(seed)
    while not memories:
        for words in run_and_kill(home, "turns", dice.uniform(1.0, 2.5)):
            (memories if words[0] == "memory" else replies).add(words[1])
    async with open_runtime(ScriptedModel()) as runtime:
        assert (await runtime.memory.verify()).problems == ()
        assert memories <= {row["id"] async for row in runtime.memory.export()}
        for reply in replies:
            message = await runtime.ledger.message(reply)
            assert message is not None
            assert message.content == "a reply of some words"
        await runtime.memory.settle()
        newest = await runtime.memory.get(max(memories))
        found = await runtime.memory.search(Search(newest.content, limit=3))
        assert newest.id in {one.hit.item.id for one in found}
