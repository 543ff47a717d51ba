"""Sessions, messages, memories and notes: what was said is there, in order, once."""

from dataclasses import replace
from typing import Any

import pytest

from skill_agent.errors import NotFound, StoreError
from skill_agent.values import MemoryChange, MemoryFilter, Message, Source, ToolCall, Usage


async def test_a_session_and_its_messages_come_back_whole(ledger, make, open_ledger):
    session = await ledger.create_session(make.session(title="Ünïcode 会話"))
    full = make.message(
        session,
        "It rains.\0 Don't; DROP TABLE messages; -- 🌧",
        role="assistant",
        agent="kyra",
        tool_calls=(ToolCall(id="c1", name="http_get", arguments={"url": "x", "n": [1, {}]}),),
        tool_call_id="c0",
        state="partial",
        usage=Usage(model="m", prompt_tokens=3, cost_usd=0.1),
    )
    await ledger.save_message(make.message(session, "How is the weather?"))
    saved = await ledger.save_message(full)
    await ledger.close()

    again = await open_ledger()
    assert saved == replace(full, position=1)
    assert (await again.messages(session.id))[1] == saved
    assert await again.message(saved.id) == saved
    stored = await again.session(session.id)
    assert stored.messages == 2
    assert stored.title == "Ünïcode 会話"
    assert (await again.verify()).problems == ()


async def test_sessions_are_listed_by_newest_activity(ledger, make):
    first, second, third = [await ledger.create_session(make.session()) for _ in range(3)]
    await ledger.save_message(make.message(first))
    assert [s.id for s in await ledger.sessions()] == [first.id, third.id, second.id]
    assert [s.id for s in await ledger.sessions(limit=1, offset=1)] == [third.id]


async def test_archiving_takes_a_session_off_the_list_and_keeps_everything(ledger, make):
    session = await ledger.create_session(make.session())
    message = await ledger.save_message(make.message(session, "keep me"))
    await ledger.archive_session(session.id, actor="user")
    await ledger.archive_session(session.id, actor="user")
    assert await ledger.sessions() == []
    assert [s.id for s in await ledger.sessions(archived=True)] == [session.id]
    assert await ledger.messages(session.id) == [message]
    assert len(await ledger.log(session.id, kinds=("session.archived",))) == 1


async def test_renaming_and_changing_the_agent_are_logged_with_old_and_new(ledger, make):
    session = await ledger.create_session(make.session())
    await ledger.rename_session(session.id, "Deploys", actor="user")
    await ledger.set_session_agent(session.id, "luke")
    stored = await ledger.session(session.id)
    assert (stored.title, stored.agent) == ("Deploys", "luke")
    log = await ledger.log(session.id)
    assert [entry.kind for entry in log] == [
        "session.created",
        "session.renamed",
        "session.agent_set",
    ]
    assert (log[1].old, log[1].new) == ({"title": "Release day"}, {"title": "Deploys"})
    with pytest.raises(NotFound):
        await ledger.rename_session("nothing", "x", actor="user")


async def test_saving_again_is_harmless_and_another_text_under_the_id_is_refused(ledger, make):
    session = make.session()
    assert await ledger.create_session(session) == await ledger.create_session(session)
    with pytest.raises(StoreError, match="exists already"):
        await ledger.create_session(replace(session, agent="luke"))
    message = make.message(session)
    assert await ledger.save_message(message) == await ledger.save_message(message)
    with pytest.raises(StoreError, match="other content"):
        await ledger.save_message(replace(message, content="Goodbye"))
    assert (await ledger.counts())["messages"] == 1


async def test_a_message_for_no_session_is_refused(ledger, make):
    with pytest.raises(StoreError, match="no known session"):
        await ledger.save_message(make.message(make.session()))
    assert await ledger.last_seq() == 0


async def test_the_last_messages_keep_their_order(ledger, make):
    session = await ledger.create_session(make.session())
    for number in range(5):
        await ledger.save_message(make.message(session, str(number)))
    assert [m.content for m in await ledger.messages(session.id, last=2)] == ["3", "4"]
    assert [m.position for m in await ledger.messages(session.id)] == [0, 1, 2, 3, 4]


