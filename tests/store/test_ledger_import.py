"""Thousands of rows at once: all of them, once, with the same proof as one by one."""

from dataclasses import replace

import pytest

from skill_agent.errors import StoreError
from skill_agent.values import Source


async def test_an_import_is_idempotent_and_leaves_conflicts_alone(ledger, make):
    memories = [make.memory(source_type="import") for _ in range(500)]
    first = await ledger.import_memories(memories, actor="user")
    assert (first.added, first.skipped, first.conflicts) == (500, 0, ())
    changed = replace(memories[0], content="Something else.")
    fresh = make.memory()
    second = await ledger.import_memories([changed, *memories[1:], fresh], actor="user")
    assert (second.added, second.skipped, second.conflicts) == (1, 499, (changed.id,))
    assert await ledger.memory(changed.id) == memories[0]
    assert await ledger.last_seq() == 501
    assert (await ledger.verify()).problems == ()


async def test_a_later_life_is_no_conflict(ledger, make, clock):
    memory = make.memory()
    await ledger.import_memories([memory], actor="user")
    later = replace(memory, pinned=True, tier="hot", updated_at=clock())
    assert (await ledger.import_memories([later], actor="user")).skipped == 1
    assert await ledger.memory(memory.id) == memory


async def test_one_file_may_repeat_itself(ledger, make):
    memory = make.memory()
    other = replace(memory, content="other")
    result = await ledger.import_memories([memory, memory, other], actor="user")
    assert (result.added, result.skipped, result.conflicts) == (1, 1, (memory.id,))


async def test_imported_rows_are_the_same_as_written_ones(ledger, make):
    memory = make.memory(
        source=Source(session="s", message_ids=("m",)), metadata={"a": [1]}, agent="kyra"
    )
    await ledger.import_memories([memory], actor="user")
    assert await ledger.memory(memory.id) == memory
    (entry,) = await ledger.log(memory.id)
    assert entry.kind == "memory.imported"


async def test_an_empty_import_does_nothing(ledger):
    result = await ledger.import_memories([], actor="user")
    assert (result.added, await ledger.last_seq()) == (0, 0)


async def test_one_bad_row_leaves_nothing_of_the_call(ledger, make):
    memories = [make.memory() for _ in range(10)]
    bad = make.memory("\ud800")
    with pytest.raises(StoreError, match="Unicode"):
        await ledger.import_memories([*memories, bad], actor="user")
    assert await ledger.counts() == {"sessions": 0, "messages": 0, "memories": 0, "log": 0}
    assert (await ledger.import_memories(memories, actor="user")).added == 10
