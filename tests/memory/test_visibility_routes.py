"""What an agent may see, by every route on which a memory or a turn can reach it.

Every type, owner and user, pinned and not; the rule is written out here in words of its own.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import product
from typing import Any

import numpy as np
import pytest
from fakes import OpenRuntime
from skill_agent.store.lance_index.columns import Columns
from skill_agent.store.lance_index.rows import schema, to_table

from skill_agent.events import MemoryRecalled
from skill_agent.host.runtime import Runtime
from skill_agent.memory.recall.recaller import may_see
from skill_agent.memory.rows import read_row
from skill_agent.models.scripted import ScriptedModel
from skill_agent.ports import ModelRequest
from skill_agent.values import (
    MEMORY_TYPES,
    IndexItem,
    Memory,
    MemoryFilter,
    RecallQuery,
    Scope,
    Search,
)

OWNERS = (None, "kyra", "luke")
USERS = (None, "me", "sarah")
VIEWERS = ("kyra", "luke")
OWNED = ("agent_private", "identity")
EVERY = [
    (kind, owner, user, pinned)
    for kind, owner, user, pinned in product(MEMORY_TYPES, OWNERS, USERS, (False, True))
    if owner or kind not in OWNED
]


def content(kind: str, owner: str | None, user: str | None, pinned: bool) -> str:
    return f"zebra {kind} owner-{owner} user-{user} {'pinned' if pinned else 'loose'}"


def visible(viewer: str, kind: str, owner: str | None, user: str | None) -> bool:
    """Seen by a viewer who works for `me`."""
    if user == "sarah" or (kind == "user_profile" and user not in (None, "me")):
        return False
    if kind in ("shared", "user_profile"):
        return True
    return owner == viewer or (owner is None and kind in ("semantic", "episodic"))


def allowed(viewer: str) -> set[str]:
    seen = {content(k, o, u, p) for k, o, u, p in EVERY if visible(viewer, k, o, u)}
    # A profile without a user is the home's own person's.
    return seen | {content(k, o, u, p) for k, o, u, p in EVERY if k == "user_profile" and not u}


def hidden(viewer: str) -> set[str]:
    return {content(*row) for row in EVERY} - allowed(viewer)


async def keep_as_they_are(runtime: Runtime, rows: list[dict[str, Any]]) -> None:
    """What a home may hold, whoever made it."""
    memories = [read_row(row, now=datetime.now(UTC), user="me") for row in rows]
    await runtime.ledger.import_memories(memories, actor="test")


def leaks(viewer: str, text: str) -> list[str]:
    return [one for one in hidden(viewer) if one in text]


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel(otherwise="understood")


@pytest.fixture
async def runtime(open_runtime: OpenRuntime, model: ScriptedModel) -> AsyncIterator[Runtime]:
    async with open_runtime(model) as opened:
        rows = [
            {
                "content": content(kind, owner, user, pinned), "memory_type": kind,
                "agent": owner, "user": user, "pinned": pinned, "importance": 9,
            }
            for kind, owner, user, pinned in EVERY
        ]  # fmt: skip
        await keep_as_they_are(opened, rows)
        await opened.memory.settle()
        yield opened


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_search_gives_an_agent_what_is_its_own(runtime: Runtime, viewer: str) -> None:
    for cold in (False, True):
        found = await runtime.memory.search(Search("zebra", agent=viewer, limit=500, cold=cold))
        assert {one.hit.item.text for one in found} == allowed(viewer)
    for kind in MEMORY_TYPES:
        found = await runtime.memory.search(
            Search("zebra", agent=viewer, limit=500, kinds=("memory",), memory_types=(kind,))
        )
        mine = {content(*row) for row in EVERY if row[0] == kind} & allowed(viewer)
        assert {one.hit.item.text for one in found} == mine


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_listing_and_export(runtime: Runtime, viewer: str) -> None:
    wanted = MemoryFilter(agent=viewer, limit=500)
    assert {one.content for one in await runtime.memory.list(wanted)} == allowed(viewer)
    assert {row["content"] async for row in runtime.memory.export(wanted)} == allowed(viewer)


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_the_search_tool(runtime: Runtime, viewer: str) -> None:
    tool = runtime._turns._bench.tools(await runtime.agents.get(viewer))["search_memory"]
    for query in ("zebra", *(content(*row) for row in EVERY if content(*row) in hidden(viewer))):
        outcome = await tool.run({"query": query})
        assert not leaks(viewer, outcome.text)


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_a_turn_and_everything_its_model_reads(
    runtime: Runtime, model: ScriptedModel, viewer: str
) -> None:
    asked = [content(*row) for row in EVERY if content(*row) in hidden(viewer)]
    for number in range(0, len(asked), 7):
        question = asked[number].replace("zebra ", "what of the zebra, ")
        async for event in runtime.ask(question, agent=viewer):
            if isinstance(event, MemoryRecalled):
                assert not hidden(viewer) & {item.content for item in event.items}
    assert model.requests
    assert not [leak for request in model.requests for leak in leaks(viewer, _read(request))]


def _read(request: ModelRequest) -> str:
    return "\n".join(message.content for message in request.messages)


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_likeness_is_looked_for_among_the_visible_only(runtime: Runtime, viewer: str) -> None:
    index = await runtime._projector.index()
    scope = Scope(agent=viewer, user="me")
    (near,) = await index.similar(["zebra"], scope=scope, limit=500)
    assert {one.item.text for one in near} <= allowed(viewer)
    memories = {one.id: one.content for one in await runtime.memory.list(MemoryFilter(limit=500))}
    pairs = await index.near_pairs(above=0.1, scope=scope)
    assert {memories[one] for pair in pairs for one in pair[:2]} <= allowed(viewer)


async def test_links_do_not_lead_out_of_what_is_visible(
    open_runtime: OpenRuntime, model: ScriptedModel
) -> None:
    async with open_runtime(model) as runtime:
        await keep_as_they_are(
            runtime,
            [
                {"id": "open", "content": "the harbour opens at six", "related_to": ["secret"]},
                {"id": "secret", "content": "smuggled crates", "memory_type": "agent_private",
                 "agent": "luke"},
                {"id": "old", "content": "the harbour opens at five", "status": "superseded",
                 "superseded_by": "secret"},
            ],
        )  # fmt: skip
        for cold in (False, True):
            found = await runtime.memory.search(Search("harbour", agent="kyra", cold=cold))
            assert "secret" not in {one.hit.item.id for one in found}


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_conversations_stay_with_the_agent_they_were_held_with(
    open_runtime: OpenRuntime, model: ScriptedModel, viewer: str
) -> None:
    other = next(one for one in VIEWERS if one != viewer)
    async with open_runtime(model) as runtime:
        async for _ in runtime.ask("the zebra crossed at noon", agent=other):
            pass
        for query in ("zebra crossed at noon", "understood"):
            found = await runtime.memory.search(Search(query, agent=viewer, limit=50))
            assert not [one for one in found if one.hit.item.agent == other]
        assert not await runtime.ledger.search_messages("zebra", agent=viewer)
        assert await runtime.memory.search(Search("zebra", agent=other))


@pytest.mark.parametrize("viewer", [None, *VIEWERS])
def test_the_check_beside_the_index_agrees_with_the_index(viewer: str | None) -> None:
    from datetime import UTC, datetime

    now = datetime(2026, 11, 20, tzinfo=UTC)
    items, memories = list[IndexItem](), list[Memory]()
    for number, (kind, owner, user, pinned) in enumerate(EVERY):
        shared = {"id": str(number), "memory_type": kind, "agent": owner, "user": user}
        memories.append(
            Memory(**shared, content="x", created_at=now, updated_at=now, pinned=pinned)  # type: ignore[arg-type]
        )
        items.append(
            IndexItem(**shared, kind="memory", seq=number, text="x", created_at=now)  # type: ignore[arg-type]
        )
    columns = Columns()
    none = [b""] * len(items)
    rows = to_table(items, np.zeros((len(items), 1)), [""] * len(items), none, schema(1, "none"))
    columns.extend(rows, np.zeros(len(items)))
    scope = Scope(agent=viewer, user="me")
    assert columns.visible(scope, now).tolist() == [may_see(one, scope) for one in memories]


async def test_a_memory_the_ledger_has_dropped_is_not_found_through_an_index_that_lags(
    open_runtime: OpenRuntime, model: ScriptedModel
) -> None:
    async with open_runtime(model) as runtime:
        kept = await runtime.memory.add("the zebra eats grass")
        await runtime.memory.settle()
        index = await runtime._projector.index()
        query = RecallQuery(text="zebra grass", scope=Scope(user="me"), now=kept.created_at)
        assert await index.recall(query)
        await runtime.memory.forget(kept.id)
        assert not await runtime.book.recall(query)
