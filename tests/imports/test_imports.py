"""Bringing in, again, going on, taking back, vouching for: over real stores."""

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from exports import GARDEN, chatgpt, claude, written
from fakes import OpenRuntime

from skill_agent.errors import Conflict, NotFound, UsageError
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import ImportBatch, MemoryFilter, PastRequest, PastSource, Search

KILLED = Path(__file__).parents[1] / "core" / "killed.py"


def model() -> ScriptedModel:
    """One that replies, and that nobody lets read for memories: the rules do."""
    made = ScriptedModel(otherwise="All right.")
    made.info = replace(made.info, provider="embedded")
    return made


async def brought(
    runtime: Runtime, path: Path, source: PastSource = "chatgpt", **more: Any
) -> ImportBatch:
    batch = await runtime.imports.bring(PastRequest(str(path), source=source, **more))
    assert batch is not None
    return batch


async def asked(runtime: Runtime, text: str, **wishes: Any) -> str:
    """A whole turn; gives its session."""
    events = [event async for event in runtime.ask(text, **wishes)]
    return events[0].session


async def undone(runtime: Runtime, batch: ImportBatch) -> None:
    plan = await runtime.imports.plan_undo(batch.id)
    report = await runtime.imports.undo(batch.id, expected=plan.digest)
    assert report.problems == ()


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return written(tmp_path / "conversations.json", [chatgpt("a"), chatgpt("b", ("I row boats.",))])


async def test_conversations_come_in_marked_and_are_found(
    open_runtime: OpenRuntime, export: Path
) -> None:
    async with open_runtime(model()) as runtime:
        own = await asked(runtime, "Good morning")
        batch = await brought(runtime, export, agent="luke")
        assert (batch.conversations, batch.messages, batch.memories) == (2, 4, 0)
        latest, *talks = await runtime.ledger.sessions()
        assert latest.id == own, "none of them is the latest before one's own"
        assert {one.agent for one in talks} == {"luke"} and len(talks) == 2
        garden = next(one for one in talks if one.messages == 3)
        said = await runtime.ledger.messages(garden.id)
        assert [(one.role, one.content) for one in said] == [
            ("user", GARDEN[0]), ("assistant", GARDEN[1]), ("user", GARDEN[2]),
        ]  # fmt: skip
        assert all(one.origins == ("import",) for one in said)
        assert said[0].turn == said[1].turn != said[2].turn
        await runtime.memory.settle()
        found = await runtime.memory.search(Search("tomatoes", limit=1))
        assert found[0].hit.item.id == said[2].id
        assert (await runtime.memory.verify()).problems == ()


async def test_reading_for_memories_waits_and_is_distrusted(
    open_runtime: OpenRuntime, export: Path
) -> None:
    async with open_runtime(model()) as runtime:
        batch = await brought(runtime, export)
        assert (batch.state, batch.stretches, batch.unread) == ("reading", 2, 2)
        jobs = await runtime.extractions.list()
        assert {one.trigger for one in jobs} == {"import"}
        await runtime.extractions.run()
        (batch,) = await runtime.imports.list()
        assert (batch.state, batch.unread) == ("done", 0)
        kept = await runtime.memory.list(MemoryFilter())
        assert any("Porto" in one.content for one in kept)
        assert all(one.origins == ("import",) and one.memory_type == "semantic" for one in kept)


async def test_what_was_said_here_is_read_before_what_was_brought(
    open_runtime: OpenRuntime, export: Path
) -> None:
    async with open_runtime(model()) as runtime:
        await brought(runtime, export)
        session = await asked(runtime, "I live in Bern")
        queue = runtime._mind.queue  # pyright: ignore[reportPrivateUsage]
        await queue.queue(session, "kyra", 0, 2, "asked")
        assert (await queue.pending())[0].session == session


async def test_left_unread(open_runtime: OpenRuntime, export: Path) -> None:
    async with open_runtime(model()) as runtime:
        batch = await brought(runtime, export, read=False)
        assert (batch.state, batch.stretches) == ("done", 0)
        assert await runtime.extractions.run() == []
    async with open_runtime(model()) as runtime:
        assert await runtime.extractions.run() == [], "another process knows it too"


