"""kill -9 under the whole load: a short run of the crash test in `benchmarks/crash.py`."""

import pytest
from crash import Trial
from crash_check import Acknowledged

from skill_agent.files.home import Home


@pytest.mark.deep
@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_acknowledged_is_lost(home: Home, seed: int) -> None:
    trial = Trial(home.root, seed, patience=4.0)
    for _ in range(2):
        trial.kill_one()
        assert await trial.check() == []
    assert trial.told.lines["added"] + trial.told.lines["reply"]


async def test_the_check_sees_what_is_missing(home: Home) -> None:
    trial = Trial(home.root, 3, patience=1.0)
    trial.kill_one()
    lies = Acknowledged()
    for line in ("added m1 a fact", "reply m2 a reply", "compacted s1"):
        lies.take(line)
    trial.told = lies
    told = "\n".join(await trial.check())
    assert "memory m1 is missing" in told
    assert "reply m2 is missing" in told
    assert "session s1 was summed up 1 times, the log knows of 0" in told
