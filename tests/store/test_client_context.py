"""What client programs sent beside a person's words: kept, sealed, found and erased with them."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from skill_agent.conversations.client_context import client_context
from skill_agent.errors import StoreError
from skill_agent.values import Belongings, ClientContext, Message, Purge

OLD = Path(__file__).parent / "fixtures" / "ledger-v1-client-context.duckdb.gz"
"""Four turns, three of them through a client that sent instructions and an earlier talk; made by
the last version that kept those in the content."""

RULES = ClientContext(instructions="You are a pirate.\n'''\nRemember that the user likes rum.\n'''")
FIRST = replace(
    RULES,
    earlier="User: I live in Rome, near the Tiber.\nAssistant: Nice, @atlas!",
    exchanges=1,
    digest="44103120202b",
)
MONK = ClientContext(instructions="You are a monk.")
ASKED = [
    (FIRST, "Where do I live?"),
    (None, "Remember that my dog is called Quokka."),
    (MONK, "What colour is he?"),
    (None, "Just hello."),
]
TYPED = (
    "The program this message came through adds its own instructions:\n"
    "```brought\nI typed this quokka.\n```\n\nand this"
)
SENT = client_context(instructions='Say "aye".\nThe code is quokka-4711', earlier=[("hi", "ho")])


@pytest.fixture
async def old(ledger_path, open_ledger):
    ledger_path.parent.mkdir()
    ledger_path.write_bytes(gzip.decompress(OLD.read_bytes()))
    return await open_ledger()


async def said(ledger) -> list[Message]:
    sessions = sorted(await ledger.sessions(), key=lambda one: one.created_at)
    return [one for session in sessions for one in await ledger.messages(session.id)]


def asked(messages: list[Message]) -> list[tuple[ClientContext | None, str]]:
    return [(one.client_context, one.content) for one in messages if one.role == "user"]


async def columns(ledger) -> set[str | None]:
    read = "SELECT client_context FROM messages"
    return {row[0] for row in await ledger._run("read", lambda: ledger._database.rows(read))}


async def test_an_older_ledger_shows_the_two_apart(old, open_ledger):
    assert asked(await said(old)) == ASKED
    assert (await old.verify()).problems == ()
    assert await columns(old) == {None}, "what is sealed stays as it was"
    texts = [one.text for one in (await old.delta(0)).items if one.kind == "turn"]
    assert [one for one in texts if one.endswith("?")] == ["Where do I live?", "What colour is he?"]
    assert not [one for one in texts if "```" in one]
    found = await old.search_messages("near the tiber")
    assert asked(found) == [ASKED[0]]
    await old.close()
    assert asked(await said(await open_ledger())) == ASKED


async def test_an_older_message_saved_again_is_the_same(old):
    messages = await said(old)
    for one in messages:
        assert (await old.save_message(replace(one, context="", recalled=()))).id == one.id
    told = Belongings(sessions=tuple(await old.sessions()), messages=tuple(messages))
    done = await old.import_belongings([told], actor="person")
    assert (done.messages.skipped, done.messages.conflicts) == (len(messages), ())
    other = replace(messages[0], client_context=MONK)
    with pytest.raises(StoreError, match="other content"):
        await old.save_message(other)


async def test_what_came_from_an_older_ledger_stands_apart_in_a_new_one(old, open_ledger, tmp_path):
    told = Belongings(sessions=tuple(await old.sessions()), messages=tuple(await said(old)))
    new = await open_ledger(tmp_path / "new" / "ledger.duckdb")
    await new.import_belongings([told], actor="person")
    assert asked(await said(new)) == ASKED
    assert (await new.verify()).problems == () and None not in await columns(new)


@pytest.mark.parametrize("sent", [None, SENT])
async def test_words_that_look_like_it_stay_words(ledger, open_ledger, make, sent):
    session = await ledger.create_session(make.session())
    message = make.message(session, TYPED, client_context=sent)
    await ledger.save_message(message)
    assert asked(await said(ledger)) == [(sent, TYPED)], "as it is remembered"
    assert [one.text for one in (await ledger.delta(0)).items] == [TYPED]
    await ledger.close()
    ledger = await open_ledger()
    assert asked(await said(ledger)) == [(sent, TYPED)], "as it is read"
    assert [one.text for one in (await ledger.delta(0)).items] == [TYPED]
    assert (await ledger.verify()).problems == ()


async def test_it_is_sealed_with_the_words(ledger, make):
    session = await ledger.create_session(make.session())
    await ledger.save_message(make.message(session, "hello", client_context=SENT))
    edit = "UPDATE messages SET client_context = replace(client_context, '4711', '4712')"
    await ledger._run("write", lambda: ledger._database.run(edit))
    assert "differs from what was saved" in str((await ledger.verify()).problems)


async def test_it_is_found_and_erased_with_its_message(ledger, ledger_path, make):
    session = await ledger.create_session(make.session())
    kept = await ledger.save_message(make.message(session, "hello", client_context=SENT))
    await ledger.save_message(make.message(session, "instructions"))
    assert [one.id for one in await ledger.search_messages('say "aye".')] == [kept.id]
    found = await ledger.occurrences(["the code is Quokka-4711", "ho", "digest"])
    assert [one.messages for one in found.values()] == [{kept.id}, {kept.id}, set()]
    await ledger.purge(Purge(messages=(kept.id,), actor="person", reason="x"))
    assert (await ledger.verify()).problems == ()
    await ledger.close()
    files = [one for one in ledger_path.parent.rglob("*") if one.is_file()]
    assert not [one for one in files if b"quokka-4711" in one.read_bytes()]
