"""Whatever happens in whatever order: each fire time of a job gets exactly one outcome."""

import asyncio
import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from job_home import World, looked

from skill_agent.errors import ModelUnavailable, UsageError
from skill_agent.jobs.kinds.kind import Outcome
from skill_agent.jobs.parts import JobParts
from skill_agent.values import JobRun, NewJob

STEPS = 12


async def lived(folder: Path, chance: random.Random) -> None:
    """A job's life: looks, sleeps, failures, kills and closings by chance."""
    world = World(folder, settings={"jobs": {"give_up_after": 100}})
    async with world.open() as parts:
        await parts.operations.add(
            NewJob(
                "*/20 * * * *", kind="expire", name="job", timezone="UTC",
                catch_up=chance.random() < 0.7,
            )
        )  # fmt: skip
    begun = world.clock.now
    for _ in range(STEPS):
        world.clock.advance(minutes=chance.choice((1, 7, 20, 20, 25, 90)))
        world.doing.outcomes = [_by_chance(chance) for _ in range(3)]
        if chance.random() < 0.5:
            await _killed(world, chance.randrange(5))
        else:
            async with world.open(hosting=chance.random() < 0.9) as parts:
                for _ in range(chance.randrange(3)):
                    await looked(parts)
                    world.clock.advance(minutes=chance.choice((1, 20)))
    async with world.open() as parts:
        for _ in range(4):  # until what waits to be tried again has ended
            await looked(parts)
            world.clock.advance(minutes=16)
        await looked(parts)
        found = await parts.operations.history("job", limit=1000)
        _check(found, begun, world.clock.now)


def _by_chance(chance: random.Random) -> Outcome | Exception:
    return chance.choice(
        (Outcome(text="done"), Outcome(), ModelUnavailable("busy"), UsageError("no"))
    )


async def _killed(world: World, note: int) -> None:
    async with world.open(dies_at=note) as parts:
        ledger = parts.book._records._ledger
        living = asyncio.create_task(_live(parts))
        dying = asyncio.create_task(ledger.dead.wait())  # type: ignore[attr-defined]
        await asyncio.wait({living, dying}, return_when="FIRST_COMPLETED")
        for one in (living, dying):
            one.cancel()
        await asyncio.gather(living, dying, return_exceptions=True)


async def _live(parts: JobParts) -> None:
    await parts.begin()
    await parts.runs.settled()


def _check(found: list[JobRun], begun: datetime, now: datetime) -> None:
    assert all(one.ended for one in found), found
    outcomes = list[datetime]()
    for one in found:
        every = [one.due + timedelta(minutes=20) * n for n in range(one.fire_times)]
        assert every[-1] == (one.last_due or one.due)
        outcomes += every
    first = begun.replace(minute=begun.minute // 20 * 20, second=0, microsecond=0)
    wanted = list[datetime]()
    while (first := first + timedelta(minutes=20)) <= now:
        wanted.append(first)
    assert sorted(outcomes) == wanted


@pytest.mark.parametrize("seed", range(3))
async def test_each_fire_time_has_one_outcome(tmp_path: Path, seed: int) -> None:
    await lived(tmp_path, random.Random(seed))


@pytest.mark.deep
async def test_each_fire_time_has_one_outcome_in_many_lives(tmp_path: Path) -> None:
    for seed in range(100, 160):
        folder = tmp_path / f"life {seed}"
        await asyncio.to_thread(folder.mkdir)
        await lived(folder, random.Random(seed))
