"""What becomes of candidates: created, skipped, versioned, disputed; real stores."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import StepClock
from memory_home import AGENT, MemoryHome, memory_home

from skill_agent.memory.extraction.intake import merged
from skill_agent.memory.extraction.statement import Candidate
from skill_agent.values import NewMemory, Source


@pytest.fixture
async def home(tmp_path: Path, clock: StepClock) -> AsyncIterator[MemoryHome]:
    async with memory_home(tmp_path, clock) as opened:
        yield opened


async def test_a_new_fact_is_written_with_all_of_its_provenance(home: MemoryHome) -> None:
    session = await home.session("I live in Porto")
    (message,) = (m for m in await home.ledger.messages(session.id) if m.role == "user")
    candidate = home.candidate(
        "The user lives in Porto.",
        subject="user.location",
        importance=9,
        confidence=0.8,
        quote="I live in Porto",
        source=Source(session=session.id, message_ids=(message.id,)),
        said_at=message.created_at,
        model="scripted/model",
    )
    taken = await home.take(candidate)
    (memory,) = taken.created
    assert memory == await home.book.get(memory.id)
    assert memory.source == Source(session=session.id, message_ids=(message.id,))
    assert (memory.source_type, memory.extraction_model) == ("extraction", "scripted/model")
    # The sentence stands in its message only, where erasing another fact of it finds it.
    assert (memory.confidence, memory.metadata) == (0.8, {})
    assert (memory.tier, memory.pinned, memory.created_at) == ("hot", True, message.created_at)
    assert (await home.book.story(memory.id)).sources == (message,)


@pytest.mark.parametrize(
    ("given", "memory_type", "agent"),
    [
        ({"memory_type": "user_profile"}, "user_profile", None),
        ({"memory_type": "semantic"}, "semantic", AGENT),
        ({"memory_type": "episodic"}, "episodic", AGENT),
        ({"memory_type": "procedural"}, "procedural", AGENT),
        ({"memory_type": "user_profile", "private": True}, "agent_private", AGENT),
        ({"memory_type": "identity"}, "semantic", AGENT),
    ],
)
async def test_scopes(home: MemoryHome, given: dict, memory_type: str, agent: str | None) -> None:
    (memory,) = (await home.take(home.candidate("The user has a boat", **given))).created
    assert (memory.memory_type, memory.agent, memory.user) == (memory_type, agent, "me")


@pytest.mark.parametrize(
    ("importance", "pin", "pinned", "tier"),
    [(10, True, True, "hot"), (9, False, False, "hot"), (8, True, False, "warm"),
     (3, True, False, "warm")],
)  # fmt: skip
async def test_pins_and_tiers(
    home: MemoryHome, importance: int, pin: bool, pinned: bool, tier: str
) -> None:
    candidate = home.candidate("The user is called Ana", importance=importance)
    (memory,) = (await home.take(candidate, pin=pin)).created
    assert (memory.pinned, memory.tier) == (pinned, tier)


async def test_small_talk_is_not_kept(home: MemoryHome) -> None:
    taken = await home.take(home.candidate("The user said hello", importance=2))
    assert (taken.memories, taken.skipped) == ((), 1)


async def test_the_same_again_is_skipped_and_noted(home: MemoryHome) -> None:
    (first,) = (await home.take("The user lives in Porto")).created
    await home.book.settle()
    taken = await home.take("User lives in Porto.")
    assert (taken.memories, taken.skipped, taken.known) == ((), 1, (first.id,))
    (note,) = await home.ledger.log(kinds=("extraction.skipped",))
    assert note.new and note.new["memories"] == [first.id]
    assert note.seq in {entry.seq for entry in await home.book.log(first.id)}


async def test_the_same_again_is_skipped_before_the_index_has_seen_it(home: MemoryHome) -> None:
    session = await home.session("a", "b")
    one, two = (m for m in await home.ledger.messages(session.id) if m.role == "user")
    for message in (one, two):
        source = Source(session=session.id, message_ids=(message.id,))
        await home.take(home.candidate("The user has a red boat", source=source))
    assert len(await home.book.list()) == 1


async def test_a_change_makes_a_version(home: MemoryHome) -> None:
    (old,) = (await home.take("The user deploys on Fridays")).created
    await home.book.settle()
    taken = await home.take("The user deploys on Mondays instead")
    (new,) = taken.versioned
    story = await home.book.story(new.id)
    assert [one.id for one in story.versions] == [old.id, new.id]
    assert (new.version, story.versions[0].superseded_by) == (2, new.id)


async def test_what_denies_another_is_a_dispute(home: MemoryHome) -> None:
    await home.take("The user has children")
    await home.book.settle()
    (new,) = (await home.take("The user has no children")).disputed
    (dispute,) = await home.book.disputes()
    assert dispute.id == new.id
    assert len(dispute.memories) == 2


async def test_a_single_valued_subject_is_compared_however_it_is_worded(home: MemoryHome) -> None:
    await home.take(home.candidate("I work at Acme", subject="user.company"))
    taken = await home.take(
        home.candidate("I no longer work at Acme, Globex hired me", subject="user.company")
    )
    assert [one.content for one in taken.versioned] == ["I no longer work at Acme, Globex hired me"]


async def test_what_a_person_pinned_is_never_replaced_by_reading(home: MemoryHome) -> None:
    asked = await home.book.add(NewMemory("The user deploys on Fridays", pinned=True))
    await home.book.settle()
    taken = await home.take("The user deploys on Mondays instead")
    assert len(taken.disputed) == 1
    still = await home.book.get(asked.id)
    assert (still.status, still.pinned) == ("disputed", True)


async def test_another_agents_memory_is_no_neighbour(home: MemoryHome) -> None:
    theirs = home.candidate("The release is on Friday", memory_type="semantic")
    await home.take(theirs, agent="luke")
    await home.book.settle()
    taken = await home.take(
        home.candidate("The release is on Monday instead", memory_type="semantic")
    )
    assert (len(taken.created), await home.book.disputes()) == (1, [])


async def test_what_everybody_knows_is_not_kept_again_for_one_agent(home: MemoryHome) -> None:
    await home.book.add("The team ships on Tuesdays")
    await home.book.settle()
    taken = await home.take(home.candidate("The team ships on Tuesdays", memory_type="semantic"))
    assert (taken.memories, taken.skipped) == ((), 1)


async def test_an_order_to_remember_is_not_read_once_more(home: MemoryHome) -> None:
    session = await home.session("Remember that I deploy on Fridays from the train")
    message = (await home.ledger.messages(session.id))[0]
    source = Source(session=session.id, message_ids=(message.id,))
    await home.book.add(NewMemory("I deploy on Fridays from the train", pinned=True, source=source))
    taken = await home.take(
        home.candidate("The user deploys on Fridays from the train.", source=source, importance=10)
    )
    assert (taken.memories, taken.skipped) == ((), 1)


async def test_a_forgotten_memory_does_not_come_back_with_a_second_reading(
    home: MemoryHome,
) -> None:
    session = await home.session("I have a boat")
    message = (await home.ledger.messages(session.id))[0]
    source = Source(session=session.id, message_ids=(message.id,))
    (memory,) = (await home.take(home.candidate("The user has a boat", source=source))).created
    await home.book.forget(memory.id)
    taken = await home.take(home.candidate("User has a boat", source=source))
    assert (taken.memories, taken.skipped) == ((), 1)


async def test_an_old_statement_read_late_is_history(home: MemoryHome) -> None:
    said = home.clock()
    home.clock.advance(days=3)
    (stands,) = (await home.take("The user deploys on Mondays instead")).created
    await home.book.settle()
    late = home.candidate("The user deploys on Fridays", said_at=said)
    (old,) = (await home.take(late)).versioned
    assert (old.status, old.superseded_by) == ("superseded", stands.id)
    assert [v.id for v in (await home.book.story(stands.id)).versions] == [old.id, stands.id]


async def test_a_batch_may_contradict_itself(home: MemoryHome) -> None:
    first = home.candidate("The user deploys on Fridays")
    second = home.candidate("The user deploys on Mondays instead")
    taken = await home.take(second, first)
    assert [one.content for one in taken.created] == ["The user deploys on Fridays"]
    assert [one.content for one in taken.versioned] == ["The user deploys on Mondays instead"]
    assert await home.texts() == {"The user deploys on Mondays instead"}


async def test_a_dispute_ends_when_the_person_says_what_is_true_now(home: MemoryHome) -> None:
    await home.take("The user has two children")
    await home.book.settle()
    await home.take("The user has not two children")
    await home.book.settle()
    await home.take("The user has four children instead")
    assert await home.book.disputes() == []
    assert await home.texts() == {"The user has four children instead"}


async def test_writers_at_the_same_time_lose_nothing(home: MemoryHome) -> None:
    (old,) = (await home.take("The user deploys on Fridays")).created
    await home.book.settle()
    results = await asyncio.gather(
        home.take("The user deploys on Mondays instead"),
        home.take("The user deploys on Tuesdays instead"),
        home.book.pin(old.id),
    )
    written = {one.id for taken in results[:2] for one in taken.memories}
    assert len(written) == 2
    assert (await home.book.get(old.id)).status in ("superseded", "disputed")
    assert (await home.book.verify()).problems == ()


async def test_two_readings_at_the_same_time_keep_a_fact_once(home: MemoryHome) -> None:
    session = await home.session("I have a boat")
    message = (await home.ledger.messages(session.id))[0]
    source = Source(session=session.id, message_ids=(message.id,))
    wanted = [home.candidate("The user has a boat", source=source) for _ in range(3)]
    taken = await asyncio.gather(*(home.take(one) for one in wanted))
    assert sorted(len(one.created) for one in taken) == [0, 0, 1]


def candidate(content: str, clock: StepClock, **changed) -> Candidate:
    values = {
        "memory_type": "user_profile",
        "subject": None,
        "importance": 5,
        "confidence": 0.8,
        "quote": "I live in Porto with my two cats",
        "source": Source(session="s", message_ids=("m1",)),
        "said_at": clock() + timedelta(0),
        **changed,
    }
    return Candidate(content=content, **values)


def test_rules_and_passes_find_one_fact_once(clock: StepClock) -> None:
    floor = candidate("The user lives in Porto.", clock, quote="I live in Porto", confidence=0.9)
    model = candidate("User lives in Porto with cats", clock, model="m", importance=8)
    other = candidate("The user has two cats", clock, model="m")
    found = merged([model, other, floor])
    assert [one.content for one in found] == ["The user lives in Porto.", "The user has two cats"]
    assert found[0].importance == 8


def test_a_model_that_misreads_a_figure_gives_way_to_the_rules(clock: StepClock) -> None:
    floor = candidate("I live in Porto with my two cats", clock, confidence=0.9)
    wrong = candidate("The user lives in Porto with three cats.", clock, model="m")
    assert [one.content for one in merged([wrong, floor])] == [floor.content]


def test_the_same_said_twice_keeps_both_sources(clock: StepClock) -> None:
    one = candidate("The user likes tea", clock)
    two = candidate("the user likes tea.", clock, source=Source(session="s", message_ids=("m2",)))
    (only,) = merged([one, two])
    assert set(only.source.message_ids) == {"m1", "m2"}
