"""Many tasks at once: nothing lost, nothing doubled, one unbroken chain."""

import asyncio

from skill_agent.errors import StoreError
from skill_agent.values import MemoryFilter


async def test_a_thousand_writes_from_fifty_tasks_lose_nothing(ledger, make, open_ledger):
    session = await ledger.create_session(make.session())

    async def work(task: int) -> None:
        for number in range(10):
            await ledger.write_memories([make.created(f"{task}/{number}")])
            await ledger.save_message(make.message(session, f"{task}/{number}"))

    await asyncio.gather(*(work(task) for task in range(50)))
    await ledger.close()

    again = await open_ledger()
    expected = {f"{task}/{number}" for task in range(50) for number in range(10)}
    assert {m.content for m in await again.memories(MemoryFilter(limit=5000))} == expected
    messages = await again.messages(session.id)
    assert {m.content for m in messages} == expected
    assert [m.position for m in messages] == list(range(500))
    assert await again.counts() == {
        "sessions": 1,
        "messages": 500,
        "memories": 500,
        "log": 1001,
    }
    assert (await again.verify()).problems == ()


async def test_a_cancelled_caller_leaves_the_ledger_whole(ledger, make):
    tasks = [asyncio.create_task(ledger.write_memories([make.created()])) for _ in range(50)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    kept = sum(1 for result in results if not isinstance(result, BaseException))
    assert kept >= 25
    assert kept <= (await ledger.counts())["memories"] <= 50
    assert (await ledger.verify()).problems == ()


async def test_one_bad_write_among_many_fails_alone(ledger, make):
    """Writes that wait together share a transaction; a failing one must not take others along."""
    session = await ledger.create_session(make.session())
    stray = make.message(make.session(), "belongs nowhere")
    good = [make.message(session, f"line {number}") for number in range(40)]
    writes = [ledger.save_message(m) for m in [*good[:20], stray, *good[20:]]]
    results = await asyncio.gather(*writes, return_exceptions=True)
    failed = [result for result in results if isinstance(result, BaseException)]
    assert len(failed) == 1
    assert isinstance(failed[0], StoreError)
    stored = await ledger.messages(session.id)
    assert {m.content for m in stored} == {m.content for m in good}
    assert [m.position for m in stored] == list(range(40))
    assert (await ledger.verify()).problems == ()
