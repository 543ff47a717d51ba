"""Thumbs on replies over a real ledger, and what they do to memories."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fakes import OpenRuntime, StepClock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from searching import fewer
from skill_agent.store.duckdb_ledger.ledger import DuckLedger

from skill_agent.errors import NotFound, UsageError
from skill_agent.identifiers import new_id
from skill_agent.memory.book import MemoryBook
from skill_agent.memory.feedback import Feedback
from skill_agent.memory.recall.projector import Projector
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Memory, Message, NewMemory, Rating, Session

NOW = datetime(2026, 11, 20, tzinfo=UTC)


class Desk:
    """A ledger with one session, a book over it, and the feedback under test."""

    def __init__(self, ledger: DuckLedger, clock: StepClock) -> None:
        async def no_index() -> Any:
            raise AssertionError("nothing here needs the index")

        self.ledger = ledger
        self.book = MemoryBook(ledger, Projector(ledger, no_index), clock, "me")
        self.feedback = Feedback(ledger, self.book, clock)
        self.session = new_id()

    async def start(self) -> None:
        await self.ledger.create_session(
            Session(id=self.session, title="t", agent="kyra", created_at=NOW, updated_at=NOW)
        )

    async def reply(self, memories: Sequence[Memory] = (), *, answered: bool = True) -> Message:
        """A turn for which these were recalled; its reply, or the question without one."""
        turn = new_id()
        asked = await self._said(turn, "user", "what?")
        data = {"session": self.session, "memories": [m.id for m in memories], "block": "x"}
        await self.ledger.note("recalled", asked.id, actor="kyra", data=data)
        return await self._said(turn, "assistant", "that.") if answered else asked

    async def _said(self, turn: str, role: str, content: str) -> Message:
        return await self.ledger.save_message(
            Message(
                id=new_id(), session=self.session, turn=turn, role=role, content=content,  # type: ignore[arg-type]
                created_at=NOW, agent="kyra",
            )
        )  # fmt: skip

    async def importance(self, memory: Memory) -> int:
        return (await self.book.get(memory.id)).importance


@pytest.fixture
async def desk(tmp_path: Path, clock: StepClock) -> AsyncIterator[Desk]:
    ledger = await DuckLedger.open(tmp_path / "ledger.duckdb", clock)
    made = Desk(ledger, clock)
    await made.start()
    yield made
    await ledger.close()


async def test_up_and_down_move_what_was_recalled(desk: Desk) -> None:
    used = await desk.book.add(NewMemory("used", importance=5))
    other = await desk.book.add(NewMemory("not used", importance=5))
    result = await desk.feedback.rate((await desk.reply([used])).id, "up")
    assert [(one.old, one.new) for one in result.changed] == [(5, 6)]
    result = await desk.feedback.rate((await desk.reply([used])).id, "down", "it was wrong")
    assert [(one.old, one.new) for one in result.changed] == [(6, 5)]
    assert await desk.importance(other) == 5
    story = await desk.book.log(used.id)
    assert [entry.kind for entry in story] == [
        "memory.created", "recalled", "memory.rated", "feedback",
        "recalled", "memory.rated", "feedback",
    ]  # fmt: skip
    assert story[-1].new is not None
    assert (story[-1].new["text"], story[-1].new["rating"]) == ("it was wrong", "down")


async def test_the_same_again_does_nothing_and_the_other_takes_it_back(desk: Desk) -> None:
    used = await desk.book.add(NewMemory("used", importance=5))
    reply = await desk.reply([used])
    await desk.feedback.rate(reply.id, "up")
    again = await desk.feedback.rate(reply.id, "up")
    assert again.repeated
    assert not again.changed
    assert await desk.importance(used) == 6
    await desk.feedback.rate(reply.id, "down")
    assert await desk.importance(used) == 4
    await desk.feedback.rate(reply.id, "up")
    assert await desk.importance(used) == 6
    assert await desk.feedback.of([reply.id]) == {reply.id: "up"}


@pytest.mark.parametrize(("start", "most"), [(3, 5), (5, 7), (7, 8), (8, 8), (9, 9), (10, 10)])
async def test_praise_alone_never_makes_a_favourite(desk: Desk, start: int, most: int) -> None:
    used = await desk.book.add(NewMemory("used", importance=start))
    tier = used.tier
    for _ in range(6):
        await desk.feedback.rate((await desk.reply([used])).id, "up")
    now = await desk.book.get(used.id)
    assert (now.importance, now.pinned, now.tier) == (most, False, tier)


async def test_blame_ends_at_one_and_asks_for_review(desk: Desk) -> None:
    used = await desk.book.add(NewMemory("used", importance=4))
    flagged: list[tuple[str, ...]] = []
    for _ in range(6):
        result = await desk.feedback.rate((await desk.reply([used])).id, "down")
        flagged.append(result.flagged)
    now = await desk.book.get(used.id)
    assert (now.importance, now.metadata) == (1, {"review": True})
    assert flagged == [(), *[(used.id,)] * 5]
    for _ in range(6):
        await desk.feedback.rate((await desk.reply([used])).id, "up")
    now = await desk.book.get(used.id)
    assert now.importance == 6
    assert "review" not in now.metadata


async def test_what_is_pinned_or_identity_is_recorded_but_left_alone(desk: Desk) -> None:
    pinned = await desk.book.add(NewMemory("pinned", importance=5, pinned=True))
    identity = await desk.book.add(
        NewMemory("I am", importance=5, memory_type="identity", agent="kyra")
    )
    gone = await desk.book.add(NewMemory("gone", importance=5))
    reply = await desk.reply([pinned, identity, gone])
    await desk.book.forget(gone.id)
    result = await desk.feedback.rate(reply.id, "down")
    assert not result.changed
    assert {one.memory.id for one in result.memories} == {pinned.id, identity.id, gone.id}
    assert [e.kind for e in await desk.book.log(pinned.id)][-1] == "feedback"


async def test_a_pattern_counts_its_successes(desk: Desk) -> None:
    pattern = await desk.book.add(NewMemory("Plan first", memory_type="procedural", agent="kyra"))
    replies = [await desk.reply([pattern]) for _ in range(4)]
    for reply in replies:
        await desk.feedback.rate(reply.id, "up")
    await desk.feedback.rate(replies[0].id, "down")
    counted = (await desk.book.get(pattern.id)).metadata
    assert counted == {"times_used": 4, "successes": 3, "success_rate": 0.75}


async def test_replies_are_found(desk: Desk) -> None:
    first, last = await desk.reply(), await desk.reply()
    assert (await desk.feedback.rate("latest", "up")).message == last
    (asked,) = [m for m in await desk.ledger.messages(desk.session) if m.turn == first.turn][:1]
    assert (await desk.feedback.rate(asked.id, "up")).message == first
    assert (await desk.feedback.rate(first.id[:-1], "down")).message == first
    with pytest.raises(UsageError, match="several"):
        await desk.feedback.rate(first.id[:6], "up")
    with pytest.raises(NotFound):
        await desk.feedback.rate("zzzzzzzz", "up")
    unanswered = await desk.reply(answered=False)
    with pytest.raises(UsageError, match="no reply"):
        await desk.feedback.rate(unanswered.id, "up")


async def test_ratings_at_once_are_all_counted(desk: Desk) -> None:
    used = await desk.book.add(NewMemory("used", importance=8))
    replies = [await desk.reply([used]) for _ in range(4)]
    await asyncio.gather(*(desk.feedback.rate(reply.id, "down") for reply in replies))
    assert await desk.importance(used) == 4


@settings(max_examples=fewer(4), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["up", "down"])), max_size=12))
async def test_any_ratings_stay_within_bounds(
    desk: Desk, ratings: list[tuple[int, Rating]]
) -> None:
    used = await desk.book.add(NewMemory("used", importance=5))
    replies = [await desk.reply([used]) for _ in range(4)]
    last: dict[str, Rating] = {}
    for number, rating in ratings:
        await desk.feedback.rate(replies[number].id, rating)
        last[replies[number].id] = rating
        assert 1 <= await desk.importance(used) <= 7
    assert await desk.feedback.of([reply.id for reply in replies]) == last


async def test_a_rating_is_seen_by_the_next_prompt(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    model = ScriptedModel(otherwise="ok")
    async with open_runtime(model) as runtime:
        feedback = Feedback(runtime.ledger, runtime.book, clock)
        used = await runtime.memory.add(NewMemory("deploys happen on Fridays", importance=9))
        assert used in (await runtime._mind.hot.of("kyra", "me")).hot
        await runtime.memory.settle()
        events = [event async for event in runtime.ask("When do deploys happen?")]
        assert events
        result = await feedback.rate("latest", "down")
        assert [(one.old, one.new) for one in result.changed] == [(9, 8)]
        stored = await runtime.memory.get(used.id)
        assert stored in (await runtime._mind.hot.of("kyra", "me")).hot
