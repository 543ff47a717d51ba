"""Fifty collaborations at once: nothing is lost, nothing is left behind."""

import asyncio
import gc
from collections import Counter
from dataclasses import replace

import pytest
from collaborating import GOAL, SMALL
from fakes import OpenRuntime

from skill_agent.events import CollaborationChanged, Event, TaskChanged, TurnFailed, TurnFinished
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import NewCollaboration, Participant

PEOPLE = tuple(Participant(slug=one) for one in ("kyra", "luke", "ada"))


@pytest.mark.slow
async def test_fifty_at_once(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel(otherwise="Plant an apple tree.", profile=SMALL)
    model.info = replace(model.info, local=False, own_server=True)
    async with open_runtime(model) as runtime:
        before, sizes = len(asyncio.all_tasks()), list[int]()
        for round_ in range(3):
            heard: list[Event] = []
            with runtime.turns.subscribe() as events:
                listening = asyncio.create_task(_heard(events, heard, most=50))
                begun = await asyncio.gather(
                    *(
                        runtime.collaborations.start(
                            NewCollaboration(
                                f"{GOAL} {round_}/{number}",
                                pattern="brainstorm",
                                participants=PEOPLE,
                                lead="kyra",
                            )
                        )
                        for number in range(50)
                    )
                )
                await listening
            _nothing_is_lost(heard, {one.id for one in begun})
            await runtime.settle()
            for one in begun:
                done = await runtime.collaborations.get(one.id)
                assert done.status == "completed" and len(done.stage_outputs) == 3
            sessions = runtime._team.sessions
            assert sessions._running == {}
            assert len(asyncio.all_tasks()) <= before + 2
            gc.collect()
            sizes.append(sum(type(one).__name__ == "Work" for one in gc.get_objects()))
        assert len(await runtime.collaborations.list(limit=1_000)) == 150
        assert sizes == [sizes[0]] * 3, "what has ended is let go"


async def _heard(events: object, heard: list[Event], *, most: int) -> None:
    ended = 0
    async for event in events:  # type: ignore[attr-defined]
        heard.append(event)
        if isinstance(event, CollaborationChanged) and event.status == "completed":
            ended += 1
        if ended == most:
            return


def _nothing_is_lost(heard: list[Event], begun: set[str]) -> None:
    """Of each its beginning, two events a step, its end; of a task its end, of a turn one."""
    told = Counter(one.collaboration for one in heard if isinstance(one, CollaborationChanged))
    assert told == dict.fromkeys(begun, 1 + 2 * 3 + 1)
    tasks = Counter(
        one.collaboration
        for one in heard
        if isinstance(one, TaskChanged) and one.status == "completed"
    )
    assert tasks == dict.fromkeys(begun, 3)
    turns = Counter(one.turn for one in heard if isinstance(one, TurnFinished | TurnFailed))
    assert len(turns) == 150 and set(turns.values()) == {1}
    assert not any(isinstance(one, TurnFailed) for one in heard)
