"""Team work as trees, and as what a conversation shows of it, over real stores."""

import asyncio
from datetime import timedelta

import pytest
from fakes import OpenRuntime
from giving import engine, task

from skill_agent.errors import NotFound, UsageError
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import NewCollaboration, Participant
from skill_agent.workstation.branches import figures, flat, running, span, tree_of, work_of
from skill_agent.workstation.past import past_of


def test_spans_are_said_in_their_two_largest_units() -> None:
    assert [span(one) for one in (0.4, 61, 3_600, 93_700)] == ["0 s", "1 min 1 s", "1 h", "1 d 2 h"]


async def test_a_tree_has_all_that_is_part_of_it_with_its_figures(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise="An apple.")) as runtime:
        people = tuple(Participant(slug=one) for one in ("luke", "ada"))
        begun = await runtime.collaborations.start(
            NewCollaboration("Which tree?", pattern="pipeline", participants=people)
        )
        alone = await engine(runtime).run(task("Look at the roots"))
        while not (await runtime.collaborations.get(begun.id)).ended:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        roots = await work_of(runtime)
        assert {one.id for one in roots} == {begun.id, alone.id}
        assert running(roots) == 0
        root = await tree_of(runtime, begun.id)
        assert [one.agent for one in root.children][:2] == ["luke", "ada"]
        assert root.tokens_used == sum(one.tokens_used for one in root.children) > 0
        assert all(one.heading == one.stage for one in root.children)
        assert "tokens" in figures(root, root.created_at)
        (child, *_) = root.children
        assert (await tree_of(runtime, child.id)).children == ()
        assert [depth for depth, _ in flat([root])] == [0, *(1 for _ in root.children)]
        with pytest.raises(NotFound, match="no task or collaboration"):
            await tree_of(runtime, "nothing of the kind")
        with pytest.raises((NotFound, UsageError)):
            await tree_of(runtime, "")
        waiting = root.created_at - timedelta(seconds=5)
        assert root.seconds(waiting) is not None


async def test_a_conversation_knows_what_it_gave_to_agents(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="All right.")) as runtime:
        said = [event async for event in runtime.ask("Hello")]
        begun = said[0]
        own = await engine(runtime).run(task("One", conversation=begun.session))
        await engine(runtime).run(task("Of nobody's conversation"))
        kept = await runtime.tasks.list(conversation=begun.session)
        assert [one.id for one in kept] == [own.id]
        assert kept[0].session == own.id, "worked on in a conversation of its own"
        assert [one.id for one in (await past_of(runtime, begun.session)).tasks] == [own.id]
        assert (await past_of(runtime, own.id)).messages[-1].content == "All right."
