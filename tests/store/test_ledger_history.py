"""Any moment can be rebuilt: random histories, each of their states, from the log alone."""

import asyncio
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fakes import StepClock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from searching import fewer
from skill_agent.store.duckdb_ledger.ledger import DuckLedger

from skill_agent.values import MEMORY_TYPES, Memory, MemoryChange, Source

MOMENT = datetime(2026, 11, 20, tzinfo=UTC)
IDS = ("memory-a", "memory-b", "memory-c")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
names = st.none() | st.sampled_from(("", "kyra", "luke", "Zoë ☂"))
memories = st.builds(
    Memory,
    id=st.sampled_from(IDS),
    content=st.text(max_size=20),
    created_at=st.datetimes(timezones=st.just(UTC)),
    updated_at=st.just(MOMENT),
    memory_type=st.sampled_from(MEMORY_TYPES),
    subject=names,
    importance=st.integers(1, 10),
    confidence=st.floats(0, 1),
    agent=names,
    user=names,
    status=st.sampled_from(("active", "superseded", "archived", "disputed")),
    pinned=st.booleans(),
    source=st.builds(Source, session=names, message_ids=st.lists(st.text(max_size=3)).map(tuple)),
    superseded_by=names,
    contradicts=st.lists(st.sampled_from(IDS), max_size=2).map(tuple),
    expires_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    metadata=st.dictionaries(st.text(max_size=3), json_values, max_size=2),
)
steps = st.lists(
    st.tuples(st.sampled_from(("write", "import", "note")), st.lists(memories, max_size=3)),
    max_size=6,
)


async def played(history: list[tuple[str, list[Memory]]], path: Path) -> None:
    """Runs a history and compares every state it went through with the one the log gives."""
    clock = StepClock()
    ledger = await DuckLedger.open(path, clock)
    expected: dict[str, Memory] = {}
    states = [(clock.now, dict(expected))]
    for kind, batch in history:
        match kind:
            case "write":
                await ledger.write_memories(
                    [MemoryChange(kind="memory.x", memory=m, actor="user") for m in batch]
                )
                expected.update({memory.id: memory for memory in batch})
            case "import":
                await ledger.import_memories(batch, actor="user")
                expected = {**{m.id: m for m in reversed(batch)}, **expected}
            case _:
                data = {"memories": [memory.id for memory in batch]}
                await ledger.note("recalled", "turn", actor="kyra", data=data)
        states.append((clock.now, dict(expected)))
    for moment, state in states:
        rebuilt = await ledger.state_at(moment)
        assert {memory.id: memory for memory in rebuilt} == state
    assert await ledger.memories_by_id(IDS) == expected
    assert (await ledger.verify()).problems == ()
    await ledger.close()


@settings(max_examples=fewer(2), suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_every_state_can_be_rebuilt(history):
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(played(history, Path(folder) / "ledger.duckdb"))


async def test_before_the_first_row_there_was_nothing(ledger, make, clock):
    start = clock.now
    (memory,) = await ledger.write_memories([make.created()])
    between = clock.now
    await ledger.write_memories(
        [MemoryChange(kind="memory.archived", memory=replace(memory, status="archived"), actor="u")]
    )
    assert await ledger.state_at(start) == []
    assert await ledger.state_at(between) == [memory]
    assert (await ledger.state_at(between + timedelta(days=1)))[0].status == "archived"
