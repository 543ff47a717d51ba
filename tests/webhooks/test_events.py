"""The seven events: each with its fields, signed, in order, told once."""

import asyncio
import json
from datetime import timedelta

from fakes import StepClock
from receiver import Receiver
from webhook_home import Opened, added, hooks_of, said, told

from skill_agent.files.home import Home
from skill_agent.values import NewMemory, NewTask, Purge

ADDED = {"event_id", "timestamp", "home"}


async def test_a_conversation_is_told_as_it_happened(
    opened: Opened, receiver: Receiver, clock: StepClock
) -> None:
    async with opened() as runtime:
        hook = await added(runtime, receiver.url)
        assert hook.secret.startswith("whsec_") and len(hook.secret) == 70
        session = await said(runtime, "Hello there")
        await told(runtime)
        assert receiver.events == ["conversation.created", "message.created", "message.created"]
        begun, asked, replied = receiver.cleared()
        for one in (begun, asked, replied):
            assert one.is_signed(hook.secret) and not one.is_signed("another")
            assert one.id.startswith("evt_") and one.fields["event_id"] == one.id
            assert one.headers["content-type"] == "application/json"
            assert abs(int(one.headers["x-webhook-timestamp"]) - clock.now.timestamp()) < 60
        assert begun.fields.keys() - ADDED == {"conversation_id", "agent_slug", "user_id"}
        assert (begun.fields["conversation_id"], begun.fields["agent_slug"]) == (session, "kyra")
        assert begun.fields["user_id"] == "me"
        names = {"message_id", "conversation_id", "role", "content_preview"}
        assert asked.fields.keys() - ADDED == replied.fields.keys() - ADDED == names
        assert (asked.fields["role"], asked.fields["content_preview"]) == ("user", "Hello there")
        assert (replied.fields["role"], replied.fields["content_preview"]) == (
            "assistant", "All right.",
        )  # fmt: skip
        assert len({one.fields["home"] for one in (begun, asked, replied)}) == 1
        assert str(runtime.home.root) not in begun.body.decode()
        await told(runtime)
        assert receiver.got == []


async def test_a_conversation_is_completed_when_nobody_speaks_and_when_it_is_taken_off_the_list(
    opened: Opened, receiver: Receiver, clock: StepClock
) -> None:
    async with opened() as runtime:
        await said(runtime, "Before anybody listened")
        clock.advance(minutes=1)
        await added(runtime, receiver.url, "conversation.completed")
        first, second = await said(runtime, "One"), await said(runtime, "Two")
        await told(runtime)
        assert receiver.got == []
        clock.advance(minutes=31)
        await told(runtime)
        assert [one.fields["conversation_id"] for one in receiver.got] == [first, second]
        for one in receiver.cleared():
            assert one.fields.keys() - ADDED == {"conversation_id", "message_count", "duration_s"}
            assert one.fields["message_count"] == 2 and one.fields["duration_s"] > 0
        clock.advance(minutes=31)
        await told(runtime)
        await runtime.conversations.delete(second)  # it was told already
        await told(runtime)
        assert receiver.got == []
        await said(runtime, "One more", first)
        await runtime.conversations.delete(first)
        await told(runtime)
        (again,) = receiver.cleared()
        assert (again.fields["conversation_id"], again.fields["message_count"]) == (first, 4)


async def test_memories_agents_and_previews(opened: Opened, receiver: Receiver, home: Home) -> None:
    async with opened() as runtime:
        await added(runtime, receiver.url, "memory.created", "agent.status_changed")
        key = "sk-proj-" + "Ab3" * 16
        kept = await runtime.memory.add(NewMemory(f"The key is {key} and " + "so on " * 100))
        await told(runtime)
        (one,) = receiver.cleared()
        names = {"memory_id", "memory_type", "content_preview", "importance"}
        assert one.fields.keys() - ADDED == names
        assert (one.fields["memory_id"], one.fields["memory_type"]) == (kept.id, "semantic")
        assert key not in one.body.decode() and len(one.fields["content_preview"]) <= 200
        assert "\n" not in one.fields["content_preview"]
        await runtime.agents.set_status("luke", "paused")
        text = home.agents.read_text("utf-8")
        await told(runtime)
        home.agents.write_text(text.replace('status = "paused"', 'status = "active"'), "utf-8")
        await told(runtime)
        changed = [(one.fields["old_status"], one.fields["new_status"]) for one in receiver.got]
        assert changed == [("active", "paused"), ("paused", "active")]
        assert all(one.fields["agent_id"] == "luke" for one in receiver.got)
        assert receiver.got[0].fields.keys() - ADDED == {"agent_id", "old_status", "new_status"}


async def test_only_wanted_events_come_and_nothing_of_before(
    opened: Opened, receiver: Receiver
) -> None:
    async with opened() as runtime:
        await runtime.memory.add("Known before")
        await said(runtime, "Said before")
        await added(runtime, receiver.url, "memory.created")
        await said(runtime, "Hello")
        await runtime.memory.add("Known after")
        await told(runtime)
        assert [one.fields["content_preview"] for one in receiver.got] == ["Known after"]


async def test_an_agent_that_changed_before_is_no_news(opened: Opened, receiver: Receiver) -> None:
    async with opened() as runtime:
        await added(runtime, receiver.url, "agent.status_changed")
        await told(runtime)
        (hook,) = await runtime.webhooks.list()
        await runtime.webhooks.remove(hook.id)
        await runtime.agents.set_status("luke", "paused")
        await added(runtime, receiver.url, "agent.status_changed")
        await told(runtime)
        assert receiver.got == []


