"""What is looked at before a collaboration begins: who takes part, limits, what it will take."""

import asyncio
from dataclasses import replace

import pytest
from collaborating import GOAL, SMALL, asked, staged
from fakes import OpenRuntime, StepClock

from skill_agent.access.confined import Confined
from skill_agent.errors import Conflict, Forbidden, NotFound, UsageError
from skill_agent.events import CollaborationChanged
from skill_agent.identifiers import new_id
from skill_agent.models.scripted import ScriptedModel
from skill_agent.settings.schema import FeatureSettings, Settings
from skill_agent.team.sessions.estimate import speed_of
from skill_agent.team.sessions.material import fair
from skill_agent.values import (
    ModelInfo,
    NewCollaboration,
    Participant,
    Requester,
    Usage,
)


async def test_what_cannot_be_is_told_and_leaves_nothing_behind(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with staged(open_runtime, clock) as stage:
        await stage.runtime.agents.set_status("max", "paused")
        wrong = [
            (asked("pipeline", "luke"), "at least two agents, not 1 agent"),
            (asked("peer_review", "luke", "ada", "kyra"), "a writer and a reviewer"),
            (asked("delegation", "kyra", "luke", "ada"), "one agent, or a lead"),
            (asked("consensus", "luke"), "at least two agents"),
            (asked("brainstorm", "kyra", "luke", "luke"), "luke is named twice"),
            (asked("brainstorm", "kyra", "max"), "Max is paused"),
            (asked("brainstorm", "kyra", "nobody"), 'no agent "nobody"'),
            (asked("brainstorm", "kyra", "luke", lead="ada"), "ada leads, but takes no part"),
            (asked("brainstorm", goal="  "), "what is the goal"),
            (asked("brainstorm", goal="x" * 20_001), "longer than 20,000"),
            (asked("brainstorm", max_duration_s=0.0), "max_duration_s is 0"),
            (asked("brainstorm", max_duration_s=float("nan")), "max_duration_s is nan"),
            (asked("brainstorm", max_cost_usd=-1.0), "max_cost_usd is -1"),
            (asked("brainstorm", max_rounds=0), "max_rounds is 0"),
            (asked("brainstorm", conversation="nowhere"), "no session"),
            (asked("brainstorm", key="no key"), "is no key"),
        ]
        for new, told in wrong:
            with pytest.raises(UsageError) as caught:
                await stage.sessions.start(new)
            assert told in caught.value.message
            assert caught.value.hint, told
        reviewers = tuple(Participant(slug=one, role="reviewer") for one in ("luke", "ada"))
        with pytest.raises(UsageError, match="not two reviewers"):
            await stage.sessions.plan(
                NewCollaboration(GOAL, pattern="peer_review", participants=reviewers)
            )
        assert await stage.sessions.list() == [] and stage.told == []
        assert await stage.runtime.conversations.list() == []


async def test_switched_off_nothing_begins(open_runtime: OpenRuntime, clock: StepClock) -> None:
    off = Settings(features=FeatureSettings(collaboration=False))
    async with staged(open_runtime, clock, settings=off) as stage:
        for call in (stage.sessions.plan, stage.sessions.start):
            with pytest.raises(UsageError, match="switched off") as caught:
                await call(asked("brainstorm"))
            assert "[features]" in caught.value.hint
        assert await stage.sessions.take_up() == 0


async def test_colleagues_are_chosen_by_how_well_they_fit(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async def rank(goal: str) -> list[str]:
        assert goal == GOAL
        return ["max", "kyra", "ada", "gone", "luke"]

    async with staged(open_runtime, clock) as stage:
        stage.sessions._casting._rank = rank
        plan = await stage.sessions.plan(NewCollaboration(GOAL))
        assert [(one.slug, one.role) for one in plan.participants] == [
            ("kyra", "lead"),
            ("max", "worker"),
            ("ada", "worker"),
        ]
        review = await stage.sessions.plan(NewCollaboration(GOAL, pattern="peer_review"))
        assert [(one.slug, one.role) for one in review.participants] == [
            ("kyra", "worker"),
            ("max", "reviewer"),
        ]
        stages = await stage.sessions.plan(NewCollaboration(GOAL, pattern="pipeline", lead="luke"))
        assert [(one.slug, one.stage) for one in stages.participants] == [
            ("max", 1),
            ("kyra", 2),
            ("luke", 3),
        ]


async def test_roles_and_places_are_a_persons_to_give(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with staged(open_runtime, clock) as stage:
        review = NewCollaboration(
            GOAL,
            pattern="peer_review",
            participants=(Participant(slug="luke", role="reviewer"), Participant(slug="ada")),
        )
        plan = await stage.sessions.plan(review)
        assert [(one.stage, one.agent_slug) for one in plan.plan[:2]] == [
            ("draft 1", "ada"),
            ("review 1", "luke"),
        ]
        people = (Participant(slug="luke", stage=2), Participant(slug="ada", stage=1))
        piped = await stage.sessions.plan(
            NewCollaboration(GOAL, pattern="pipeline", participants=people)
        )
        assert [one.agent_slug for one in piped.plan] == ["ada", "luke"]


async def test_once_a_key(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async with staged(open_runtime, clock) as stage:
        new = asked("brainstorm", "kyra", "luke", key=new_id())
        one, two = await asyncio.gather(stage.sessions.start(new), stage.sessions.start(new))
        assert one.id == two.id == new.key
        await stage.ended(one)
        assert (await stage.sessions.run(new)).status == "completed"
        assert len(stage.played.seen) == 3 and len(await stage.sessions.list()) == 1
        with pytest.raises(Conflict):
            await stage.sessions.start(replace(new, goal="something else"))


@pytest.mark.deep
async def test_an_api_key_reaches_its_own(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="Yes.", profile=SMALL)) as runtime:
        async for _ in runtime.ask("Hi"):
            pass
        (persons,) = await runtime.conversations.list()
        mine = Requester(key="k1", name="mine", scopes=frozenset({"chat"}))
        other = replace(mine, key="k2", name="other")
        reached = Confined(runtime, mine).collaborations
        with pytest.raises(NotFound):
            await reached.start(asked("delegation", "luke", conversation=persons.id))
        with runtime.turns.subscribe() as events:
            one = await reached.start(asked("delegation", "luke", key=new_id()))
            async for event in events:
                if isinstance(event, CollaborationChanged) and event.status == "completed":
                    break
        for call in ("cancel", "resume"):
            with pytest.raises(Forbidden):
                await getattr(Confined(runtime, other).collaborations, call)(one.id)
        assert (await reached.cancel(one.id)).status == "completed"
        again = asked("delegation", "luke", key=one.id)
        with pytest.raises(Forbidden):
            await Confined(runtime, other).collaborations.start(again)
        assert (await reached.start(again)).id == one.id
        (task,) = await runtime.tasks.list(collaboration=one.id)
        assert task.by == "k1", "its agents ask in the key's name"
        assert (await Confined(runtime, mine).conversations.find(one.conversation or "")).id


async def test_what_is_kept_is_told_afterwards(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async with staged(open_runtime, clock) as stage:
        kept: list[int] = []
        publish = stage.sessions._tools.publish

        async def rows() -> int:
            found = await stage.runtime.ledger.log(kinds=("team.collaboration",), limit=1_000)
            return len(found)

        looks: list[asyncio.Task[int]] = []

        def looking(event: object) -> None:
            looks.append(asyncio.ensure_future(rows()))
            publish(event)  # type: ignore[arg-type]

        stage.sessions._tools = replace(stage.sessions._tools, publish=looking)
        await stage.run("delegation", "luke")
        kept = list(await asyncio.gather(*looks))
        assert all(number > at for at, number in enumerate(kept)), kept


# -- what it will take -----------------------------------------------------------------------------


def test_a_model_that_never_spoke_is_guessed_by_its_size() -> None:
    local = ModelInfo(name="embedded/x", provider="embedded", local=True, size_bytes=10**9)
    assert speed_of(None, local).written == 10.0
    remote = ModelInfo(name="openai/x", provider="openai")
    assert speed_of(None, remote).written == 50.0


async def test_what_a_model_showed_is_what_is_expected(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with staged(open_runtime, clock, local=True) as stage:
        first = await stage.sessions.plan(asked("brainstorm", "kyra", "luke", "ada"))
        used = Usage(
            model=stage.model.info.name,
            prompt_tokens=1_000,
            completion_tokens=100,
            first_token_s=10.0,
            total_s=30.0,
        )
        data = {"session": "", **{name: getattr(used, name) for name in Usage.__slots__}}
        await stage.runtime.ledger.note("usage", new_id(), actor="kyra", data=data)
        plan = await stage.sessions.plan(asked("brainstorm", "kyra", "luke", "ada"))
        ideas, _, choice = plan.plan
        assert 20 < ideas.estimate_s < 30, "100 tokens at 5 a second, the prompt at 100"
        assert choice.estimate_s > ideas.estimate_s, "it reads what the others gave"
        assert plan.estimate_s == pytest.approx(sum(one.estimate_s for one in plan.plan), abs=0.2)
        assert plan.estimate_usd == 0.0 and (first.estimate_s or 0) < (plan.estimate_s or 0)
        one = await stage.start("brainstorm", "kyra", "luke", "ada")
        assert "planning, about 1 minute ·" in stage.told[0].line
        await stage.ended(one)


async def test_elsewhere_steps_of_a_stage_take_the_time_of_one(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with staged(open_runtime, clock) as stage:
        plan = await stage.sessions.plan(asked("brainstorm", "kyra", "luke", "ada"))
        ideas, _, choice = plan.plan
        both = ideas.estimate_s + choice.estimate_s
        assert plan.estimate_s == pytest.approx(both, abs=0.2)


def test_room_is_shared_alike() -> None:
    assert fair([10, 20], 100) == 20
    assert fair([10, 500, 600], 210) == 100
    assert fair([], 10) == 0


async def test_a_participant_that_is_gone_ends_what_is_taken_up(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    gate = asyncio.Event()

    async def waits(_new: object) -> str:
        await gate.wait()
        return "late"

    async with staged(open_runtime, clock, waits) as stage:
        one = await stage.start("delegation", "kyra", "luke")
        await stage.sessions.end()
        file = stage.runtime.directory.file
        await asyncio.to_thread(
            file.write_text,
            file.read_text().replace("agents.luke", "agents.lu").replace("Luke", "Lu"),
        )
        stage.sessions._closing = False
        assert await stage.sessions.take_up() == 0
        left = await stage.sessions.get(one.id)
        assert left.status == "failed" and 'no agent "luke"' in left.error
