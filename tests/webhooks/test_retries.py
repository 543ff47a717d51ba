"""Receivers that answer wrongly, slowly, or never: when an event is tried again, what is told."""

import asyncio
from datetime import timedelta
from email.utils import format_datetime

import pytest
from fakes import StepClock
from receiver import (
    Receiver,
    by_drops,
    hangs_up,
    never,
    nonsense,
    receiving,
    slowly,
    ten_megabytes,
)
from webhook_home import Opened, added, hooks_of, looked, told, webhooks

from skill_agent.errors import NotDelivered, NotFound
from skill_agent.events import Event, WebhookFailing
from skill_agent.host.runtime import Runtime
from skill_agent.identifiers import new_id
from skill_agent.values import InboxItem, Webhook
from skill_agent.webhooks.posting import Posting
from skill_agent.webhooks.sink import WebhookSink

PAUSES_S = (60, 300, 1800, 7200)


async def one(runtime: Runtime) -> Webhook:
    (found,) = await runtime.webhooks.list()
    return found


async def remember(runtime: Runtime, *texts: str) -> None:
    for text in texts:
        await runtime.memory.add(text)


def texts(receiver: Receiver) -> list[str]:
    return [got.fields["content_preview"] for got in receiver.got]


async def test_five_tries_by_the_schedule_then_it_is_failing_and_told(
    opened: Opened, receiver: Receiver, clock: StepClock
) -> None:
    receiver.answer = 500
    async with opened() as runtime:
        hook = await added(runtime, receiver.url, "memory.created")
        with runtime._bus.subscribe() as listener:
            await remember(runtime, "First", "Second")
            for tried, pause in enumerate(PAUSES_S, 1):
                await told(runtime)
                assert len(receiver.got) == tried
                clock.now += timedelta(seconds=pause - 30)
                await told(runtime)
                assert len(receiver.got) == tried, "too early"
                clock.now += timedelta(seconds=31)
            await told(runtime)
            assert texts(receiver) == ["First"] * 5
            assert len(set(receiver.ids)) == 1
            stamps = {got.headers["x-webhook-timestamp"] for got in receiver.got}
            assert len(stamps) == 5
            assert all(got.is_signed(hook.secret) for got in receiver.got)
            heard: list[Event] = []
            while listener.pending:
                heard.append(await listener.next())
        known = await one(runtime)
        assert (known.state, known.failures, known.problem) == ("failing", 5, "HTTP 500")
        (failing,) = [event for event in heard if isinstance(event, WebhookFailing)]
        assert failing.webhook == hook.id and "/hook" not in failing.url
        notes = await runtime.ledger.log(kinds=("inbox.item",))
        assert [note.new["sort"] for note in notes if note.new] == ["failure"]
        (line,) = await runtime.webhooks.log(hook.id)
        assert (line.state, line.attempts, line.status) == ("failed", 5, 500)
        receiver.cleared()
        receiver.answer = 200
        clock.advance(days=3)
        await remember(runtime, "Third")
        await told(runtime)
        assert receiver.got == [], "nothing more until it is seen to"
        done = await runtime.webhooks.test(hook.id)
        assert (done.state, done.event, done.status) == ("delivered", "webhook.test", 200)
        (tried,) = receiver.cleared()
        assert tried.event == "webhook.test" and tried.is_signed(hook.secret)
        await told(runtime)
        assert texts(receiver) == ["First", "Second", "Third"], "it goes on where it stopped"
        assert (await one(runtime)).state == "active"


async def test_what_it_was_told_survives_the_host(
    opened: Opened, receiver: Receiver, clock: StepClock
) -> None:
    receiver.answer = 500
    async with opened() as runtime:
        await added(runtime, receiver.url, "memory.created")
        await remember(runtime, "First")
        await told(runtime)
    async with opened() as runtime:
        await told(runtime)
        assert len(receiver.got) == 1, "the pause goes on"
        assert (await one(runtime)).failures == 1
        clock.advance(minutes=2)
        receiver.answer = 202
        await told(runtime)
        assert len(receiver.got) == 2 and len(set(receiver.ids)) == 1
        assert (await one(runtime)).failures == 0


async def test_resume_lets_it_go_on_without_a_test(
    opened: Opened, receiver: Receiver, clock: StepClock
) -> None:
    receiver.answer = 410
    async with opened() as runtime:
        hook = await added(runtime, receiver.url, "memory.created")
        await remember(runtime, "First")
        await told(runtime)
        known = await one(runtime)
        assert (known.state, len(receiver.got)) == ("failing", 1), "410 is final"
        assert "no more" in known.problem
        receiver.answer = 200
        assert (await runtime.webhooks.resume(hook.id)).state == "active"
        await told(runtime)
        assert texts(receiver) == ["First", "First"]
        receiver.answer = 410
        await remember(runtime, "Second")
        await told(runtime)
        notes = await runtime.ledger.log(kinds=("inbox.item",))
        assert len({note.entity for note in notes}) == 2, "each time is told"


