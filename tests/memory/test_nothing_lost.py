"""What is not the same in every sign is never replaced in silence, whichever way it came in."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import StepClock
from memory_home import MemoryHome, memory_home
from model_files import minilm_dir
from skill_agent.store.embedding import OnnxEmbedder

from skill_agent.memory.care.consolidate import Consolidator
from skill_agent.values import MemoryFilter, NewMemory, Search, Source

_SHAPES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("The @ store is kept at # degrees", ("-5", "5", "+5", "−5.5", "15", "5.5")),
    ("The @ inspection is at #", ("2pm", "2am", "14:00", "2:30pm", "14:30")),
    ("Aunt @ has blood group #", ("A+", "A-", "B+", "0-", "AB")),
    ("Sound the @ alarm when the level is # 5", (">", "<", "≥", "=", "≠")),
    ("The @ rent is # a month", ("$300", "€300", "£300", "300 kr", "₹300")),
    ("The @ tank holds 40 #", ("litres", "gallons", "ml", "l", "mW", "MW")),
    ("The @ share is #", ("5%", "5‰", "5", "½", "5²", "1/2")),
    ("The @ parser is written in #", ("C", "C++", "C#", "c")),
    ("The @ pattern is #", ("a#b", "a*b", "a+b", "a.b", "~a", "!a")),
    ("The @ mascot is #", ("🦊", "🐻", "🐻‍❄️", "👍🏽", "👍🏿")),
    ("Directive # covers the @ hall", ("ZK-2041-031", "ZK-2041-032", "zk-2041-031", "ZK-2041")),
    ("Ticket # blocks the @ release", ("4711", "4712", "#4711")),
    ("@ 我的#在办公室", ("雨伞", "医生", "自行车", "电话")),
    ("@ 電#です", ("灯は青い", "車は青い", "話番号は四四一一", "池は無い")),
    ("@ ที่#", ("บ้าน", "นี่", "ทำงาน")),
    ("@ la casa # azul", ("es", "está", "esta")),
)


def pairs(seed: int, count: int) -> Iterator[tuple[str, str]]:
    """Two statements that differ in one thing which tells something."""
    rng = random.Random(seed)
    syllables = [a + b for a in "bdfklmnprst" for b in "aeiou"]
    for at in range(count):
        shape, values = _SHAPES[at % len(_SHAPES)]
        named = shape.replace("@", "".join(rng.sample(syllables, 3)))
        one, other = rng.sample(values, 2)
        yield named.replace("#", one), named.replace("#", other)


async def lost(home: MemoryHome, *, seed: int, count: int) -> list[str]:
    """Of the generated pairs, told or read, the texts that no longer stand for themselves."""
    told: list[str] = []
    for at, (one, other) in enumerate(pairs(seed, count)):
        for text in (one, other):
            told.append(text)
            if at % 2:
                await home.book.add(NewMemory(text))
            else:
                await home.take(home.candidate(text, memory_type="semantic", importance=7))
        await home.book.settle()
        await home.reconciler.catch_up()
        assert await home.book.search(Search(other))
    tidy = Consolidator(home.ledger, home.book, home.projector, home.clock, "me")
    await tidy.run()
    wanted = MemoryFilter(statuses=("active", "disputed"), limit=1_000)
    stands = {one.content for one in await home.book.list(wanted)}
    return [one for one in told if one not in stands]


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(2))
async def test_no_statement_is_lost_to_one_that_is_like_it(
    tmp_path: Path, clock: StepClock, seed: int
) -> None:
    async with memory_home(tmp_path, clock) as home:
        assert await lost(home, seed=seed, count=len(_SHAPES) * 2) == []


@pytest.mark.slow
async def test_none_is_lost_to_what_an_embedder_takes_for_it(
    tmp_path: Path, clock: StepClock
) -> None:
    async with memory_home(tmp_path, clock, OnnxEmbedder(minilm_dir())) as home:
        assert await lost(home, seed=7, count=len(_SHAPES) * 4) == []


async def test_what_is_kept_for_a_while_takes_no_place(tmp_path: Path, clock: StepClock) -> None:
    async with memory_home(tmp_path, clock) as home:
        stays = await home.book.add("The spare key lies under the pot")
        await home.reconciler.catch_up()
        await home.book.add(
            NewMemory("the spare key lies under the pot.", expires_at=clock.now.replace(year=2030))
        )
        await home.reconciler.catch_up()
        assert (await home.book.get(stays.id)).status == "active"


async def test_less_of_the_same_told_by_the_person_takes_nothing_away(
    tmp_path: Path, clock: StepClock
) -> None:
    async with memory_home(tmp_path, clock) as home:
        more = await home.book.add("I live in Porto with Ana")
        await home.reconciler.catch_up()
        await home.book.add("I live in Porto")
        await home.reconciler.catch_up()
        assert (await home.book.get(more.id)).status == "active"


async def test_what_was_asked_to_be_kept_is_not_read_again_but_the_rest_of_the_message_is(
    tmp_path: Path, clock: StepClock
) -> None:
    async with memory_home(tmp_path, clock) as home:
        session = await home.session("Remember that the choir meets on Monday at 7pm in hall 4")
        (said, _) = await home.ledger.messages(session.id)
        source = Source(session=session.id, message_ids=(said.id,))
        await home.book.add(NewMemory("The choir meets on Monday at 7pm in hall 4", source=source))
        same = home.candidate(
            "The choir meets on 23 November 2026 at 7pm in hall 4",
            quote="the choir meets on Monday at 7pm in hall 4",
            source=source,
        )
        other = home.candidate(
            "The choir meets on Monday at 7am in hall 4",
            quote="the choir meets on Monday at 7am in hall 4",
            source=source,
        )
        taken = await home.take(same, other)
        assert [one.content for one in taken.memories] == [other.content]