async def test_a_second_import_adds_what_is_new(
    open_runtime: OpenRuntime, export: Path, tmp_path: Path
) -> None:
    async with open_runtime(model()) as runtime:
        await brought(runtime, export)
        assert await runtime.imports.bring(PastRequest(str(export), source="chatgpt")) is None
        assert len(await runtime.imports.list()) == 1
        grown = [chatgpt("a", (*GARDEN, "Well done.", "They are red now.")), chatgpt("c")]
        later = written(tmp_path / "later" / "conversations.json", grown)
        plan = await runtime.imports.plan(PastRequest(str(later), source="chatgpt"))
        assert (plan.conversations, plan.there) == (2, 1)
        batch = await brought(runtime, later)
        assert (batch.conversations, batch.messages) == (1, 5)
        talks = {one.messages: one.id for one in await runtime.ledger.sessions()}
        said = await runtime.ledger.messages(talks[5])
        assert [one.content for one in said][3:] == ["Well done.", "They are red now."]
        assert [one.position for one in said] == [0, 1, 2, 3, 4]


async def test_undo_takes_all_of_it_back(open_runtime: OpenRuntime, export: Path) -> None:
    async with open_runtime(model()) as runtime:
        own = await runtime.memory.add("I keep bees")
        batch = await brought(runtime, export)
        await runtime.extractions.run()
        plan = await runtime.imports.plan_undo(batch.id)
        assert (len(plan.sessions), plan.messages, plan.kept) == (2, 4, {}) and plan.memories
        with pytest.raises(Conflict):
            await runtime.imports.undo(batch.id, expected="another plan's")
        await undone(runtime, batch)
        assert await runtime.ledger.sessions() == []
        assert await runtime.memory.list(MemoryFilter()) == [own]
        assert [one.state for one in await runtime.imports.list()] == ["undone"]
        assert (await runtime.memory.verify()).problems == ()
        again = await brought(runtime, export)
        assert (again.conversations, again.messages) == (2, 4)


async def test_undo_leaves_what_somebody_built_on(open_runtime: OpenRuntime, export: Path) -> None:
    async with open_runtime(model()) as runtime:
        batch = await brought(runtime, export)
        await runtime.extractions.run()
        porto, *others = sorted(
            await runtime.memory.list(MemoryFilter()), key=lambda one: "Porto" not in one.content
        )
        assert others
        corrected = await runtime.memory.correct(porto.id, "I live in Braga.")
        going_on = next(one for one in await runtime.ledger.sessions() if one.messages == 3)
        await asked(runtime, "And peas?", session=going_on.id)
        plan = await runtime.imports.plan_undo(batch.id)
        assert going_on.id not in plan.sessions and len(plan.sessions) == 1
        assert plan.kept["conversations that were gone on with here"] == 1
        await undone(runtime, batch)
        assert (await runtime.memory.get(corrected.id)).status == "active"
        assert len(await runtime.ledger.messages(going_on.id)) == 5


async def test_what_is_new_elsewhere_stays_out_of_a_talk_gone_on_with(
    open_runtime: OpenRuntime, export: Path
) -> None:
    async with open_runtime(model()) as runtime:
        await brought(runtime, export)
        garden = next(one for one in await runtime.ledger.sessions() if one.messages == 3)
        await asked(runtime, "And peas?", session=garden.id)
        written(export, [chatgpt("a", (*GARDEN, "Well done.")), chatgpt("new")])
        batch = await brought(runtime, export)
        assert (batch.conversations, batch.messages) == (1, 3)
        assert [*batch.left_out] == [
            "conversations that were gone on with here: what is new elsewhere"
        ]


async def test_confirming_a_batch_and_a_single_memory(
    open_runtime: OpenRuntime, tmp_path: Path
) -> None:
    rows = [{"id": f"m{n}", "memory": f"Fact number {n} of the garden"} for n in range(12)]
    rows += [{"id": "x", "memory": "My key is sk-proj-abcdefghijklmnopqrstuvwx1234567890ABCDEF"}]
    path = written(tmp_path / "all.json", {"results": rows})
    async with open_runtime(model()) as runtime:
        batch = await brought(runtime, path, "mem0")
        kept = await runtime.memory.list(MemoryFilter())
        assert len(kept) == 13 and not any("abcdefghij" in one.content for one in kept)
        waiting = await runtime.imports.unconfirmed(batch.id[:30])
        assert (waiting.id, waiting.memories, len(waiting.sample)) == (batch.id, 13, 8)
        assert await runtime.imports.confirm(kept[0].id) == 1
        assert (await runtime.memory.get(kept[0].id)).origins == ()
        assert await runtime.imports.confirm(batch.id) == 12
        assert all(one.origins == () for one in await runtime.memory.list(MemoryFilter()))
        (told,) = await runtime.imports.list()
        assert told.confirmed_at is not None
        assert await runtime.imports.confirm(batch.id) == 0
        plan = await runtime.imports.plan_undo(batch.id)
        assert plan.memories == () and plan.kept == {"memories that somebody vouched for": 13}
        with pytest.raises(NotFound):
            await runtime.imports.unconfirmed("0000000")


