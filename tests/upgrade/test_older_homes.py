"""Homes written by released versions open in this one and show the same.

`home-0.1.tar.xz` was written by version 0.1.0 (conversations, memories with a correction, a
forgotten one and a rating, an agent of the person's own), with the index of `HashEmbedder`;
`home-0.1.json` is what that version showed of it. `home-schema-5`, by `make_home.py`, has besides
what came of tool calls, clocks, and the origins of texts.
"""

import json
import tarfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from fakes import HashEmbedder, StepClock
from in_process import open_in_process

from skill_agent.conversations.usage import usage_record
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel

HERE = Path(__file__).parent
SHOWN: dict[str, Any] = json.loads((HERE / "home-0.1.json").read_text(encoding="utf-8"))


@pytest.fixture
def old_home(tmp_path: Path) -> Path:
    root = tmp_path / "home"
    with tarfile.open(HERE / "home-0.1.tar.xz") as archive:
        archive.extractall(root, filter="data")
    return root


async def shown_by(runtime: Runtime) -> dict[str, Any]:
    sessions = await runtime.conversations.list()
    messages = {one.id: await runtime.conversations.messages(one.id) for one in sessions}
    usage = await runtime.figures.usage()
    return {
        "sessions": [[one.id, one.title, one.agent, one.archived] for one in sessions],
        "messages": {
            session: [
                [m.id, m.role, m.content, m.agent, m.state, list(m.recalled)] for m in several
            ]
            for session, several in messages.items()
        },
        "memories": sorted(
            [m.id, m.content, m.memory_type, m.status, m.pinned, m.version]
            for m in await runtime.memory.list()
        ),
        "search": [one.hit.item.id for one in await runtime.memory.search("deploy release branch")],
        "agents": [one.slug for one in await runtime.agents.list()],
        "usage": usage_record(usage.total),
        "turns": usage.turns,
        "counts": await runtime.figures.counts(),
        "ratings": await runtime.feedback.of([m.id for one in messages.values() for m in one]),
        "verify": list((await runtime.memory.verify()).problems),
    }


async def shown_messages(runtime: Runtime) -> list[Any]:
    """What schema 5 keeps of messages beside their words."""
    sessions = await runtime.conversations.list()
    several = [await runtime.ledger.messages(one.id) for one in sessions]
    told = [
        [m.id, m.zone, list(m.origins), asdict(m.outcome) if m.outcome else None,
         [[call.name, call.problem] for call in m.tool_calls]]
        for messages in several for m in messages
    ]  # fmt: skip
    return json.loads(json.dumps(told))


async def test_a_home_of_the_first_version_shows_the_same_and_goes_on(old_home: Path) -> None:
    model = ScriptedModel(["On Fridays, from the release branch."])
    options: Any = {"gateway": ScriptedGateway(model), "embedder": HashEmbedder()}
    async with open_in_process(old_home, clock=StepClock(), **options) as runtime:
        assert await shown_by(runtime) == SHOWN
        events = [one async for one in runtime.ask("And when was that?", session="latest")]
        assert events[-1].text == "On Fridays, from the release branch."  # type: ignore[union-attr]
        turns = [one.turn for one in await runtime.ledger.messages(events[-1].session)]
        calls = [await runtime.turns.prompt(turn) for turn in (turns[0], turns[-1])]
        assert [len(several) for several in calls] == [0, 1], "none was kept before"
    async with open_in_process(old_home, clock=StepClock(), **options) as runtime:
        counts = await runtime.figures.counts()
        assert counts["messages"] == SHOWN["counts"]["messages"] + 2
        assert (await runtime.memory.verify()).problems == ()


async def test_a_home_of_schema_5_shows_the_same_and_goes_on(tmp_path: Path) -> None:
    root = tmp_path / "home"
    with tarfile.open(HERE / "home-schema-5.tar.xz") as archive:
        archive.extractall(root, filter="data")
    shown = json.loads((HERE / "home-schema-5.json").read_text(encoding="utf-8"))
    model = ScriptedModel(["From the release branch."])
    options: Any = {"gateway": ScriptedGateway(model), "embedder": HashEmbedder()}
    async with open_in_process(root, clock=StepClock(), **options) as runtime:
        told = await shown_messages(runtime)
        assert {**await shown_by(runtime), "told": told} == shown
        async for _ in runtime.ask("From where?", session="latest"):
            pass
    async with open_in_process(root, clock=StepClock(), **options) as runtime:
        counts = await runtime.figures.counts()
        assert counts["messages"] == shown["counts"]["messages"] + 2
        assert (await runtime.memory.verify()).problems == ()
