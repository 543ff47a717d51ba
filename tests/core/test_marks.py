"""Conversations pinned, put away and branched off, in a real home."""

from pathlib import Path
from typing import Any

import pytest
from fakes import HashEmbedder, StepClock
from in_process import open_in_process

from skill_agent.errors import NotFound, UsageError
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.values import Session


def opened(folder: Path, *replies: str) -> Any:
    model = ScriptedModel(replies, otherwise="Yes.")
    return open_in_process(
        folder / "home", create=True, embedder=HashEmbedder(), clock=StepClock(),
        gateway=ScriptedGateway(model),
    )  # fmt: skip


async def talk(runtime: Runtime, *said: str) -> Session:
    session = None
    for text in said:
        async for event in runtime.ask(text, session=session):
            session = event.session
    assert session
    return await runtime.conversations.find(session)


def titles(sessions: list[Session]) -> list[str]:
    return [one.title for one in sessions]


async def test_what_is_put_away_is_off_the_list_and_still_remembered(tmp_path: Path) -> None:
    async with opened(tmp_path) as runtime:
        talks = runtime.conversations
        for text in ("First things", "Second things", "Third things"):
            await talk(runtime, text)
        away = await talks.archive("Third things")
        assert away.archived and (await talks.find("third")).archived
        assert titles(await talks.list()) == ["Second things", "First things"]
        assert titles(await talks.list(archived=True)) == ["Third things"]
        assert titles(await talks.list(limit=1)) == ["Second things"]
        assert titles(await talks.matching("things")) == ["Second things", "First things"]
        assert titles(await talks.matching("things", archived=True)) == ["Third things"]
        assert (await talks.find("latest")).title == "Second things"
        assert [one.content for one in await talks.search("third")] == ["Third things"]
        await talks.archive(away.id)  # once is enough
        assert len(await runtime.ledger.log(away.id, kinds=("conversation.marked",))) == 1
    async with opened(tmp_path) as runtime:  # nothing of it was only in mind
        talks = runtime.conversations
        assert titles(await talks.list(archived=True)) == ["Third things"]
        await talks.archive("Third things", archived=False)
        assert titles(await talks.list())[0] == "Third things"
        assert (await runtime.memory.verify()).problems == ()


async def test_pages_are_full_though_some_are_put_away(tmp_path: Path) -> None:
    async with opened(tmp_path) as runtime:
        talks = runtime.conversations
        for number in range(9):
            await talk(runtime, f"Talk {number}")
        for number in (8, 7, 5, 4):
            await talks.archive(f"Talk {number}")
        first = await talks.list(limit=2)
        assert titles(first) == ["Talk 6", "Talk 3"]
        rest = await talks.list(limit=2, before=(first[-1].updated_at, first[-1].id))
        assert titles(rest) == ["Talk 2", "Talk 1"]
        put = await talks.list(limit=3, archived=True)
        assert titles(put) == ["Talk 8", "Talk 7", "Talk 5"]
        last = await talks.list(archived=True, before=(put[-1].updated_at, put[-1].id))
        assert titles(last) == ["Talk 4"]


async def test_pinned_ones_are_told_and_listed(tmp_path: Path) -> None:
    async with opened(tmp_path) as runtime:
        talks = runtime.conversations
        old = await talk(runtime, "Old")
        new = await talk(runtime, "New")
        await talks.pin(old.id)
        assert [(one.title, one.pinned) for one in await talks.list()] == [
            ("New", False), ("Old", True),
        ]  # fmt: skip
        assert titles(await talks.list(pinned=True)) == ["Old"]
        await talks.pin(new.id)
        assert titles(await talks.list(pinned=True)) == ["New", "Old"]
        await talks.delete(new.id)
        assert titles(await talks.list(pinned=True)) == ["Old"]
        for doing in (talks.pin(new.id), talks.archive(new.id, archived=False)):
            with pytest.raises(UsageError, match="was deleted"):
                await doing


async def test_a_branch_goes_on_from_a_message(tmp_path: Path) -> None:
    async with opened(tmp_path, "In May.", "On Friday.", "Or Monday.") as runtime:
        talks = runtime.conversations
        origin = await talk(runtime, "When do we move?", "Which day?")
        said = await talks.messages(origin.id)
        branch = await talks.branch(origin.id, upto=said[1].id)
        assert (branch.title, branch.agent) == ("When do we move? (branch)", origin.agent)
        assert branch.branched_from == origin.id and branch.messages == 2
        copies = await talks.messages(branch.id)
        assert [one.content for one in copies] == ["When do we move?", "In May."]
        assert [one.created_at for one in copies] == [one.created_at for one in said[:2]]
        assert not {one.turn for one in copies} & {one.turn for one in said}
        (note,) = await runtime.ledger.log(branch.id, kinds=("conversation.branched",))
        assert note.new and (note.new["from"], note.new["message"]) == (origin.id, said[1].id)
        async for _ in runtime.ask("Which other day?", session=branch.id):
            pass
        assert [one.content for one in await talks.messages(branch.id)][2:] == [
            "Which other day?", "Or Monday.",
        ]  # fmt: skip
        assert await talks.messages(origin.id) == said
        assert titles(await talks.list()) == ["When do we move? (branch)", "When do we move?"]
        assert titles([await talks.branch(branch.id)]) == ["When do we move? (branch)"]
        assert (await runtime.memory.verify()).problems == ()


async def test_copies_count_for_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as runtime:
        talks = runtime.conversations
        origin = await talk(runtime, "I live in Porto and my dog is called Rex.")
        await runtime.extractions.run(origin.id)
        kept, used = await runtime.memory.list(), await runtime.figures.usage(by="agent")
        assert kept
        branch = await talks.branch(origin.id)
        await runtime.extractions.run(branch.id)
        assert await runtime.memory.list() == kept
        assert await runtime.figures.usage(by="agent") == used
        assert all(one.usage is None for one in await talks.messages(branch.id))
        (hit,) = [one for one in await talks.search("porto") if one.role == "user"]
        assert hit.session == origin.id
        recalled = [one.hit.item.session for one in await runtime.memory.search("dog Rex Porto")]
        assert origin.id in recalled and branch.id not in recalled
        await talks.delete(origin.id)
        assert {one.session for one in await talks.search("porto")} == {branch.id}
        states = await runtime.turns.of_session(branch.id)
        assert [one.state for one in states] == ["finished"]
    async with opened(tmp_path) as runtime:  # nobody ends a turn that was never begun
        (state,) = await runtime.turns.of_session(branch.id)
        assert (state.state, state.reason) == ("finished", None)


async def test_a_branch_needs_something_to_begin_with(tmp_path: Path) -> None:
    async with opened(tmp_path) as runtime:
        one, other = await talk(runtime, "One"), await talk(runtime, "Other")
        theirs = (await runtime.conversations.messages(other.id))[0]
        with pytest.raises(NotFound, match="no message"):
            await runtime.conversations.branch(one.id, upto=theirs.id)
        assert len(await runtime.conversations.list()) == 2
