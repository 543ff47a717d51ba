"""The queue of what is to be read: folded from the log, whatever happened to the process."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import StepClock
from memory_home import MemoryHome, memory_home

from skill_agent.errors import NotFound
from skill_agent.memory.extraction.queue import MAX_ATTEMPTS, ExtractionQueue, pause

SOON = timedelta(seconds=5)
"""The clock of a test moves a second each time it is read."""


@pytest.fixture
async def home(tmp_path: Path, clock: StepClock) -> AsyncIterator[MemoryHome]:
    async with memory_home(tmp_path, clock) as opened:
        yield opened


@pytest.fixture
def queue(home: MemoryHome) -> ExtractionQueue:
    return ExtractionQueue(home.ledger, home.clock)


def again(queue: ExtractionQueue, home: MemoryHome) -> ExtractionQueue:
    """The queue as the next process finds it."""
    return ExtractionQueue(home.ledger, home.clock)


async def test_a_job_goes_its_way(queue: ExtractionQueue, home: MemoryHome) -> None:
    job = await queue.queue("s", "kyra", 0, 20, "messages")
    assert await queue.pending() == [job]
    running = await queue.start(job)
    assert await queue.pending() == []
    done = await queue.finish(running, passes=2, model="m", created=3, skipped=1)
    assert (await queue.list(("done",))) == [done]
    (later,) = await again(queue, home).list()
    assert (later.state, later.passes, later.created, later.skipped) == ("done", 2, 3, 1)
    assert await again(queue, home).due("s") == 20


async def test_what_was_begun_and_not_ended_waits_again(
    queue: ExtractionQueue, home: MemoryHome
) -> None:
    job = await queue.start(await queue.queue("s", "kyra", 0, 20, "idle"))
    (waiting,) = await again(queue, home).pending()
    assert (waiting.id, waiting.attempts) == (job.id, 0)
    queue.put_back(job)
    assert [one.id for one in await queue.pending()] == [job.id]


async def test_a_failure_is_tried_again_later_and_later(
    queue: ExtractionQueue, home: MemoryHome
) -> None:
    job = await queue.queue("s", "kyra", 0, 20, "idle")
    for attempt in range(1, MAX_ATTEMPTS):
        job = await queue.fail(await queue.start(job), "the model is away")
        assert job.next_try
        assert timedelta(0) <= pause(attempt) - (job.next_try - home.clock.now) < SOON
        assert await queue.pending() == []
        (other,) = await again(queue, home).list(("failed",))
        assert (other.attempts, other.error) == (attempt, "the model is away")
        assert other.next_try == job.next_try
        home.clock.advance(seconds=pause(attempt).total_seconds())
        assert len(await queue.pending()) == len(await again(queue, home).pending()) == 1
    job = await queue.fail(await queue.start(job), "the model is away")
    assert (job.attempts, job.next_try) == (MAX_ATTEMPTS, None)
    home.clock.advance(days=100)
    assert await queue.pending() == await again(queue, home).pending() == []
    waiting = await queue.retry(job.id[:20])
    assert (waiting.state, waiting.attempts) == ("waiting", 0)
    assert [one.id for one in await again(queue, home).pending()] == [job.id]


def test_pauses() -> None:
    minutes = [pause(n) / timedelta(minutes=1) for n in (1, 2, 3, 9, 10, 99)]
    assert minutes == [1, 2, 4, 256, 360, 360]


async def test_due_counts_what_waits_and_what_was_read(queue: ExtractionQueue) -> None:
    assert await queue.due("s") == 0
    await queue.queue("s", "kyra", 0, 40, "idle")
    await queue.queue("s", "kyra", 40, 60, "idle")
    await queue.queue("t", "kyra", 0, 10, "idle")
    assert (await queue.due("s"), await queue.due("t")) == (60, 10)


async def test_rules_have_a_mark_of_their_own(queue: ExtractionQueue, home: MemoryHome) -> None:
    await queue.skim("s", 0, 8, {"created": 1})
    assert (await queue.skimmed("s"), await queue.due("s")) == (8, 0)
    other = again(queue, home)
    assert (await other.skimmed("s"), await other.due("s")) == (8, 0)
    assert await other.list() == []


async def test_no_secret_of_an_error_is_kept(queue: ExtractionQueue, home: MemoryHome) -> None:
    job = await queue.queue("s", "kyra", 0, 20, "idle")
    failed = await queue.fail(job, "401 for api_key=sk-abcdefghijklmnopqrstuvwx " + "x" * 900)
    assert "sk-abc" not in failed.error
    assert len(failed.error) <= 300


async def test_a_session_knows_its_jobs(queue: ExtractionQueue, home: MemoryHome) -> None:
    session = await home.session("hello")
    job = await queue.queue(session.id, "kyra", 0, 2, "closed")
    assert job.id in {entry.entity for entry in await home.ledger.log(session.id)}


async def test_an_unknown_job_is_refused(queue: ExtractionQueue) -> None:
    for wrong in ("nothing", ""):
        with pytest.raises(NotFound):
            await queue.retry(wrong)