@pytest.mark.parametrize("status", [429, 503])
async def test_a_receiver_that_asks_for_a_pause_gets_it(
    opened: Opened, receiver: Receiver, clock: StepClock, status: int
) -> None:
    receiver.answer, receiver.headers = status, {"Retry-After": "600"}
    async with opened() as runtime:
        await added(runtime, receiver.url, "memory.created")
        await remember(runtime, "First")
        await told(runtime)
        clock.advance(minutes=9)
        await told(runtime)
        assert len(receiver.got) == 1
        clock.advance(minutes=2)
        late = format_datetime(clock.now + timedelta(days=400))
        receiver.headers = {"Retry-After": late}
        await told(runtime)
        assert len(receiver.got) == 2
        clock.advance(hours=23)
        await told(runtime)
        assert len(receiver.got) == 2
        clock.advance(hours=2)
        receiver.answer = 200
        await told(runtime)
        assert len(receiver.got) == 3, "no pause is longer than a day"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (301, "redirects"),
        (307, "redirects"),
        (400, "HTTP 400"),
        (404, "HTTP 404"),
        (hangs_up, "broke off"),
        (nonsense, "broke off"),
        (never, "did not answer"),
        (by_drops, "did not answer"),
    ],
)
async def test_any_wrong_answer_is_told_in_our_words_and_tried_again(
    opened: Opened, receiver: Receiver, clock: StepClock, answer: object, problem: str
) -> None:
    receiver.answer = answer  # type: ignore[assignment]
    receiver.headers = {"Location": f"{receiver.url}/elsewhere"}
    async with opened() as runtime:
        hook = await added(runtime, receiver.url, "memory.created")
        impatient = webhooks(runtime, clock, posting=Posting(("127.0.0.1",), clock, timeout_s=0.5))
        await remember(runtime, "First")
        await looked(impatient)
        (line,) = await runtime.webhooks.log(hook.id)
        assert (line.state, line.attempts) == ("pending", 1)
        assert problem in line.error and "SECRET" not in line.error
        assert [got.path for got in receiver.got] == ["/hook"], "no redirect is followed"
        receiver.let_go.set()
        receiver.answer = 200
        clock.advance(minutes=2)
        await told(runtime)
        (line,) = await runtime.webhooks.log(hook.id)
        assert (line.state, line.attempts, line.error) == ("delivered", 2, "")


async def test_a_long_answer_is_not_read(opened: Opened, receiver: Receiver) -> None:
    receiver.answer = ten_megabytes
    async with opened() as runtime:
        await added(runtime, receiver.url, "memory.created")
        await remember(runtime, "First")
        await told(runtime)
        assert (await one(runtime)).last_delivery is not None


async def test_nobody_there(opened: Opened, clock: StepClock) -> None:
    with receiving() as gone:
        pass
    async with opened() as runtime:
        hook = await added(runtime, gone.url, "memory.created")
        await remember(runtime, "First")
        await told(runtime)
        (line,) = await runtime.webhooks.log(hook.id)
        assert (line.status, line.error) == (None, "no connection could be made")


async def test_a_slow_receiver_delays_no_other(opened: Opened, receiver: Receiver) -> None:
    with receiving() as slow:
        slow.answer = never
        async with opened() as runtime:
            await added(runtime, slow.url, "memory.created")
            await added(runtime, receiver.url, "memory.created")
            await remember(runtime, "First")
            await hooks_of(runtime).look()
            await asyncio.to_thread(slow.came.wait, 30)
            await asyncio.to_thread(receiver.came.wait, 30)
            assert texts(receiver) == ["First"]
            await remember(runtime, "Second")
            for _ in range(200):
                await hooks_of(runtime).look()
                if len(receiver.got) == 2:
                    break
                await asyncio.sleep(0.02)
            assert texts(receiver) == ["First", "Second"] and texts(slow) == ["First"]


async def test_one_that_is_removed_while_it_is_told_is_told_nothing_more(
    opened: Opened, receiver: Receiver
) -> None:
    receiver.answer = never
    async with opened() as runtime:
        for waits in (True, False):
            receiver.came.clear()
            hook = await added(runtime, receiver.url, "memory.created")
            await remember(runtime, "First", "Second")
            await hooks_of(runtime).look()
            if waits:
                await asyncio.to_thread(receiver.came.wait, 30)
            await runtime.webhooks.remove(hook.id)
            await hooks_of(runtime).settle()
        assert texts(receiver) == ["First"]
        assert await runtime.webhooks.list() == []