async def test_what_was_recalled_comes_back_beside_its_message(ledger, make):
    session = await ledger.create_session(make.session())
    message = await ledger.save_message(make.message(session))
    data = {"session": session.id, "memories": ["m1"], "block": "<memory>m1</memory>"}
    await ledger.note("recalled", message.id, actor="kyra", data=data)
    await ledger.note("usage", message.id, actor="kyra", data={"session": session.id})
    (told,) = await ledger.messages(session.id)
    assert (told.context, told.recalled) == ("<memory>m1</memory>", ("m1",))
    assert (await ledger.verify()).problems == ()


@pytest.mark.parametrize("wanted", ["100%", "a_b", "BACK\\slash", "ünï"])
async def test_search_takes_the_text_literally_and_ignores_case(ledger, make, wanted):
    session = await ledger.create_session(make.session())
    texts = ["100% sure", "1000 sure", "a_b", "axb", "back\\slash", "backslash", "ÜNÏ"]
    for text in texts:
        await ledger.save_message(make.message(session, text))
    found = await ledger.search_messages(wanted)
    assert [m.content for m in found] == [t for t in texts if wanted.lower() in t.lower()]


async def test_an_agent_finds_only_its_own_sessions_and_nobody_finds_archived_ones(ledger, make):
    kyras, lukes = [await ledger.create_session(make.session(agent)) for agent in ("kyra", "luke")]
    gone = await ledger.create_session(make.session())
    for session in (kyras, lukes, gone):
        await ledger.save_message(make.message(session, "the secret"))
    await ledger.archive_session(gone.id, actor="user")

    async def sessions(agent: str | None) -> list[str]:
        found: list[Message] = await ledger.search_messages("SECRET", agent=agent)
        return [message.session for message in found]

    assert await sessions("kyra") == [kyras.id]
    assert await sessions(None) == [lukes.id, kyras.id]
    assert len(await ledger.search_messages("secret", limit=1)) == 1


async def test_a_memory_comes_back_whole(ledger, make, open_ledger):
    memory = make.memory(
        "Deploys are on Fridays.",
        memory_type="agent_private",
        subject="user.habit.deploy",
        importance=10,
        confidence=0.1 + 0.2,
        agent="kyra",
        user="me",
        speaker="Sarah",
        pinned=True,
        source=Source(session="s", message_ids=("a", "b")),
        source_type="extraction",
        extraction_model="m",
        contradicts=("x",),
        related_to=("y", "z"),
        expires_at=make.memory().created_at,
        metadata={"nested": {"list": [1, 2.5, None, "é"]}},
    )
    change = MemoryChange(kind="memory.created", memory=memory, actor="kyra", reason="asked to")
    assert await ledger.write_memories([change]) == [memory]
    await ledger.close()
    again = await open_ledger()
    assert await again.memory(memory.id) == memory
    assert await again.memories_by_id([memory.id, "other"]) == {memory.id: memory}
    (entry,) = await again.log(memory.id)
    assert (entry.actor, entry.reason, entry.old) == ("kyra", "asked to", None)


async def test_the_log_keeps_only_the_fields_that_changed(ledger, make):
    (memory,) = await ledger.write_memories([make.created()])
    pinned = replace(memory, pinned=True, importance=9)
    await ledger.write_memories([MemoryChange(kind="memory.pinned", memory=pinned, actor="user")])
    assert await ledger.memory(memory.id) == pinned
    entry = (await ledger.log(memory.id))[-1]
    assert entry.old == {"pinned": False, "importance": 5}
    assert entry.new == {"pinned": True, "importance": 9}


async def test_changes_of_one_call_build_on_each_other_and_fail_together(ledger, make):
    create = make.created("first")
    second = replace(create.memory, content="second", version=2)
    correct = MemoryChange(kind="memory.corrected", memory=second, actor="user")
    await ledger.write_memories([create, correct])
    assert (await ledger.log(second.id))[-1].old == {"content": "first", "version": 1}
    before = await ledger.counts()
    with pytest.raises(StoreError, match="exists already"):
        await ledger.write_memories([make.created(), create])
    with pytest.raises(StoreError, match="not a kind"):
        await ledger.write_memories([replace(correct, kind="usage")])
    assert await ledger.counts() == before
    assert await ledger.write_memories([]) == []
    assert (await ledger.verify()).problems == ()