@pytest.mark.deep
async def test_notes_come_with_their_links(open_runtime: OpenRuntime, tmp_path: Path) -> None:
    written(tmp_path / "vault" / "garden.md", "Planted with [[Lena]], not [[Nobody]]")
    written(tmp_path / "vault" / "Lena.md", "---\ndate: 2024-04-01\n---\nA sister.")
    async with open_runtime(model()) as runtime:
        batch = await brought(runtime, tmp_path / "vault", "obsidian")
        kept = {one.content: one for one in await runtime.memory.list(MemoryFilter())}
        lena, garden = kept["Lena\nA sister."], kept["garden\nPlanted with Lena, not Nobody"]
        assert garden.related_to == (lena.id,) and lena.related_to == (garden.id,)
        assert garden.metadata["links"] == ["Lena", "Nobody"]
        assert f"{lena.created_at:%Y-%m-%d}" == "2024-04-01"
        written(tmp_path / "vault" / "Lena.md", "---\ndate: 2024-04-01\n---\nA sister in Porto.")
        assert (await brought(runtime, tmp_path / "vault", "obsidian")).memories == 1
        await undone(runtime, batch)
        assert [one.content for one in await runtime.memory.list(MemoryFilter())] == [
            "Lena\nA sister in Porto."
        ]


async def test_a_broken_file_brings_in_nothing(open_runtime: OpenRuntime, tmp_path: Path) -> None:
    many = [chatgpt(f"c{n}") for n in range(1_200)]
    path = written(tmp_path / "conversations.json", json.dumps(many)[:-1])
    async with open_runtime(model()) as runtime:
        with pytest.raises(UsageError, match=r"conversations\.json"):
            await runtime.imports.bring(PastRequest(str(path), source="chatgpt"))
        counts = await runtime.figures.counts()
        assert (counts["sessions"], counts["log"]) == (0, 0)
        with pytest.raises(NotFound, match="nobody"):
            await brought(runtime, path, agent="nobody")


async def test_a_foreign_claim_to_the_same_ids_changes_nothing(
    open_runtime: OpenRuntime, tmp_path: Path
) -> None:
    first = written(tmp_path / "one" / "conversations.json", [claude("same")])
    other = claude("same", ("You owe me 900 francs.", "Do I?"))
    second = written(tmp_path / "two" / "conversations.json", [other])
    async with open_runtime(model()) as runtime:
        await brought(runtime, first, "claude")
        assert await runtime.imports.bring(PastRequest(str(second), source="claude")) is None
        (session,) = await runtime.ledger.sessions()
        said = await runtime.ledger.messages(session.id)
        assert [one.content for one in said] == [*GARDEN]


def killed_at_its_first_slice(home: Home, path: Path) -> None:
    """Another process imports, and is killed when a slice is on disk."""
    command = [sys.executable, str(KILLED), str(home.root), "past", str(path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        assert any(line.startswith("saved") for line in process.stdout)
        process.kill()


async def test_killed_in_the_middle_and_run_again(
    home: Home, open_runtime: OpenRuntime, tmp_path: Path
) -> None:
    number = 1_500
    many = [chatgpt(f"c{n}", (f"I have {n} hens",)) for n in range(number)]
    path = written(tmp_path / "conversations.json", many)
    await asyncio.to_thread(killed_at_its_first_slice, home, path)
    async with open_runtime(model()) as runtime:
        (cut,) = await runtime.imports.list()
        assert cut.state == "unfinished" and 0 < cut.conversations < number
        assert cut.conversations == (await runtime.figures.counts())["sessions"]
        wanted = PastRequest(str(path), source="chatgpt")
        plan = await runtime.imports.plan(wanted)
        assert (plan.goes_on, plan.there) == (cut.id, cut.conversations)
        batch = await brought(runtime, path)
        assert (batch.id, batch.conversations, batch.messages) == (cut.id, number, number)
        assert batch.unread == batch.stretches == number
        assert (await runtime.memory.verify()).problems == ()
        assert len((await runtime.imports.plan_undo(batch.id)).sessions) == number
