"""Conversations are read beside the talking: patterns at once, a model when it is quiet."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import StepClock
from memory_home import AGENT, FACT, MemoryHome, memory_home, reading

from skill_agent.agents.dna import MemoryConfig
from skill_agent.errors import ModelFailed, ModelUnavailable, NotFound
from skill_agent.memory.extraction.intake import Intake
from skill_agent.memory.extraction.queue import MAX_ATTEMPTS
from skill_agent.memory.extraction.reader import IDLE, Reader
from skill_agent.memory.recall.projector import Projector
from skill_agent.models.scripted import Gate, ScriptedModel
from skill_agent.ports import ModelRequest


@pytest.fixture
async def home(tmp_path: Path, clock: StepClock) -> AsyncIterator[MemoryHome]:
    async with memory_home(tmp_path, clock) as opened:
        yield opened


def held() -> tuple[ScriptedModel, asyncio.Event]:
    """A model that answers its first call never; the event tells that it was asked."""
    asked = asyncio.Event()

    def never(_request: ModelRequest) -> list[Gate]:
        asked.set()
        return [Gate(asyncio.Event())]

    return ScriptedModel([never], otherwise=reading()), asked


async def quiet(home: MemoryHome, reader: Reader) -> None:
    await reader.settle()
    home.clock.advance(seconds=60)


async def talked(home: MemoryHome, reader: Reader, *texts: str, session: str = "") -> str:
    """Turns as the runtime tells of them."""
    session = session or (await home.session()).id
    for text in texts:
        reader.turn_started(session)
        await home.say(session, text)
        reader.turn_ended(session, AGENT)
        await reader.settle()
    return session


async def test_what_is_certain_is_kept_at_once(home: MemoryHome) -> None:
    reader = home.reader(hosting=False)
    session = await talked(home, reader, "I live in Porto and I work at Acme.")
    assert any("Porto" in text for text in await home.texts())
    (event,) = home.events
    assert (event.session, event.agent) == (session, AGENT)
    assert set(event.created) == {one.id for one in await home.book.list()}
    await talked(home, reader, "Thanks!", session=session)
    assert len(home.events) == 1
    await reader.close()


async def test_what_recall_put_beside_a_message_is_never_read(home: MemoryHome) -> None:
    reader = home.reader()
    session = await home.session()
    (message,) = await home.say(session.id, "What do you know of me?")
    await home.ledger.note(
        "recalled", message.id, actor=AGENT,
        data={"session": session.id, "memories": [], "block": "I live in Porto."},
    )  # fmt: skip
    reader.turn_ended(session.id, AGENT)
    await reader.settle()
    await reader.run()
    assert await home.book.list() == []


async def test_a_session_is_queued_after_so_many_messages(home: MemoryHome) -> None:
    home.configs[AGENT] = MemoryConfig(summarize_interval=6)
    model = ScriptedModel(otherwise=reading())
    reader = home.reader(model)
    session = await talked(home, reader, "Hello", FACT)
    assert await reader.queue.list() == []
    await talked(home, reader, "Fine", session=session)
    (job,) = await reader.queue.list()
    assert (job.start, job.end, job.trigger) == (0, 6, "messages")
    assert model.requests == []
    await quiet(home, reader)
    assert await reader.work() == 1
    (job,) = await reader.queue.list()
    assert (job.state, job.passes, job.created) == ("done", 1, 1)
    (memory,) = await home.book.list()
    assert (memory.extraction_model, memory.source_type) == ("scripted/model", "extraction")
    story = await home.book.story(memory.id)
    assert [one.content for one in story.sources] == [FACT]


async def test_a_session_at_rest_is_read_to_its_end(home: MemoryHome) -> None:
    reader = home.reader(ScriptedModel(otherwise=reading()))
    session = await home.session(FACT)
    await reader.tick()
    assert await reader.queue.list() == []
    home.clock.advance(seconds=IDLE.total_seconds())
    await reader.tick()
    await reader.tick()
    (job,) = await reader.queue.list()
    assert (job.session, job.trigger, job.end) == (session.id, "idle", 2)
    assert await reader.work() == 1
    assert len(await home.book.list()) == 1


async def test_a_closed_session_is_read(home: MemoryHome) -> None:
    reader = home.reader(ScriptedModel(otherwise=reading()))
    session = await home.session(FACT)
    reader.session_closed(session.id)
    await reader.settle()
    (job,) = await reader.queue.list()
    assert job.trigger == "closed"
    await home.ledger.archive_session(session.id, actor="person")
    assert await reader.work() == 1
    assert len(await home.book.list()) == 1


async def test_a_long_session_is_read_in_stretches(home: MemoryHome) -> None:
    reader = home.reader(ScriptedModel(otherwise=reading()))
    await home.session(*(f"Line {n}" for n in range(50)))
    jobs = await reader.run()
    assert [(job.start, job.end) for job in jobs] == [(0, 40), (40, 80), (80, 100)]
    assert {job.state for job in jobs} == {"done"}
    assert await reader.run() == []


async def test_a_failing_model_leaves_what_is_certain_and_a_job_that_is_tried_again(
    home: MemoryHome,
) -> None:
    model = ScriptedModel(otherwise=[ModelUnavailable("the model is away")])
    reader = home.reader(model)
    session = await home.session("I live in Porto.", FACT)
    (job,) = await reader.run(session.id)
    assert (job.state, job.attempts, job.error) == ("failed", 1, "the model is away")
    assert any("Porto" in text for text in await home.texts())
    assert home.events[-1].problem == "the model is away"
    assert await reader.work() == 0
    home.clock.advance(minutes=2)
    assert await reader.work() == 1
    assert (await reader.queue.job(job.id)).attempts == 2
    model.add(reading(), reading(), reading())
    home.clock.advance(minutes=5)
    assert await reader.work() == 1
    done = await reader.queue.job(job.id)
    assert (done.state, done.created) == ("done", 1)
    assert len([t for t in await home.texts() if "Porto" in t]) == 1


async def test_after_many_failures_only_a_person_asks_again(home: MemoryHome) -> None:
    model = ScriptedModel(otherwise=[ModelFailed("nonsense")])
    reader = home.reader(model)
    await home.session(FACT)
    await reader.run()
    for _ in range(MAX_ATTEMPTS + 2):
        home.clock.advance(hours=7)
        await reader.work()
    (job,) = await reader.queue.list(("failed",))
    assert (job.attempts, job.next_try) == (MAX_ATTEMPTS, None)
    model.add(reading(), reading())
    (job,) = await reader.run()
    assert job.state == "done"


async def test_a_turn_stops_a_reading_on_a_local_model(home: MemoryHome) -> None:
    model, asked = held()
    reader = home.reader(model)
    session = await home.session(FACT)
    reader.session_closed(session.id)
    await quiet(home, reader)
    working = asyncio.create_task(reader.work())
    await asked.wait()
    reader.turn_started("another")
    assert await working == 0
    assert model.closed_early == 1
    (job,) = await reader.queue.list()
    assert (job.state, job.attempts) == ("waiting", 0)
    assert await reader.work() == 0, "not while somebody talks"
    reader.turn_ended("another", AGENT)
    await reader.settle()
    assert await reader.work() == 0, "nor at once"
    await quiet(home, reader)
    assert await reader.work() == 1
    assert len(await home.book.list()) == 1


async def test_a_remote_model_reads_on_beside_a_turn(home: MemoryHome) -> None:
    model = ScriptedModel(otherwise=reading())
    model.info = replace(model.info, local=False, provider="openai")
    reader = home.reader(model)
    session = await home.session(FACT)
    reader.session_closed(session.id)
    reader.turn_started("another")
    await reader.settle()
    assert await reader.work() == 1


async def test_an_order_waits_for_the_turn_and_goes_on(home: MemoryHome) -> None:
    model = ScriptedModel(otherwise=reading())
    reader = home.reader(model)
    session = await home.session(FACT)
    reader.turn_started("another")
    asked = asyncio.create_task(reader.run(session.id))
    await asyncio.sleep(0.05)
    assert model.requests == []
    reader.turn_ended("another", AGENT)
    (job,) = await asked
    assert job.state == "done"


async def test_a_new_process_goes_on_where_the_last_one_stopped(
    tmp_path: Path, clock: StepClock
) -> None:
    async with memory_home(tmp_path, clock) as home:
        model, asked = held()
        reader = home.reader(model)
        session = await home.session(FACT)
        reader.session_closed(session.id)
        await quiet(home, reader)
        working = asyncio.create_task(reader.work())
        await asked.wait()
        await reader.close()
        await working
    async with memory_home(tmp_path, clock) as home:
        reader = home.reader(ScriptedModel(otherwise=reading()))
        assert await reader.work() == 1
        assert len(await home.book.list()) == 1


async def test_two_sessions_are_read_apart(home: MemoryHome) -> None:
    reader = home.reader(ScriptedModel(otherwise=reading()))
    one = await talked(home, reader, "I live in Porto.")
    other = await talked(home, reader, "My dog is called Rex.")
    sources = {m.content: m.source.session for m in await home.book.list()}
    assert {one, other} == set(sources.values())
    jobs = await reader.run(one)
    assert {(job.session, job.state) for job in jobs} == {(one, "done")}
    assert await reader.queue.due(other) == 0


async def test_who_heard_it_owns_it(home: MemoryHome) -> None:
    reader = home.reader(ScriptedModel(otherwise=reading()))
    session = await home.session(FACT)
    await home.say(session.id, f"{FACT} and the painter came", agent="luke")
    await reader.run(session.id)
    assert {m.agent for m in await home.book.list()} == {AGENT, "luke"}


async def test_an_agent_that_does_not_extract_is_left_alone(home: MemoryHome) -> None:
    home.configs[AGENT] = MemoryConfig(auto_extract=False, summarize_interval=2)
    reader = home.reader(ScriptedModel(otherwise=reading()))
    session = await talked(home, reader, "I live in Porto.", FACT, "My dog is called Rex.")
    home.clock.advance(hours=1)
    await reader.tick()
    assert (await reader.queue.list(), await home.book.list()) == ([], [])
    await home.say(session, "My cat is called Tom.", agent="luke")
    await reader.run(session)
    assert {"Rex" in text for text in await home.texts()} == {False}
    assert len(await home.book.list()) == 1


async def test_without_a_model_that_can_only_what_is_certain_is_read(home: MemoryHome) -> None:
    reader = home.reader()
    await home.session("I live in Porto.")
    (job,) = await reader.run()
    assert (job.state, job.passes, job.model, job.created) == ("done", 0, "", 1)


async def test_reading_again_adds_nothing(home: MemoryHome) -> None:
    reader = home.reader(ScriptedModel(otherwise=reading()))
    session = await home.session("I live in Porto.", FACT)
    await reader.run()
    before = await home.texts()
    (job,) = await reader.run(session.id, again=True)
    assert (job.state, job.created, await home.texts()) == ("done", 0, before)


async def test_read_now_gives_what_is_kept_and_marks_it_read(home: MemoryHome) -> None:
    reader = home.reader(ScriptedModel(otherwise=reading()))
    session = await talked(home, reader, "I live in Porto.", FACT)
    messages = await home.ledger.messages(session)
    kept = await reader.read_now(messages, agent=AGENT)
    assert len(kept) == 2, "what was known already counts as kept"
    assert {one.id for one in kept} == {one.id for one in await home.book.list()}
    assert await reader.queue.due(session) == 4
    assert (await reader.queue.list())[0].trigger == "compaction"


async def test_read_now_raises_when_the_model_fails(home: MemoryHome) -> None:
    reader = home.reader(ScriptedModel(otherwise=[ModelUnavailable("away")]))
    session = await home.session("I live in Porto.", FACT)
    with pytest.raises(ModelFailed, match="away"):
        await reader.read_now(await home.ledger.messages(session.id), agent=AGENT)
    assert any("Porto" in text for text in await home.texts())
    assert await reader.queue.due(session.id) == 0


async def test_a_model_given_by_the_caller_serves_where_there_is_none(home: MemoryHome) -> None:
    model = ScriptedModel(otherwise=reading())
    session = await home.session(FACT)
    messages = await home.ledger.messages(session.id)
    assert len(await home.reader().read_now(messages, agent=AGENT, model=model)) == 1


async def test_an_unknown_session_is_refused(home: MemoryHome) -> None:
    with pytest.raises(NotFound):
        await home.reader().run("nothing")


async def test_a_process_that_stays_works_by_itself(home: MemoryHome) -> None:
    told = asyncio.Event()
    reader = home.reader(ScriptedModel(otherwise=reading()), heard=lambda _event: told.set())
    await home.session(FACT)
    home.clock.advance(hours=1)
    reader.start()
    await told.wait()
    assert len(await home.book.list()) == 1
    await reader.close()


async def test_a_failure_right_after_a_turn_is_seen_and_mended(home: MemoryHome) -> None:
    async def no_index():
        raise ModelFailed("the index is gone")

    projector = Projector(home.ledger, no_index)
    good, home.intake = (
        home.intake,
        Intake(
            ledger=home.ledger, writer=home.book, projector=projector, clock=home.clock, user="me"
        ),
    )
    broken = home.reader()
    await talked(home, broken, "I live in Porto.")
    (job,) = await broken.queue.list(("failed",))
    assert job.error == "the index is gone"
    home.intake = good
    (job,) = await home.reader().run()
    assert job.state == "done"
    assert any("Porto" in text for text in await home.texts())


async def test_a_turn_stops_each_of_several_readings_on_a_local_model(home: MemoryHome) -> None:
    """One that was asked for and one of the background may be under way at once."""
    reader, remote = home.reader(), asyncio.Event()
    waits = [asyncio.Event().wait(), asyncio.Event().wait(), remote.wait()]
    passes = [
        asyncio.create_task(reader._pass_over(work, local=work is not waits[2])) for work in waits
    ]
    await asyncio.sleep(0)
    reader.turn_started("talk")
    assert [await one for one in passes[:2]] == [False, False]
    remote.set()
    assert await passes[2] is True
    await reader.close()
