"""What the conversation and the status line tell of memory, and rating a reply."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from skill_agent.tui.talk.shown.reply import ReplyBlock
from stage import Ids, StageRuntime, make, opener
from stage_book import StageFeedback

from skill_agent.errors import StoreError
from skill_agent.events import Compacted, MemoriesExtracted
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import FeedbackResult, Rating


async def test_a_compaction_is_one_quiet_line(sit) -> None:
    compacted = make(Compacted, messages=34, memories=7, summary="They planned.")
    async with sit(StageRuntime([[compacted, "Hello."]])) as seat:
        await seat.say("Hi")
        await seat.until(lambda: "34 earlier messages summed up, 7 memories kept" in seat.shown())
        await seat.until(lambda: seat.talk.figures.written)


async def test_what_happens_beside_a_turn_keeps_nobody_waiting(sit) -> None:
    runtime = StageRuntime([["One."], ["Two."]])
    async with sit(runtime) as seat:
        await seat.say("first")
        await seat.until(lambda: seat.talk.figures.written)
        ids: Ids = {"session": "session-0", "turn": runtime.keys[0], "agent": "kyra"}
        runtime.bus.publish(Compacted(**ids, messages=1, memories=1, summary=""))
        runtime.bus.publish(MemoriesExtracted(**ids, created=("m1",), versioned=("m2",)))
        await seat.until(lambda: seat.talk.figures.note == "✓ 2 remembered")
        assert "1 earlier message summed up, 1 memory kept" in seat.shown()
        assert "remembered" not in seat.shown(), "reading well is no news"
        await seat.say("second")
        await seat.until(lambda: "Two." in seat.shown())


async def test_what_could_not_be_read_or_is_disputed_is_told(sit) -> None:
    """In the status line: neither is a part of the conversation, where nothing of it is kept."""
    problem = make(MemoriesExtracted, problem="the model is not installed")
    disputed = make(MemoriesExtracted, disputed=("m1", "m2"))
    async with sit(StageRuntime([["Hm.", problem], ["Hm.", disputed]])) as seat:
        await seat.say("Hi")
        await seat.until(lambda: "it is tried again" in seat.talk.figures.note)
        await seat.say("Hi")
        await seat.until(lambda: "2 memories in dispute: F5" in seat.talk.figures.note)
        assert "dispute" not in seat.shown() and "not installed" not in seat.shown()


async def test_disputes_are_counted_from_the_start(sit) -> None:
    import stage_book

    async with sit(StageRuntime(memory=stage_book.shelf())) as seat:
        await seat.until(lambda: seat.talk.figures.disputed == 1)
        await seat.press("ctrl+n")
        await seat.settled()
        assert seat.talk.figures.disputed == 1


async def test_plus_and_minus_rate_a_reply_and_type_in_the_composer(sit) -> None:
    runtime = StageRuntime([["Hello."]])
    async with sit(runtime) as seat:
        await seat.say("Hi")
        await seat.until(lambda: seat.talk.figures.written)
        await seat.press("plus", "minus", "u", "d")
        assert seat.talk.composer.text == "+-ud"
        await seat.press("alt+up", "plus")
        reply = seat.talk.query_one(ReplyBlock)
        await seat.until(lambda: reply.rating == "up")
        await seat.until(lambda: "▲ good" in seat.shown())
        await seat.press("d")
        await seat.until(lambda: reply.rating == "down")
        assert list(runtime.ratings.rated.values()) == ["down"]
        assert "raised" in next(iter(seat.app._notifications)).message


@pytest.mark.deep
async def test_a_rating_is_there_after_resuming(sit, open_runtime) -> None:
    @asynccontextmanager
    async def opened(model: ScriptedModel) -> AsyncIterator[Runtime]:
        async with open_runtime(model) as runtime:
            yield runtime

    async with sit(lambda: opened(ScriptedModel(["On Fridays."]))) as seat:
        await seat.say("When do I deploy?")
        await seat.until(lambda: seat.talk.figures.written)
        await seat.press("alt+up", "minus")
        await seat.until(lambda: seat.talk.query_one(ReplyBlock).rating == "down")
    async with sit(lambda: opened(ScriptedModel([])), session="latest") as seat:
        await seat.until(lambda: "▼ not good" in seat.shown())


async def test_a_refused_rating_leaves_no_mark(sit) -> None:
    class Broken(StageFeedback):
        async def rate(
            self, ref: str, rating: Rating, comment: str = "", *, actor: str = "person"
        ) -> FeedbackResult:
            raise StoreError("the disk is full")

    runtime = StageRuntime([["Hello."]], ratings=Broken())
    async with sit(opener(runtime)) as seat:
        await seat.say("Hi")
        await seat.until(lambda: seat.talk.figures.written)
        await seat.press("alt+up", "u")
        await seat.until(lambda: "the disk is full" in str(
            [one.title for one in seat.app._notifications]
        ))  # fmt: skip
        assert seat.talk.query_one(ReplyBlock).rating is None
