"""What is read of a home, and closed, after everything of its person was erased."""

from pathlib import Path
from typing import get_args

from fakes import OpenRuntime, obliging

from skill_agent.agents.pages import figures
from skill_agent.errors import NotFound
from skill_agent.events import TurnFailed, TurnFinished
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Chore, NewMemory, Search


async def talked(runtime: Runtime) -> list[str]:
    """Fills a home with some of everything; gives the ids of turns."""
    turns: list[str] = []
    for text in ("Remember that I live in Lisbon", "@luke I have two children.", "What is new?"):
        async for event in runtime.ask(text):
            if isinstance(event, TurnFinished | TurnFailed):
                turns.append(event.turn)
        await runtime.feedback.rate("latest", "up", "good")
    await runtime.memory.add("I have three children")
    await runtime.memory.search("children")
    pinned = await runtime.memory.add(NewMemory("The cat is called Miso", pinned=True))
    await runtime.memory.forget((await runtime.memory.correct(pinned.id, "It is called Rex")).id)
    await runtime.extractions.run()
    await runtime.upkeep.consolidate()
    await runtime.upkeep.expire()
    return turns


async def read_everything(runtime: Runtime, turns: list[str], folder: Path) -> None:
    await runtime.conversations.list()
    assert await runtime.conversations.search("Lisbon") == []
    await runtime.figures.info()
    await runtime.figures.usage()
    await runtime.figures.counts()
    await runtime.figures.warnings()
    assert await runtime.memory.list() == []
    assert await runtime.memory.search(Search("children", cold=True)) == []
    assert await runtime.memory.disputes() == []
    assert await runtime.memory.written_since(0) == []
    assert (await runtime.memory.verify()).problems == ()
    await runtime.memory.status()
    await runtime.memory.rebuild()
    await runtime.extractions.list()
    await runtime.extractions.run()
    for chore in get_args(Chore):
        await runtime.upkeep.status(chore)
    await runtime.upkeep.consolidate(dry_run=True)
    await runtime.upkeep.expire(dry_run=True)
    await runtime.feedback.of(["one"])
    await runtime.turns.list()
    for turn in turns:
        try:
            await runtime.turns.get(turn)
            await runtime.turns.prompt(turn)
        except NotFound:
            pass
        await runtime.turns.requester(turn)
    await runtime.user_data.plan_purge()
    await runtime.user_data.export(str(folder / "user.zip"))
    written = await runtime.agents.export([], to=str(folder / "again"), page_format="claude")
    assert written.written
    assert all(
        one.tokens == 0 and one.liked == 0 for one in (await figures(runtime.ledger)).values()
    )


async def test_everything_is_read_and_closed_after_a_purge(
    open_runtime: OpenRuntime, tmp_path: Path
) -> None:
    async with open_runtime(ScriptedModel(otherwise=obliging)) as runtime:
        turns = await talked(runtime)
        await runtime.agents.export([], to=str(tmp_path / "pages"), page_format="markdown")
        plan = await runtime.user_data.plan_purge()
        await runtime.user_data.erase(expected=plan.digest)
        await read_everything(runtime, turns, tmp_path)
    (tmp_path / "second").mkdir()
    assert "Rated good: 0" in (tmp_path / "pages" / "luke.md").read_text()
    async with open_runtime(ScriptedModel(otherwise=obliging)) as runtime:
        await read_everything(runtime, turns, tmp_path / "second")
        async for event in runtime.ask("hello again"):
            assert not isinstance(event, TurnFailed)