async def test_order_is_kept_and_every_event_comes(
    opened: Opened, receiver: Receiver, clock: StepClock
) -> None:
    """One that is not taken at first holds up those behind it; none is lost, none comes twice."""
    many = [f"Fact number {n}" for n in range(30)]
    refused: set[str] = set()

    def every_seventh_once(handler: object, got: object) -> None:
        number = len(receiver.got)
        status = 200
        key = receiver.got[-1].id
        if number % 7 == 0 and key not in refused:
            refused.add(key)
            status = 502
        handler.send_response(status)  # type: ignore[attr-defined]
        handler.end_headers()  # type: ignore[attr-defined]

    receiver.answer = every_seventh_once
    async with opened() as runtime:
        await added(runtime, receiver.url, "memory.created")
        await remember(runtime, *many)
        for _ in range(8):
            await told(runtime)
            clock.advance(minutes=2)
        came = list(dict.fromkeys(texts(receiver)))
        assert came == many
        assert len(refused) > 3
        assert len(receiver.got) == len(many) + len(refused)
        assert len(set(receiver.ids)) == len(many)


async def test_slow_is_not_wrong(opened: Opened, receiver: Receiver) -> None:
    receiver.answer = slowly(0.5)
    async with opened() as runtime:
        await added(runtime, receiver.url, "memory.created")
        await remember(runtime, "First")
        await told(runtime)
        assert (await one(runtime)).failures == 0


async def test_what_waits_is_bounded_and_what_is_dropped_is_told(
    opened: Opened, receiver: Receiver, clock: StepClock
) -> None:
    async with opened() as runtime:
        await added(runtime, receiver.url, "memory.created")
        await remember(runtime, *(f"Fact number {n}" for n in range(13)))
        await looked(webhooks(runtime, clock, most_waiting=10))
        assert texts(receiver) == [f"Fact number {n}" for n in range(3, 13)]
        known = await one(runtime)
        assert (known.dropped, known.state) == (3, "active")
        (note,) = await runtime.ledger.log(kinds=("inbox.item",))
        assert note.new and "missed events" in note.new["title"]
        await remember(runtime, "One more")
        await looked(webhooks(runtime, clock, most_waiting=10))
        assert (await one(runtime)).dropped == 3


# -- a way out for the inbox ---------------------------------------------------------------------


def item(clock: StepClock, **more: object) -> InboxItem:
    fields = {"id": new_id(), "title": "Daily", "text": "All is well.", "created_at": clock.now}
    return InboxItem(**{**fields, **more})  # type: ignore[arg-type]


async def test_an_item_of_the_inbox_is_brought(
    opened: Opened, receiver: Receiver, clock: StepClock
) -> None:
    async with opened() as runtime:
        hook = await added(runtime, receiver.url, "job.failed")
        sink = WebhookSink(hooks_of(runtime))
        sink.check(hook.id)
        assert sink.missing(hook.id) == "" and "no webhook" in sink.missing("w0")
        told_item = item(clock, agent="kyra", sort="summary", origins=("web",))
        receipt = await sink.send(told_item, hook.id)
        (got,) = receiver.got
        assert (got.event, got.id) == ("inbox.item", receipt) and got.is_signed(hook.secret)
        assert got.headers["x-webhook-origins"] == "web"
        assert got.fields["item_id"] == told_item.id
        assert (got.fields["title"], got.fields["text"]) == ("Daily", "All is well.")
        assert await hooks_of(runtime).send_item(told_item, hook.id) == receipt
        (line,) = await runtime.webhooks.log(hook.id)
        assert (line.event, line.state) == ("inbox.item", "delivered")


async def test_why_an_item_was_not_brought(
    opened: Opened, receiver: Receiver, clock: StepClock
) -> None:
    async with opened() as runtime:
        hook = await added(runtime, receiver.url, "memory.created")
        hooks = hooks_of(runtime)
        with pytest.raises(NotFound):
            hooks.check("w0")
        cases = [
            ("w0", item(clock), 200, False),
            (hook.id, item(clock, private=True), 200, False),
            (hook.id, item(clock, text="Between us: the safe opens with 4711"), 200, False),
            (hook.id, item(clock), 503, True),
            (hook.id, item(clock), 410, False),
        ]
        receiver.headers = {"Retry-After": "7"}
        for key, one_item, status, again in cases:
            receiver.answer = status
            with pytest.raises(NotDelivered) as failed:
                await hooks.send_item(one_item, key)
            assert failed.value.again is again, failed.value.message
            assert failed.value.after_s == (7 if status != 200 else None)
        assert len(receiver.got) == 2
        await remember(runtime, "First")
        await told(runtime)
        with pytest.raises(NotDelivered, match="failing") as failed:
            await hooks.send_item(item(clock), hook.id)
        assert not failed.value.again
