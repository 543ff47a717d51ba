"""Listings by keyset: page after page gives each row once, also while others are written."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from skill_agent.values import MemoryFilter

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


async def test_sessions_come_page_by_page_also_when_times_are_equal(ledger, make):
    for number in range(7):
        moment = START + timedelta(seconds=number // 3)
        await ledger.create_session(make.session(created_at=moment, updated_at=moment))
    everything = await ledger.sessions()
    assert everything == sorted(everything, key=lambda s: (s.updated_at, s.id), reverse=True)
    found, before = [], None
    while page := await ledger.sessions(limit=2, before=before):
        found += page
        before = (page[-1].updated_at, page[-1].id)
        await ledger.create_session(make.session(updated_at=START + timedelta(days=1)))
    assert found == everything


async def test_memories_come_page_by_page_within_a_filter(ledger, make):
    for number in range(9):
        moment = START + timedelta(seconds=number // 4)
        change = make.created(created_at=moment, subject="a" if number % 2 else "b")
        await ledger.write_memories([change])
    wanted = MemoryFilter(subject="a", limit=2)
    everything = await ledger.memories(replace(wanted, limit=100))
    assert len(everything) == 4
    found = []
    while page := await ledger.memories(wanted):
        found += page
        wanted = replace(wanted, before=(page[-1].created_at, page[-1].id))
    assert found == everything


async def test_messages_are_given_from_a_position_on(ledger, make):
    session = await ledger.create_session(make.session())
    saved = [await ledger.save_message(make.message(session)) for _ in range(6)]
    assert await ledger.messages(session.id, after=2) == saved[3:]
    assert await ledger.messages(session.id, after=0, limit=2) == saved[1:3]
    assert await ledger.messages(session.id, limit=2) == saved[:2]
    assert await ledger.messages(session.id, after=3, last=5) == saved[4:]
    assert await ledger.messages(session.id, after=5) == []


async def test_a_turn_is_found_with_what_was_recalled_for_it(ledger, make):
    session = await ledger.create_session(make.session())
    other = await ledger.create_session(make.session())
    await ledger.save_message(make.message(other))
    asked = await ledger.save_message(make.message(session, turn="t"))
    told = await ledger.save_message(make.message(session, turn="t", role="assistant"))
    data = {"session": session.id, "memories": ["m"], "block": "known"}
    await ledger.note("recalled", asked.id, actor="kyra", data=data)
    assert await ledger.turn("t") == [replace(asked, context="known", recalled=("m",)), told]
    assert await ledger.turn("nobody's") == []