async def test_a_memory_is_found_by_an_unambiguous_prefix_of_six(ledger, make):
    await ledger.write_memories([make.created(id=name) for name in ("abcdefg-1", "abcdefh-1")])
    assert (await ledger.memory("abcdefg")).id == "abcdefg-1"
    assert await ledger.memory("zzzzzz") is None
    assert await ledger.memory("abcde") is None
    with pytest.raises(NotFound) as caught:
        await ledger.memory("abcdef")
    assert "abcdefg-1" in caught.value.hint


async def test_a_listing_filters_sorts_and_pages(ledger, make):
    changes = [make.created(importance=n, pinned=n > 7, tier="cold" if n < 3 else "warm")
               for n in range(1, 11)]  # fmt: skip
    await ledger.write_memories(changes)

    async def importances(**wanted: Any) -> list[int]:
        return [m.importance for m in await ledger.memories(MemoryFilter(**wanted))]

    assert await importances(limit=3) == [10, 9, 8]
    assert await importances(limit=3, offset=3) == [7, 6, 5]
    assert await importances(min_importance=9) == [10, 9]
    assert await importances(pinned=False, tiers=("cold",)) == [2, 1]
    assert await importances(statuses=("archived",)) == []
    assert await importances(session="elsewhere") == []


async def test_a_note_returns_its_number_and_a_memory_finds_the_prompts_it_entered(ledger, make):
    one, two = await ledger.write_memories([make.created(), make.created()])
    data = {"session": "s", "memories": [one.id, one.id], "scores": [0.5]}
    seq = await ledger.note("recalled", "turn-1", actor="kyra", reason="asked", data=data)
    assert seq == await ledger.last_seq() == 3
    assert [e.kind for e in await ledger.log(one.id)] == ["memory.created", "recalled"]
    assert [e.kind for e in await ledger.log(two.id)] == ["memory.created"]
    (entry,) = await ledger.log("turn-1")
    assert (entry.new, entry.reason) == (data, "asked")
    assert [e.seq for e in await ledger.log(kinds=("recalled",))] == [3]
    assert [e.seq for e in await ledger.log(after=1, limit=1)] == [2]
    assert await ledger.log(one.id, kinds=("usage",)) == []


@pytest.mark.parametrize("kind", ["memory.recalled", "session.x", "message.y"])
async def test_a_note_cannot_pretend_to_be_a_change(ledger, kind):
    with pytest.raises(StoreError, match="cannot be noted"):
        await ledger.note(kind, "x", actor="kyra", data={})


@pytest.mark.parametrize(
    ("data", "what"),
    [({"x": "\ud800"}, "Unicode"), ({"x": float("nan")}, "JSON"), ({"x": object()}, "JSON")],
)
async def test_what_cannot_be_kept_is_refused_and_leaves_nothing(ledger, make, data, what):
    with pytest.raises(StoreError, match=what):
        await ledger.note("usage", "x", actor="kyra", data=data)
    session = await ledger.create_session(make.session())
    with pytest.raises(StoreError, match="Unicode"):
        await ledger.save_message(make.message(session, "\udcff"))
    with pytest.raises(StoreError, match=what):
        await ledger.write_memories([make.created(metadata=data)])
    assert await ledger.last_seq() == 1
    assert (await ledger.verify()).problems == ()


async def test_a_closed_ledger_says_so(ledger):
    await ledger.close()
    await ledger.close()
    with pytest.raises(StoreError, match="closed"):
        await ledger.counts()


async def test_a_long_message_is_kept(ledger, make):
    session = await ledger.create_session(make.session())
    text = "0123456789" * 100_000
    saved = await ledger.save_message(make.message(session, text))
    assert (await ledger.message(saved.id)).content == text
