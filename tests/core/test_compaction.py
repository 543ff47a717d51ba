"""The compaction shield: what leaves a prompt was kept, read back and summed up first."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from fakes import HashEmbedder, OpenRuntime, StepClock
from skill_agent.cli.opening.home_files import init_home, read_settings
from skill_agent.scheduler.alarms import SchedulerAlarms
from skill_agent.scheduler.calendar import LocalCalendar
from skill_agent.store.duckdb_ledger.copies import DuckCopies
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.store.duckdb_tables.reader import DuckTables
from skill_agent.store.lance_index.index import LanceIndex

from skill_agent.agents.directory import AgentDirectory
from skill_agent.errors import ModelUnavailable, StoreError
from skill_agent.events import Compacted, Event, Notice, TurnFinished
from skill_agent.files.home import Home
from skill_agent.host.presence import Presence
from skill_agent.host.runtime import Runtime
from skill_agent.identifiers import new_id
from skill_agent.memory.recall.projector import Projector
from skill_agent.memory.summaries.compaction import Shield, leaving_of
from skill_agent.memory.summaries.summary import MOST_TOKENS, plain_summary
from skill_agent.models.scripted import Answer, ScriptedGateway, ScriptedModel
from skill_agent.ports import Model, ModelRequest
from skill_agent.skills.book import SkillBook, skill_roots
from skill_agent.text.shaping import estimate_tokens
from skill_agent.turns.colleagues.hearing import heard_by
from skill_agent.turns.compactor import Compactor, Pressed
from skill_agent.turns.fitting import Fit
from skill_agent.values import Memory, Message, NewMemory, Purge, Role, Session, Source, TurnRequest

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
FACT = "My boat is called Marigold"


@dataclass
class BoatReader:
    """Keeps every sentence about a boat, as the real reader keeps what it finds."""

    problem: Exception | None = None
    forgets: bool = False
    """Says that it kept something without keeping it."""
    gate: asyncio.Event | None = None
    began: asyncio.Event = field(default_factory=asyncio.Event)
    read: list[list[str]] = field(default_factory=list)
    runtime: Runtime | None = None

    async def __call__(
        self, messages: Sequence[Message], *, agent: str, model: Model | None = None
    ) -> list[Memory]:
        self.read.append([message.id for message in messages])
        self.began.set()
        assert not any(message.context for message in messages)
        if self.gate is not None:
            await self.gate.wait()
        if self.problem is not None:
            raise self.problem
        assert self.runtime is not None
        kept: list[Memory] = []
        for message in messages:
            if message.role == "user" and "boat is" in message.content:
                memory = await self.runtime.memory.add(
                    NewMemory(
                        message.content.replace("My boat", "The user's boat"),
                        source=Source(session=message.session, message_ids=(message.id,)),
                        source_type="extraction",
                    ),
                )
                kept.append(replace(memory, id=new_id()) if self.forgets else memory)
        return kept


class Remote(ScriptedModel):
    """As scripted, but far away and fast."""

    def __init__(
        self, *replies: Answer, window: int = 2048, otherwise: Answer = "ok, this is all there is"
    ) -> None:
        super().__init__(replies, context_window=window, otherwise=otherwise)
        self.info = replace(self.info, local=False)


@asynccontextmanager
async def opened(
    home: Home, clock: StepClock, model: ScriptedModel, reader: BoatReader
) -> AsyncIterator[Runtime]:
    """A home over real stores whose conversations a test's reader reads."""
    if not home.exists:
        init_home(home, {"models.default": "scripted/model"})
    ledger = await DuckLedger.open(home.ledger, clock)

    async def index() -> LanceIndex:
        return await LanceIndex.open(home.index, HashEmbedder())

    skills = SkillBook(skill_roots(home))
    names = [skill.name for skill in skills.skills()]
    reader.runtime = Runtime(
        presence=Presence(clock=clock),
        home=home,
        settings=read_settings(home),
        ledger=ledger,
        copies=DuckCopies(),
        projector=Projector(ledger, index),
        directory=AgentDirectory(home.agents, known_skills=lambda: names),
        skillbook=skills,
        gateway=ScriptedGateway(model),
        tables=DuckTables(),
        clock=clock,
        calendar=(calendar := LocalCalendar()),
        alarms=SchedulerAlarms(calendar),
        hosting=True,
        read=reader,
    )
    try:
        yield reader.runtime
    finally:
        await reader.runtime.close()