async def test_what_happens_while_no_host_is_there_is_told_by_the_next(
    opened: Opened, receiver: Receiver
) -> None:
    async with opened() as runtime:
        hook = await added(runtime, receiver.url)
        await said(runtime, "First")
        await told(runtime)
    async with opened() as runtime:
        await said(runtime, "While nobody tells")
        await runtime.agents.set_status("luke", "paused")
    receiver.cleared()
    async with opened() as runtime:
        await told(runtime)
        assert receiver.events == [
            "conversation.created", "message.created", "message.created", "agent.status_changed",
        ]  # fmt: skip
        assert all(one.is_signed(hook.secret) for one in receiver.got)


async def test_a_host_that_stays_tells_by_itself(opened: Opened, receiver: Receiver) -> None:
    async with opened() as runtime:
        await added(runtime, receiver.url, "memory.created")
        hooks_of(runtime).begin()
        await runtime.memory.add("Told unasked")
        await asyncio.to_thread(receiver.came.wait, 30)
        assert receiver.events == ["memory.created"]


# -- what never leaves ---------------------------------------------------------------------------


async def test_private_memories_and_turns_never_leave(opened: Opened, receiver: Receiver) -> None:
    async with opened() as runtime:
        await added(runtime, receiver.url, "message.created", "memory.created")
        private = NewMemory("The safe opens with 4711", memory_type="agent_private", agent="kyra")
        await runtime.memory.add(private)
        await said(runtime, "Between us: remember that I am looking for another job")
        await said(runtime, "As you know, the safe opens with 4711.")
        await told(runtime)
        out = b"".join(one.body for one in receiver.got).decode()
        assert "4711" not in out and "another job" not in out
        assert receiver.got == []  # the replies were made of a private memory, or in private
        await said(runtime, "Good morning", use_memory=False)
        await told(runtime)
        assert [one.fields["role"] for one in receiver.got] == ["user", "assistant"]


async def test_what_was_erased_or_forgotten_before_it_was_told_is_not_told(
    opened: Opened, receiver: Receiver, clock: StepClock
) -> None:
    async with opened() as runtime:
        hook = await added(runtime, receiver.url, "message.created", "memory.created")
        receiver.answer = 503
        session = await said(runtime, "The name of the dog is Bello")
        forgotten = await runtime.memory.add("To be forgotten at once")
        await told(runtime)
        assert len(receiver.cleared()) == 1
        await runtime.memory.forget(forgotten.id)
        await runtime.ledger.purge(Purge(sessions=(session,), actor="person", reason="asked"))
        stored = b"".join(
            path.read_bytes() for path in runtime.home.root.rglob("*") if path.is_file()
        )
        assert b"Bello" not in stored
        receiver.answer = 200
        clock.advance(minutes=2)
        await told(runtime)
        assert receiver.got == []
        (known,) = await runtime.webhooks.list()
        assert (known.id, known.state) == (hook.id, "active")


async def test_talks_of_tasks_and_results_of_tools_are_not_told(
    opened: Opened, receiver: Receiver
) -> None:
    async with opened() as runtime:
        await added(runtime, receiver.url, "conversation.created", "message.created")
        await runtime.tasks.delegate(NewTask(assigned_to="luke", instructions="Count to three"))
        await runtime.settle()
        await told(runtime)
        assert receiver.got == []


async def test_who_wrote_a_text_is_said(opened: Opened, receiver: Receiver) -> None:
    async with opened() as runtime:
        await added(runtime, receiver.url, "memory.created")
        await runtime.memory.add(NewMemory("Tea is cheap", origins=("web", "pipe")))
        await runtime.memory.add(NewMemory("Coffee is not"))
        await told(runtime)
        marks = [one.headers.get("x-webhook-origins") for one in receiver.got]
        assert marks == ["web, pipe", None]


# -- what is kept --------------------------------------------------------------------------------


async def test_a_secret_stands_nowhere_but_in_its_file(
    opened: Opened, receiver: Receiver, home: Home
) -> None:
    async with opened() as runtime:
        hook = await added(runtime, receiver.url)
        given = await added(runtime, f"{receiver.url}/2", secret="a secret of my own")
        assert given.secret == ""
        await said(runtime, "Hello")
        await told(runtime)
        assert any(one.is_signed("a secret of my own") for one in receiver.got)
        for one in await runtime.webhooks.list():
            assert one.secret == ""
            for line in await runtime.webhooks.log(one.id):
                assert hook.secret not in str(line)
    secret = home.webhook_secrets
    assert secret.stat().st_mode & 0o777 == home.webhooks.stat().st_mode & 0o777 == 0o600
    for path in home.root.rglob("*"):
        if path.is_file() and path != secret:
            held = path.read_bytes()
            assert hook.secret.encode() not in held and b"a secret of my own" not in held, path
    assert json.loads(secret.read_text())["secrets"].keys() == {hook.id, given.id}


async def test_the_log_does_not_grow_while_nothing_happens(
    opened: Opened, receiver: Receiver, clock: StepClock
) -> None:
    async with opened() as runtime:
        await added(runtime, receiver.url)
        await said(runtime, "Hello")
        clock.advance(minutes=31)
        await told(runtime)
        await told(runtime)
        before = await runtime.ledger.last_seq()
        for _ in range(20):
            clock.now += timedelta(minutes=7)
            await told(runtime)
        assert await runtime.ledger.last_seq() == before
