"""Listings by keyset: page after page gives each row once, also while others are written."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from skill_agent.errors import StoreError
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


async def test_every_session_is_found_by_title_agent_or_what_was_said(ledger, make):
    kept = []
    for number in range(9):
        moment = START + timedelta(minutes=number)
        title, agent = f"Plan {number} of the Ärmel", "luke" if number % 2 else "ada"
        session = make.session(title=title, agent=agent, created_at=moment, updated_at=moment)
        asked = make.message(session, content=f"The parcel number {number} is 50% wet")
        kept.append((session, await ledger.begin_session(session, asked)))
    await ledger.archive_session(kept[8][0].id, actor="person")
    names = {"luke": "Lucas Skywalker", "ada": "Ada"}

    async def found(text: str, limit: int = 50) -> dict[str, str]:
        pages, before = [], None
        while page := await ledger.find_sessions(text, names=names, limit=limit, before=before):
            pages += page
            before = (page[-1].updated_at, page[-1].id)
        assert pages == sorted(pages, key=lambda one: (one.updated_at, one.id), reverse=True)
        return {one.title: one.hit for one in pages}

    assert await found("ärmel plan 3") == {"Plan 3 of the Ärmel": ""}
    assert len(await found("plan", limit=2)) == 8
    assert set(await found("skywalker")) == {f"Plan {n} of the Ärmel" for n in (1, 3, 5, 7)}
    assert await found("luke 3") == {"Plan 3 of the Ärmel": ""}
    assert await found("PARCEL number 4") == {
        "Plan 4 of the Ärmel": "The parcel number 4 is 50% wet"
    }
    assert await found("50%") and not await found("5_%") and not await found("number 8")


async def test_the_newest_message_that_holds_the_text_is_shown_around_it(ledger, make):
    session = make.session()
    long = f"{'a ' * 200}the needle {'b ' * 200}"
    await ledger.begin_session(session, make.message(session, content="a needle, first"))
    await ledger.save_message(make.message(session, content=long))
    await ledger.save_message(make.message(session, content="nothing"))
    (found,) = await ledger.find_sessions("NEEDLE", names={})
    assert "a the needle b" in found.hit and len(found.hit) <= 200
    assert found.messages == 3


async def test_a_session_begins_with_its_first_message_or_not_at_all(ledger, make):
    session = make.session()
    asked = make.message(session)
    saved = await ledger.begin_session(session, asked)
    assert (saved.position, await ledger.messages(session.id)) == (0, [saved])
    assert (await ledger.session(session.id)).messages == 1
    other = make.session()
    with pytest.raises(StoreError):
        await ledger.begin_session(other, replace(asked, session=other.id))
    assert await ledger.session(other.id) is None
    assert [one.id for one in await ledger.sessions()] == [session.id]
    assert (await ledger.verify()).problems == ()