async def ask(runtime: Runtime, text: str, session: str | None = "latest") -> list[Event]:
    """The turn's events, then those of the background pass that follows."""
    with runtime.turns.subscribe() as events:
        submitted = await runtime.turns.submit(TurnRequest(text, session=session))
        found: list[Event] = []
        while not isinstance(found[-1] if found else None, TurnFinished):
            event = await events.next()
            assert event.turn == submitted.turn
            found.append(event)
        await asyncio.sleep(0)
        await runtime.settle()
        events.close()
        return found + [event async for event in events]


async def talk(runtime: Runtime, turns: int, words: int = 40) -> None:
    """A session that begins with the fact and goes on about nothing."""
    await ask(runtime, FACT, session=None)
    for number in range(turns - 1):
        await ask(runtime, f"Thing {number}: " + "so and so " * (words // 3))


async def stored_session(runtime: Runtime, turns: int, words: int = 40) -> Session:
    """The same, without asking any model."""
    session = await runtime.ledger.create_session(
        Session(id=new_id(), title="Boats", agent="kyra", created_at=NOW, updated_at=NOW)
    )
    waiting: list[Awaitable[Message]] = []
    for number in range(turns):
        turn, filler = new_id(), f"Thing {number}: " + "so and so " * (words // 3)
        said = FACT if number == 0 else filler
        spoken: tuple[tuple[Role, str], ...] = (("user", said), ("assistant", "I see."))
        for role, content in spoken:
            saved = runtime.ledger.save_message(
                Message(
                    id=new_id(), session=session.id, turn=turn, role=role, content=content,
                    created_at=NOW, agent="kyra",
                )
            )  # fmt: skip
            waiting.append(saved)
    await asyncio.gather(*waiting)
    return session


def told(events: Sequence[Event], kind: type[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def echo(request: ModelRequest) -> str:
    """Answers with all it was given to read."""
    return "\n".join(one.content for one in request.messages[1:])


# -- the whole way ---------------------------------------------------------------------------


async def test_a_fact_said_at_the_start_outlives_300_messages(home: Home, clock: StepClock) -> None:
    reader, model = BoatReader(), Remote(window=8192)
    async with opened(home, clock, model, reader) as runtime:
        session = await stored_session(runtime, 150)
        events = await ask(runtime, "What is my boat called?", session.id)
        (compacted,) = told(events, Compacted)
        assert isinstance(compacted, Compacted)
        assert (compacted.messages, compacted.memories) == (280, 1)
        assert "Marigold" in echo(model.requests[-1])
        assert isinstance(events[-1], TurnFinished)
        again = await ask(runtime, "My boat, what is it called, tell me once more", session.id)
        assert not told(again, Compacted)
        assert "Marigold" in echo(model.requests[-1])
        assert len(await runtime.conversations.messages(session.id)) == 304
        assert await runtime.conversations.search("Marigold")
        (done,) = await runtime.summaries.list(session.id)
        assert done.line == "280 earlier messages summed up, 1 memory kept"


@pytest.mark.deep
async def test_a_talk_is_summed_up_between_turns_and_its_prefix_changes_only_then(
    home: Home, clock: StepClock
) -> None:
    model = Remote(window=4096)
    async with opened(home, clock, model, BoatReader()) as runtime:
        await talk(runtime, 40)
        session = (await runtime.conversations.find("latest")).id
        assert len(await runtime.summaries.list(session)) >= 2
    turns = [one for one in model.requests if one.messages[-1].content.startswith("<recalled>")]
    breaks = sum(
        later.messages[: len(earlier.messages)] != earlier.messages
        for earlier, later in pairwise(turns)
    )
    compactions = sum(
        earlier.messages[1].content != later.messages[1].content
        for earlier, later in pairwise(turns)
    )
    assert breaks == compactions
    last = turns[-1].messages
    assert last[1].content.startswith("<summary>")
    assert "ok" in last[1].content
    for request in turns:
        assert sum(len(one.content) for one in request.messages) // 4 + 1024 <= 4096


async def test_the_last_20_messages_stay_word_for_word(home: Home, clock: StepClock) -> None:
    model = Remote(window=16_384)
    async with opened(home, clock, model, BoatReader()) as runtime:
        session = await stored_session(runtime, 40)
        done = await runtime.summaries.compact(session.id)
        assert done is not None
        assert done.messages == 60
        messages = await runtime.conversations.messages(session.id)
        await ask(runtime, "Go on", session.id)
        sent = [one.content for one in model.requests[-1].messages]
        assert sent[2:-1] == [one.content for one in messages[-20:]]
        assert sent[1].startswith("<summary>")


async def test_a_resumed_session_keeps_its_summary(home: Home, clock: StepClock) -> None:
    async with opened(home, clock, Remote(window=8192), BoatReader()) as runtime:
        session = await stored_session(runtime, 40)
        await runtime.summaries.compact(session.id)
    model = Remote(window=8192)
    async with opened(home, clock, model, BoatReader()) as runtime:
        events = await ask(runtime, "Go on", session.id)
        assert not told(events, Compacted)
        assert model.requests[0].messages[1].content.startswith("<summary>")
        (done,) = await runtime.summaries.list(session.id)
        log = await runtime.ledger.log(session.id, kinds=("compacted",))
        assert log[0].new is not None
        assert log[0].new["memories"] == list(done.memories)


# -- local models ----------------------------------------------------------------------------


async def test_no_turn_waits_for_a_local_models_compaction(home: Home, clock: StepClock) -> None:
    reader = BoatReader(gate=asyncio.Event())
    model = ScriptedModel(otherwise="ok", context_window=2048)
    async with opened(home, clock, model, reader) as runtime:
        session = await stored_session(runtime, 40)
        for _ in range(3):
            submitted = await runtime.turns.submit(TurnRequest("Go on", session=session.id))
            with runtime.turns.subscribe(turn=submitted.turn) as events:
                async for event in events:
                    if isinstance(event, Notice):
                        assert f"ska sessions compact {session.id}" in event.text
                    if isinstance(event, TurnFinished):
                        break
            await reader.began.wait()
            reader.began.clear()
        assert len(reader.read) == 3
        assert not await runtime.summaries.list(session.id)
        assert reader.gate is not None
        reader.gate.set()
        await runtime.settle()
        done = await runtime.summaries.list(session.id)
        assert [one.up_to for one in done] == sorted({one.up_to for one in done})
        assert done[-1].up_to > 60


async def test_closing_ends_a_background_pass(home: Home, clock: StepClock) -> None:
    reader = BoatReader(gate=asyncio.Event())
    model = ScriptedModel(otherwise="ok", context_window=2048)
    async with opened(home, clock, model, reader) as runtime:
        session = await stored_session(runtime, 40)
        await runtime.turns.submit(TurnRequest("Go on", session=session.id))
        await reader.began.wait()
    async with opened(home, clock, model, BoatReader()) as runtime:
        assert not await runtime.summaries.list(session.id)


# -- what goes wrong -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reader", "words"),
    [
        (BoatReader(problem=ModelUnavailable("no model there")), "no model there"),
        (BoatReader(problem=ZeroDivisionError("a bug")), "a bug"),
        (BoatReader(forgets=True), "cannot be read back"),
    ],
    ids=["extraction", "bug", "read-back"],
)
async def test_nothing_is_summed_up_that_could_not_be_kept(
    home: Home, clock: StepClock, reader: BoatReader, words: str
) -> None:
    model = Remote()
    async with opened(home, clock, model, reader) as runtime:
        session = await stored_session(runtime, 60)
        events = await ask(runtime, "Go on", session.id)
        warnings = [one.text for one in told(events, Notice) if isinstance(one, Notice)]
        assert any(words in text and "tried again later" in text for text in warnings)
        assert isinstance(events[-1], TurnFinished | Notice)
        assert not await runtime.summaries.list(session.id)
        assert not any("<summary>" in one.content for one in model.requests[-1].messages)
        tries = len(reader.read)
        await ask(runtime, "Go on", session.id)
        assert len(reader.read) == tries, "not at every turn"
        reader.problem, reader.forgets = None, False
        clock.advance(hours=2)
        await ask(runtime, "Go on", session.id)
        assert len(await runtime.summaries.list(session.id)) == 1


async def test_a_summary_that_fails_changes_nothing(home: Home, clock: StepClock) -> None:
    model = Remote([ModelUnavailable("gone")], otherwise="ok")
    async with opened(home, clock, model, BoatReader()) as runtime:
        session = await stored_session(runtime, 60)
        with pytest.raises(ModelUnavailable):
            await runtime.summaries.compact(session.id)
        assert not await runtime.summaries.list(session.id)
        assert await runtime.summaries.compact(session.id)


async def test_a_purged_summary_is_no_summary(home: Home, clock: StepClock) -> None:
    model = Remote()
    async with opened(home, clock, model, BoatReader()) as runtime:
        session = await stored_session(runtime, 60)
        await runtime.summaries.compact(session.id)
        (row,) = await runtime.ledger.log(session.id, kinds=("compacted",))
        await runtime.ledger.purge(Purge(notes=(row.seq,), actor="person"))
        assert not await runtime.summaries.list(session.id)
        events = await ask(runtime, "Go on", session.id)
        assert told(events, Compacted), "it is made anew"


async def test_what_is_purged_while_it_is_read_is_in_no_summary(
    home: Home, clock: StepClock
) -> None:
    async with opened(home, clock, Remote(), BoatReader()) as runtime:
        session = await stored_session(runtime, 30)
        first = (await runtime.conversations.messages(session.id))[0]

        async def purges(
            messages: Sequence[Message], *, agent: str, model: Model | None = None
        ) -> list[Memory]:
            await runtime.ledger.purge(Purge(messages=(first.id,), actor="person"))
            return []

        with pytest.raises(StoreError, match="erased"):
            await Shield(runtime.ledger, purges).compact(session.id, None, agent="kyra")
        assert not await runtime.summaries.list(session.id)


# -- parts -----------------------------------------------------------------------------------


def message(position: int, turn: str, role: str = "user", content: str = "x") -> Message:
    return Message(
        id=f"m{position}", session="s", turn=turn, role=role, content=content,  # type: ignore[arg-type]
        created_at=NOW, agent="kyra", position=position,
    )  # fmt: skip


def test_no_turn_is_split() -> None:
    queued = [message(0, "a"), message(1, "b"), message(2, "a"), message(3, "b"), message(4, "c")]
    assert leaving_of(queued, 1) == queued[:4]
    assert leaving_of(queued, 2) == []
    assert leaving_of(queued, 9) == []


def test_a_plain_summary_tells_what_was_kept_and_else_how_messages_began() -> None:
    kept = Memory(
        id="1", content="The user's boat is called Marigold", created_at=NOW, updated_at=NOW,
        source=Source(session="s", message_ids=("m0",)),
    )  # fmt: skip
    secret = replace(kept, id="2", memory_type="agent_private", content="leaves in May")
    text = plain_summary(
        "- earlier",
        [
            message(0, "a", content=FACT),
            message(1, "a", "assistant", "Nice."),
            message(2, "b", content="The weather is bad. It rains."),
            message(3, "c", content="Between us: I leave in May"),
        ],
        [kept, secret],
    )
    assert text.splitlines() == [
        "- earlier",
        "- The user's boat is called Marigold",
        '- The user wrote on 20 November 2026: "The weather is bad."',
    ]


def test_a_summary_never_grows_past_its_size() -> None:
    text = ""
    for number in range(400):
        said = message(number, str(number), content=f"Thing {number} 汉字汉字 happened " + "x" * 90)
        text = plain_summary(text, [said], [])
    assert "Thing 399" in text
    assert estimate_tokens(text) <= MOST_TOKENS


async def test_a_long_model_summary_is_cut_after_a_sentence(home: Home, clock: StepClock) -> None:
    long = " ".join(f"This is sentence number {number}." for number in range(400))
    model = Remote(f"<summary>{long}</summary>", window=32_768)
    async with opened(home, clock, model, BoatReader()) as runtime:
        session = await stored_session(runtime, 30)
        done = await runtime.summaries.compact(session.id)
        assert done is not None
        assert estimate_tokens(done.summary) <= MOST_TOKENS
        assert done.summary.startswith("This is sentence number 0.")
        assert done.summary.endswith(".")


async def test_a_model_that_only_copies_is_not_taken_at_its_word(
    home: Home, clock: StepClock
) -> None:
    copied = "User: My boat is called Marigold.\nKyra (2026-11-20): I see.\nUser: Thing 1"
    async with opened(home, clock, Remote(copied, window=32_768), BoatReader()) as runtime:
        session = await stored_session(runtime, 30)
        done = await runtime.summaries.compact(session.id)
        assert done is not None
        assert done.summary.startswith("- The user's boat is called Marigold")


def test_an_agent_hears_what_another_was_told_but_not_what_it_recalled_or_kept_secret() -> None:
    talk = [
        replace(message(0, "a"), context="<recalled>kyra's own</recalled>", recalled=("1",)),
        message(1, "a", "tool", "kyra's search"),
        message(2, "a", "assistant", "hello"),
        message(3, "b", content="Just between us: I leave"),
        message(4, "b", "assistant", "I see"),
        replace(message(5, "c"), agent="luke", context="<recalled>luke's</recalled>"),
    ]
    assert heard_by("kyra", talk)[:5] == talk[:5]
    heard = heard_by("luke", talk)
    assert [one.id for one in heard] == ["m0", "m2", "m5"]
    assert [one.context for one in heard] == ["", "", talk[5].context]


async def test_another_agent_called_into_a_session_hears_no_secrets(
    open_runtime: OpenRuntime,
) -> None:
    model = ScriptedModel(otherwise="ok")
    async with open_runtime(model) as runtime:
        await ended(runtime.ask("Remember this, between us: my new job starts in May"))
        await ended(runtime.ask("and I like tea", session="latest"))
        await ended(runtime.ask("@luke when does my new job start?", session="latest"))
        await ended(runtime.ask("@kyra when does my new job start?", session="latest"))
    luke, kyra = (str(request.messages) for request in model.requests[2:])
    assert "in May" not in luke
    assert "I like tea" in luke
    assert "in May" in kyra


async def ended(turn: AsyncIterator[Event]) -> None:
    async for _ in turn:
        pass


@pytest.mark.parametrize(("hosting", "looks"), [(True, 1), (False, 0)])
async def test_a_process_that_ends_at_once_begins_nothing_in_the_background(
    home: Home, clock: StepClock, hosting: bool, looks: int
) -> None:
    looked: list[str] = []

    async def measure() -> tuple[Fit, int]:
        looked.append("once")
        easy = Fit(
            system="", block="", summary="", history=(), dropped=0, load=0, half=1, left=9
        )  # fmt: skip
        return easy, 2

    model = Remote()
    async with opened(home, clock, model, BoatReader()) as runtime:
        shield = Shield(runtime.ledger, BoatReader())
        compactor = Compactor(shield, publish=lambda _: None, clock=clock, hosting=hosting)
        pressed = Pressed(
            session="s", turn="t", agent="kyra", model=model, measure=measure, max_messages=40
        )
        compactor.turn_began()
        compactor.turn_ended(pressed)
        await compactor.settled()
        await compactor.close()
    assert len(looked) == looks
