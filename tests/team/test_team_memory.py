"""What one agent hears of the team is known to all on their next turn; what is private is not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes import OpenRuntime

from skill_agent.errors import UsageError
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Memory, MemoryFilter, NewMemory

DECIDED = "We decided to use PostgreSQL for the billing service of our product."
OPEN = "What database does the billing service use?"


@pytest.fixture
async def runtime(open_runtime: OpenRuntime) -> AsyncIterator[Runtime]:
    async with open_runtime(ScriptedModel(otherwise="understood")) as opened:
        yield opened


async def told(runtime: Runtime, text: str, agent: str) -> str:
    """The data block beside a message of a new conversation, once everything was read."""
    events = [event async for event in runtime.ask(text, agent=agent)]
    await runtime.settle()
    return (await runtime.ledger.messages(events[0].session))[0].context


async def kept(runtime: Runtime, *types: str) -> list[Memory]:
    return await runtime.memory.list(MemoryFilter(memory_types=types))  # type: ignore[arg-type]


def configured(home: Home, text: str) -> None:
    """Settings of one agent or of the home, before it is opened."""
    home.root.mkdir(parents=True, exist_ok=True)
    (home.root / ("agents.toml" if "[agents" in text else "config.toml")).write_text(text)


async def test_what_kyra_hears_of_the_team_stands_in_lukes_next_prompt(runtime: Runtime) -> None:
    await told(runtime, DECIDED, "kyra")
    (memory,) = await kept(runtime, "shared")
    assert (memory.content, memory.agent) == (DECIDED, None)
    assert memory.metadata["heard_by"] == "kyra" and memory.source.session
    assert DECIDED in await told(runtime, OPEN, "luke")


@pytest.mark.parametrize(
    "text",
    [
        "My wife and I decided to move to Porto next year.",
        "Between us, our company will be sold next month.",
        "We decided to spend the summer with our children in Denmark.",
    ],
)
async def test_personal_and_private_matters_stay_with_who_heard_them(
    runtime: Runtime, text: str
) -> None:
    await told(runtime, text, "kyra")
    assert await kept(runtime, "shared") == []
    found = await runtime.memory.list(MemoryFilter(agent="luke"))
    assert all(one.content != text for one in found if one.memory_type != "user_profile")


async def test_two_agents_are_compared_and_the_newer_word_comes_first(runtime: Runtime) -> None:
    await told(runtime, DECIDED, "ada")
    await told(runtime, DECIDED.replace("PostgreSQL", "MySQL instead"), "luke")
    await runtime.reconciler.catch_up()
    postgres = next(one for one in await kept(runtime, "shared") if "Postgre" in one.content)
    updates = {one.older.id for one in await runtime.memory.updates()}
    assert postgres.superseded_by or postgres.id in updates or postgres.contradicts


async def test_what_an_agent_was_told_in_confidence_is_in_no_dispute_of_another(
    runtime: Runtime,
) -> None:
    secret = NewMemory(
        "The billing service of our product uses MySQL", memory_type="agent_private", agent="ada"
    )
    await runtime.memory.add(secret)
    await told(runtime, DECIDED, "luke")
    await runtime.reconciler.catch_up()
    assert await runtime.memory.disputes() == []
    assert "MySQL" not in await told(runtime, OPEN, "luke")
    assert "MySQL" not in await told(runtime, OPEN, "kyra")


async def test_an_agent_that_asks_puts_it_on_a_list(home: Home, open_runtime: OpenRuntime) -> None:
    configured(home, '[agents.kyra]\nname = "Kyra"\n[agents.kyra.memory]\nauto_share = "ask"\n'
                     '[agents.luke]\nname = "Luke"\n')  # fmt: skip
    async with open_runtime(ScriptedModel(otherwise="understood")) as runtime:
        await told(runtime, DECIDED, "kyra")
        (waits,) = await runtime.memory.shares()
        assert (waits.agent, waits.memory_type) == ("kyra", "semantic")
        assert DECIDED not in await told(runtime, OPEN, "luke")
        shared = await runtime.memory.share(waits.id)
        assert (shared.agent, shared.memory_type) == (None, "shared")
        assert await runtime.memory.shares() == []
        assert DECIDED in await told(runtime, OPEN, "luke")
        back = await runtime.memory.unshare(waits.id)
        assert (back.agent, back.memory_type) == ("kyra", "semantic")
        assert "heard_by" not in back.metadata
        assert DECIDED not in await told(runtime, OPEN + " Tell me.", "luke")


async def test_what_waits_may_stay_where_it_is(home: Home, open_runtime: OpenRuntime) -> None:
    configured(home, '[agents.kyra]\nname = "Kyra"\n[agents.kyra.memory]\nauto_share = "ask"\n')
    async with open_runtime(ScriptedModel(otherwise="understood")) as runtime:
        await told(runtime, DECIDED, "kyra")
        (waits,) = await runtime.memory.shares()
        assert (await runtime.memory.unshare(waits.id)).agent == "kyra"
        assert await runtime.memory.shares() == []


@pytest.mark.parametrize(
    "text",
    [
        "[features]\nteam_memory = false\n",
        '[agents.kyra]\nname = "Kyra"\n[agents.kyra.memory]\nauto_share = false\n',
    ],
)
async def test_switched_off_nothing_is_shared_nor_found_by_its_words(
    home: Home, open_runtime: OpenRuntime, text: str
) -> None:
    async with open_runtime(ScriptedModel()):
        pass  # makes the home's files
    configured(home, text)
    async with open_runtime(ScriptedModel(otherwise="understood")) as runtime:
        await told(runtime, DECIDED, "kyra")
        assert await runtime.memory.list() == []


async def test_words_of_others_are_not_shared(runtime: Runtime, tmp_path: Path) -> None:
    identity = NewMemory("You are patient", memory_type="identity", agent="kyra")
    with pytest.raises(UsageError, match="identity"):
        await runtime.memory.share((await runtime.memory.add(identity)).id)
    own = await runtime.memory.add(NewMemory("Deploys are on Mondays", memory_type="shared"))
    with pytest.raises(UsageError, match="nobody knows"):
        await runtime.memory.unshare(own.id)
    assert (await runtime.memory.unshare(own.id, agent="luke")).agent == "luke"


async def test_corrected_it_still_says_who_heard_it(runtime: Runtime) -> None:
    await told(runtime, DECIDED, "kyra")
    (memory,) = await kept(runtime, "shared")
    newer = await runtime.memory.correct(memory.id, DECIDED.replace("PostgreSQL", "DuckDB"))
    assert newer.metadata["heard_by"] == "kyra" and newer.memory_type == "shared"


async def test_a_purge_takes_links_to_what_went(runtime: Runtime) -> None:
    texts = ("The ferry to Lundby leaves the pier at nine", "The ferry to Lundby leaves with bikes")
    added = [await runtime.memory.add(one) for one in texts]
    await runtime.memory.settle()
    while (await runtime.reconciler.catch_up()).behind:
        pass
    now = [await runtime.memory.get(one.id) for one in added]
    ((linking, gone),) = [(one, one.related_to[0]) for one in now if one.related_to]
    plan = await runtime.eraser.plan([gone])
    await runtime.eraser.erase([gone], expected=plan.digest)
    left = await runtime.memory.get(linking.id)
    assert left.related_to == () and gone not in str(left.metadata)
