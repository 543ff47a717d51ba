"""What the index is fed: everything since a number, each entity once, nothing skipped."""

from dataclasses import replace

from skill_agent.store.duckdb_ledger.ledger import DuckLedger

from skill_agent.values import Delta, IndexItem, MemoryChange, Source


async def drained(ledger: DuckLedger, limit: int, after: int = 0) -> list[Delta]:
    """All deltas until nothing is behind."""
    deltas = [await ledger.delta(after, limit=limit)]
    while deltas[-1].behind:
        deltas.append(await ledger.delta(deltas[-1].up_to, limit=limit))
    return deltas


async def test_an_empty_ledger_has_nothing_to_tell(ledger):
    assert await ledger.delta(0) == Delta(items=(), removed=(), up_to=0)


async def test_windows_give_every_entity_once_in_order_and_end_at_the_last_row(ledger, make):
    session = await ledger.create_session(make.session())
    for number in range(5):
        await ledger.save_message(make.message(session, f"line {number}"))
        await ledger.write_memories([make.created()])
        await ledger.note("usage", "x", actor="kyra", data={})
    whole = await ledger.delta(0)
    assert whole.up_to == await ledger.last_seq()
    assert [item.seq for item in whole.items] == sorted(item.seq for item in whole.items)
    assert len(whole.items) == 10
    for limit in (1, 3, 10):
        deltas = await drained(ledger, limit)
        assert tuple(item for delta in deltas for item in delta.items) == whole.items
        assert deltas[-1].up_to == whole.up_to
        assert all(len(delta.items) <= limit for delta in deltas)


async def test_a_changed_memory_comes_once_in_its_newest_state(ledger, make):
    memory, other = await ledger.write_memories([make.created(), make.created()])
    seen = await ledger.last_seq()
    for importance in (7, 8):
        change = replace(memory, importance=importance)
        await ledger.write_memories([MemoryChange(kind="memory.x", memory=change, actor="user")])
    assert [i.id for i in (await ledger.delta(0)).items] == [other.id, memory.id]
    (item,) = (await ledger.delta(seen)).items
    assert (item.id, item.importance, item.seq) == (memory.id, 8, await ledger.last_seq())


async def test_a_turn_carries_its_speaker_place_and_owner(ledger, make):
    session = await ledger.create_session(make.session("kyra"))
    await ledger.save_message(make.message(session, "Hello"))
    await ledger.save_message(make.message(session, "Hi!", role="assistant", agent="luke"))
    await ledger.save_message(make.message(session, "result", role="tool", agent="luke"))
    await ledger.save_message(make.message(session, " \n", role="assistant"))
    said = (await ledger.delta(0)).items
    assert [(i.kind, i.speaker, i.agent, i.user, i.position, i.session) for i in said] == [
        ("turn", "user", "kyra", "me", 0, session.id),
        ("turn", "luke", "luke", "me", 1, session.id),
    ]


async def test_archiving_a_session_removes_its_turns(ledger, make):
    session = await ledger.create_session(make.session())
    said = [await ledger.save_message(make.message(session)) for _ in range(3)]
    (memory,) = await ledger.write_memories([make.created()])
    seen = await ledger.last_seq()
    await ledger.archive_session(session.id, actor="user")
    delta = await ledger.delta(seen)
    assert delta.items == ()
    assert sorted(delta.removed) == sorted(message.id for message in said)
    fresh = await ledger.delta(0)
    assert [item.id for item in fresh.items] == [memory.id]


async def test_a_memory_keeps_all_that_recall_asks_for(ledger, make):
    memory = make.memory(
        memory_type="procedural", subject="a.b", agent="kyra", user="me", speaker="Sarah",
        status="superseded", tier="cold", importance=9, pinned=True, related_to=("x",),
        expires_at=make.memory().created_at, source=Source(session="s"), metadata={"position": 7},
    )  # fmt: skip
    await ledger.import_memories([memory], actor="user")
    (item,) = (await ledger.delta(0)).items
    assert item == IndexItem(
        id=memory.id, kind="memory", seq=1, text=memory.content, created_at=memory.created_at,
        speaker="Sarah", session="s", position=7, agent="kyra", user="me",
        memory_type="procedural", subject="a.b", status="superseded", tier="cold", importance=9,
        pinned=True, expires_at=memory.expires_at, related_to=("x",),
    )  # fmt: skip


async def test_imported_rows_of_a_session_are_neighbours_in_their_order(ledger, make):
    first, second = [
        [make.memory(source=Source(session=name), source_type="import") for name in "abab"]
        for _ in range(2)
    ]
    await ledger.import_memories(first, actor="user")
    await ledger.import_memories(second, actor="user")
    for limit in (2, 100):
        items = [item for delta in await drained(ledger, limit) for item in delta.items]
        places = [(item.session, item.position) for item in items]
        assert places == [(s, p) for p in range(0, 4) for s in "ab"]


async def test_a_memory_of_a_conversation_takes_the_place_of_its_message(ledger, make):
    session = await ledger.create_session(make.session())
    await ledger.save_message(make.message(session))
    message = await ledger.save_message(make.message(session, "Remember that I deploy on Fridays"))
    source = Source(session=session.id, message_ids=(message.id,))
    await ledger.write_memories([make.created(source=source)])
    *_, item = (await ledger.delta(0)).items
    assert (item.session, item.position) == (session.id, 1)
