"""Each pattern from end to end on the model that a home has by default, with a small real task.

What it says is a 1.5B model's; what must hold whatever it says are states, names and limits.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes import HashEmbedder
from in_process import open_in_process
from model_files import give_to

from skill_agent.events import CollaborationChanged
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.values import Collaboration, NewCollaboration, Participant, Pattern

pytestmark = pytest.mark.slow

CODE = """def mean(values):
    total = 0
    for value in values:
        total += value
    return total / len(values)
"""
TASKS: dict[Pattern, tuple[str, tuple[str, ...], str]] = {
    "supervisor_worker": (
        "What happens when this function gets an empty list, and what should it do?",
        ("kyra", "luke"),
        CODE,
    ),
    "pipeline": ("Explain in two sentences what this function computes.", ("luke", "ada"), CODE),
    "peer_review": ("Write one sentence that says what a bakery sells.", ("max", "ada"), ""),
    "brainstorm": ("Three names for a small bakery by the sea.", ("kyra", "max"), ""),
    "consensus": ("Tea or coffee for a morning meeting?", ("kyra", "ada"), ""),
    "delegation": ("What does this function return for [2, 4]?", ("kyra", "luke"), CODE),
}
ENDING_S = 15.0
"""How long a stopped task may take to end on a busy machine; its time is 120 s."""
NAMES = {"kyra": "Kyra", "luke": "Luke", "ada": "Ada", "max": "Max"}


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[Runtime]:
    home = Home(tmp_path / "home")
    give_to(home, "qwen2.5-coder-1.5b")
    async with open_in_process(home.root, create=True, embedder=HashEmbedder()) as opened:
        yield opened


async def ended(runtime: Runtime, new: NewCollaboration) -> Collaboration:
    states: list[str] = []
    with runtime.turns.subscribe() as events:
        one = await runtime.collaborations.start(new)
        async for event in events:
            if isinstance(event, CollaborationChanged) and event.collaboration == one.id:
                states.append(event.status)
                if event.status in ("completed", "failed", "timed_out", "cancelled"):
                    break
    assert states[0] == "planning" and states[1] == "active"
    return await runtime.collaborations.get(one.id)


@pytest.mark.parametrize("pattern", TASKS)
async def test_each_pattern_on_the_small_model(runtime: Runtime, pattern: Pattern) -> None:
    goal, people, material = TASKS[pattern]
    new = NewCollaboration(
        goal,
        pattern=pattern,
        participants=tuple(Participant(slug=one) for one in people),
        context=material,
        max_rounds=2,
    )
    plan = await runtime.collaborations.plan(new)
    assert plan.estimate_s and plan.estimate_usd == 0.0
    done = await ended(runtime, new)
    assert done.status == "completed", done.error
    assert done.total_cost_usd == 0.0 and 0 < done.total_tokens <= 4_000 * len(done.stage_outputs)
    assert all(one.duration_seconds <= 120.0 + ENDING_S for one in done.stage_outputs)
    gave = {one.agent_slug for one in done.stage_outputs if one.output}
    if pattern != "delegation":
        assert gave == {*people}
        for slug in gave - {done.lead}:
            assert NAMES[slug] in done.final_output, "whoever contributed is named"
    elif done.final_output:
        assert done.final_output.startswith("According to Luke (code review):")
    (session,) = await runtime.conversations.list()
    assert session.title.startswith(goal[:40])
    reply = (await runtime.conversations.messages(session.id))[-1]
    assert reply.content == done.final_output and "agent" in reply.origins


async def test_its_time_ends_it(runtime: Runtime) -> None:
    """Mid-reply: what there is is given, and nothing runs on."""
    await runtime.turns.prepare("luke")
    new = NewCollaboration(
        "Write a long story about a lighthouse, with many chapters.",
        pattern="pipeline",
        participants=(Participant(slug="luke"), Participant(slug="ada")),
        max_duration_s=12.0,
    )
    done = await ended(runtime, new)
    assert done.status == "timed_out" and done.error.startswith("stopped after 12 s")
    if done.final_output:  # a slow machine may not have come to a word by then
        assert done.final_output.startswith("According to Luke")
        assert "Stopped after 12 s" in done.final_output
    assert done.completed_at is not None
    assert (done.completed_at - done.created_at).total_seconds() < 12 + ENDING_S
    assert not [one for one in await runtime.turns.list() if one.state == "running"]
    await asyncio.sleep(0)
