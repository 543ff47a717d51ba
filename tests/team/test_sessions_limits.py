"""What goes wrong in a collaboration: limits, failures of every role, cancels at every step."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from collaborating import GOAL, Came, Stage, agreeable, staged
from fakes import OpenRuntime, StepClock

from skill_agent.errors import AgentUnavailable, UsageError
from skill_agent.identifiers import new_id
from skill_agent.values import PATTERNS, NewTask, Pattern, Purge

TEAM: dict[Pattern, tuple[str, ...]] = {
    "supervisor_worker": ("kyra", "luke", "ada"),
    "pipeline": ("luke", "ada", "kyra"),
    "peer_review": ("ada", "luke"),
    "brainstorm": ("kyra", "luke", "ada"),
    "consensus": ("kyra", "luke", "ada"),
    "delegation": ("kyra", "luke"),
}
Play = Callable[[NewTask], Awaitable[str | Came]]


async def for_ever(_new: NewTask) -> str:
    await asyncio.Event().wait()
    return ""


def stops_at(number: int, reached: asyncio.Event, then: Play = for_ever) -> Play:
    """Agreeable, until that many tasks were given; the next ones never end."""
    seen: list[NewTask] = []

    async def play(new: NewTask) -> str | Came:
        seen.append(new)
        if len(seen) > number:
            reached.set()
            return await then(new)
        return await agreeable(new)

    return play


def unlike(agent: str, came: Came | Exception) -> Play:
    """Agreeable, but for one agent."""

    async def play(new: NewTask) -> str | Came:
        if new.assigned_to != agent:
            return await agreeable(new)
        if isinstance(came, Exception):
            raise came
        return came

    return play


async def nothing_runs(stage: Stage) -> None:
    assert stage.played.running == 0
    await asyncio.sleep(0)
    left = [one.get_name() for one in asyncio.all_tasks()]
    assert not [name for name in left if "collaboration" in name or " of " in name], left


# -- limits ----------------------------------------------------------------------------------------


async def test_money_is_spent_once(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async def dear(new: NewTask) -> Came:
        return Came(text=f"{new.assigned_to} says", cost=0.3)

    async with staged(open_runtime, clock, dear) as stage:
        done = await stage.run("brainstorm", "kyra", "luke", "ada")
        assert done.status == "completed" and done.total_cost_usd == 0.3
        assert done.error.startswith("stopped at $0.5; without Ada (the allowance of")
        assert done.final_output.startswith("According to Luke (code review):\nluke says")
        assert done.final_output.endswith("Stopped at the limit of $0.50; this is what there is.")
        assert "kyra" not in [one.agent_slug for one in done.stage_outputs], "no call more"
        with_more = await stage.run("brainstorm", "kyra", "luke", "ada", max_cost_usd=1.0)
        assert (with_more.error, round(with_more.total_cost_usd, 2)) == ("", 0.9)


async def test_spent_money_ends_a_review(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async def dear(new: NewTask) -> Came:
        told = {"approved": False, "comments": "More."}
        return Came(text=json.dumps(told) if new.response_schema else "text", cost=0.25)

    async with staged(open_runtime, clock, dear) as stage:
        done = await stage.run("peer_review", "ada", "luke")
        assert [one.stage for one in done.stage_outputs] == ["draft 1", "review 1"]
        assert "Stopped at the limit of $0.50" in done.final_output
        with pytest.raises(UsageError, match="are spent"):
            await stage.sessions.resume(done.id)


async def test_time_ends_it_with_what_there_is(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async def play(new: NewTask) -> str | Came:
        return await (for_ever if new.assigned_to == "ada" else agreeable)(new)

    async with staged(open_runtime, clock, play) as stage:
        began = time.monotonic()
        done = await stage.run("brainstorm", "kyra", "luke", "ada", max_duration_s=10.0)
        assert time.monotonic() - began < 60
        assert done.status == "timed_out" and done.error.startswith("stopped after 10 s")
        assert stage.played.cancelled == ["ada"]
        assert "According to Luke (code review):\nluke on ideas" in done.final_output
        assert "Stopped after 10 s; this is what there is." in done.final_output
        *_, reply = await stage.runtime.conversations.messages(done.conversation or "")
        assert reply.content == done.final_output
        await nothing_runs(stage)


async def test_a_task_gets_no_more_than_is_left(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with staged(open_runtime, clock) as stage:
        await stage.run("delegation", "luke", max_duration_s=40.0)
        await stage.run("delegation", "luke")
        short, usual = (one.allowance.timeout_s for one in stage.played.seen)
        assert 20 < short <= 39.0 and usual == 120.0


async def test_on_one_local_model_one_after_another(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async def play(new: NewTask) -> str | Came:
        await asyncio.sleep(0.001)
        return await agreeable(new)

    async with staged(open_runtime, clock, play, local=True) as stage:
        done = await stage.run("consensus", "kyra", "luke", "ada")
        assert stage.played.most == 1 and done.status == "completed"
        first = [one.assigned_to for one in stage.played.seen if one.stage == "vote 1"]
        assert first == ["kyra", "luke", "ada"]


async def test_elsewhere_at_the_same_time(open_runtime: OpenRuntime, clock: StepClock) -> None:
    together = asyncio.Barrier(3)

    async def play(new: NewTask) -> str | Came:
        if new.stage == "vote 1":
            await together.wait()
        return await agreeable(new)

    async with staged(open_runtime, clock, play) as stage:
        assert (await stage.run("consensus", "kyra", "luke", "ada")).status == "completed"


# -- failures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", PATTERNS)
async def test_whoever_fails_the_rest_goes_on(
    open_runtime: OpenRuntime, clock: StepClock, pattern: Pattern
) -> None:
    """Each role in turn: what the others gave is not lost, and who failed is named."""
    team = TEAM[pattern]
    async with staged(open_runtime, clock) as stage:
        for agent in team:
            stage.played.play = unlike(agent, Came(status="failed", error="no idea"))
            done = await stage.run(pattern, *team)
            name = agent.capitalize()
            if pattern == "delegation":
                assert done.status == ("failed" if agent == "luke" else "completed")
                continue
            if pattern == "peer_review" and agent == "ada":  # without a draft there is nothing
                assert done.status == "failed" and done.final_output == ""
                continue
            assert done.status == "completed" and done.error == f"without {name} (no idea)"
            assert f"Missing: {name} (no idea)." in done.final_output
            gave = {one.agent_slug for one in done.stage_outputs if one.output}
            assert gave == {*team} - {agent}
            for other in gave:
                assert other.capitalize() in done.final_output or other in done.final_output


async def test_the_lead_knows_who_is_missing(open_runtime: OpenRuntime, clock: StepClock) -> None:
    play = unlike("ada", AgentUnavailable("Ada is busy"))
    async with staged(open_runtime, clock, play) as stage:
        done = await stage.run("supervisor_worker", "kyra", "luke", "ada")
        assert "Missing: Ada (Ada is busy)." in stage.played.asked("kyra").instructions
        (ada,) = (one for one in done.participants if one.slug == "ada")
        assert (ada.status, ada.problem) == ("failed", "Ada is busy")


async def test_a_partial_result_is_kept_and_said(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    came = Came(text="half of it", status="timed_out", error="it took longer than 120 s")
    async with staged(open_runtime, clock, unlike("ada", came)) as stage:
        done = await stage.run("brainstorm", "kyra", "luke", "ada")
        assert "half of it" in stage.played.asked("kyra").context
        assert "Missing: Ada (it took longer than 120 s)." in done.final_output


async def test_a_fault_of_ours_is_one_participants(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    play = unlike("ada", RuntimeError("a bug"))
    async with staged(open_runtime, clock, play) as stage:
        done = await stage.run("brainstorm", "kyra", "luke", "ada")
        assert done.status == "completed" and "RuntimeError: a bug" in done.error


async def test_without_a_word_it_fails(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async def silent(_new: NewTask) -> Came:
        return Came(text="  ")

    async with staged(open_runtime, clock, silent) as stage:
        for pattern, team in TEAM.items():
            done = await stage.run(pattern, *team)
            assert (done.status, done.final_output) == ("failed", ""), pattern
            assert "it gave nothing" in done.error
            (goal,) = await stage.runtime.conversations.messages(done.conversation or "")
            assert goal.content == GOAL
            (state,) = await stage.runtime.turns.of_session(done.conversation or "")
            assert (state.state, state.reason) == ("failed", "error")


async def test_a_conversation_that_is_erased_meanwhile(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    reached, gate = asyncio.Event(), asyncio.Event()

    async def waits(new: NewTask) -> str:
        await gate.wait()
        return "late"

    async with staged(open_runtime, clock, stops_at(0, reached, waits)) as stage:
        one = await stage.start("delegation", "luke")
        await reached.wait()
        gone = Purge(sessions=(one.conversation or "",), actor="person")
        await stage.runtime.ledger.purge(gone)
        task = stage.sessions._running[one.id].task
        gate.set()
        await asyncio.wait([task])
        assert stage.told[-1].status == "failed"
        assert stage.told[-1].problem.startswith("its result was not kept")
        assert await stage.sessions.list() == []


# -- cancels ---------------------------------------------------------------------------------------


@pytest.mark.deep
@pytest.mark.parametrize("pattern", PATTERNS)
async def test_cancelled_at_every_step_and_resumed(
    open_runtime: OpenRuntime, clock: StepClock, pattern: Pattern
) -> None:
    """What was done stays and is not done again; what ran is stopped within a second."""
    async with staged(open_runtime, clock, local=True) as stage:
        whole = await stage.run(pattern, *TEAM[pattern])
        steps = [(one.stage, one.assigned_to) for one in stage.played.seen]
        for number in range(len(steps)):
            reached = asyncio.Event()
            stage.played.play = stops_at(number, reached)
            one = await stage.start(pattern, *TEAM[pattern])
            await reached.wait()
            began = time.monotonic()
            stopped = await stage.sessions.cancel(one.id, reason="enough")
            assert time.monotonic() - began < 10  # far less, but this machine may be busy
            assert (stopped.status, stopped.error) == ("cancelled", "enough")
            assert len(stopped.stage_outputs) == number
            assert await stage.sessions.get(one.id) == stopped
            await nothing_runs(stage)
            stage.played.seen.clear()
            stage.played.play = agreeable
            await stage.sessions.resume(one.id)
            done = await stage.ended(one)
            assert (done.status, done.final_output) == ("completed", whole.final_output)
            assert [(one.stage, one.assigned_to) for one in stage.played.seen] == steps[number:]


async def test_one_branch_is_cancelled_and_the_others_go_on(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    waiting = asyncio.Event()

    async def play(new: NewTask) -> str | Came:
        if new.assigned_to == "ada":
            waiting.set()
            return await for_ever(new)
        return await agreeable(new)

    async with staged(open_runtime, clock, play) as stage:
        one = await stage.start("supervisor_worker", "kyra", "luke", "ada")
        await waiting.wait()
        with pytest.raises(UsageError, match="takes no part"):
            await stage.sessions.cancel(one.id, agent="max")
        await stage.sessions.cancel(one.id, agent="Ada", reason="too slow")
        done = await stage.ended(one)
        assert done.status == "completed" and stage.played.cancelled == ["ada"]
        assert "Missing: Ada (too slow)." in done.final_output


async def test_one_that_was_taken_out_is_not_asked(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    reached, gate = asyncio.Event(), asyncio.Event()

    async def waits(new: NewTask) -> str | Came:
        await gate.wait()
        return await agreeable(new)

    async with staged(open_runtime, clock, stops_at(0, reached, waits)) as stage:
        one = await stage.start("pipeline", "luke", "ada", "kyra")
        await reached.wait()
        await stage.sessions.cancel(one.id, agent="ada", reason="not needed")
        gate.set()
        done = await stage.ended(one)
        assert [task.assigned_to for task in stage.played.seen] == ["luke", "kyra"]
        assert "Ada (not needed)" in done.error


async def test_whoever_waits_and_is_cancelled_stops_it(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    reached = asyncio.Event()
    async with staged(open_runtime, clock, stops_at(1, reached)) as stage:
        waiting = asyncio.create_task(stage.run("supervisor_worker", "kyra", "luke", "ada"))
        await reached.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        (one,) = await stage.sessions.list()
        assert one.status == "cancelled" and stage.played.running == 0
        await nothing_runs(stage)


@pytest.mark.deep
@pytest.mark.parametrize("pattern", PATTERNS)
async def test_closed_at_every_step_and_taken_up_again(
    open_runtime: OpenRuntime, clock: StepClock, pattern: Pattern
) -> None:
    """As after a crash: another engine goes on after what was finished."""
    async with staged(open_runtime, clock, local=True) as stage:
        whole = await stage.run(pattern, *TEAM[pattern])
        steps = [(one.stage, one.assigned_to) for one in stage.played.seen]
        for number in range(len(steps)):
            reached = asyncio.Event()
            stage.played.play = stops_at(number, reached)
            one = await stage.start(pattern, *TEAM[pattern])
            await reached.wait()
            await stage.sessions.end()
            assert stage.told[-1].status in ("active", "synthesizing"), "it is left as it stands"
            stage.sessions._closing = False
            stage.played.seen.clear()
            stage.played.play = agreeable
            assert await stage.sessions.take_up() == 1
            done = await stage.ended(one)
            assert (done.status, done.final_output) == ("completed", whole.final_output)
            assert [(one.stage, one.assigned_to) for one in stage.played.seen] == steps[number:]
        assert await stage.sessions.take_up() == 0


async def test_one_whose_time_is_over_ends_with_what_it_has(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    reached = asyncio.Event()
    async with staged(open_runtime, clock, stops_at(1, reached), local=True) as stage:
        one = await stage.start("brainstorm", "kyra", "luke", "ada")
        await reached.wait()
        await stage.sessions.end()
        clock.advance(seconds=700)
        stage.sessions._closing = False
        await stage.sessions.take_up()
        done = await stage.ended(one)
        assert done.status == "timed_out" and len(stage.played.seen) == 2
        assert done.final_output.startswith("According to Luke (code review):\nluke on ideas")
        stage.played.play = agreeable
        await stage.sessions.resume(one.id)
        again = await stage.ended(one)
        assert again.status == "completed", "a person's wish gives it its time anew"
        assert again.final_output.startswith("kyra on choice")


async def test_asked_again_by_its_key_what_nobody_runs_goes_on(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    """As by a window that has taken over from a host that died."""
    reached, key = asyncio.Event(), new_id()
    async with staged(open_runtime, clock, stops_at(1, reached), local=True) as stage:
        one = await stage.start("brainstorm", "kyra", "luke", "ada", key=key)
        await reached.wait()
        await stage.sessions.end()
        stage.sessions._closing = False
        stage.played.seen.clear()
        stage.played.play = agreeable
        await stage.start("brainstorm", "kyra", "luke", "ada", key=key)
        assert (await stage.ended(one)).status == "completed"
        assert [task.assigned_to for task in stage.played.seen] == ["ada", "kyra"]


async def test_what_nobody_runs_can_be_cancelled(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    reached = asyncio.Event()
    async with staged(open_runtime, clock, stops_at(0, reached)) as stage:
        one = await stage.start("delegation", "luke")
        await reached.wait()
        await stage.sessions.end()
        stopped = await stage.sessions.cancel(one.id)
        assert (stopped.status, stopped.error) == ("cancelled", "stopped")
        assert replace(stopped, error="") == replace(await stage.sessions.get(one.id), error="")


async def test_resumed_what_failed_is_done_again_and_what_had_to_do_without(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    play = unlike("ada", Came(status="failed", error="no idea", cost=0.1))
    async with staged(open_runtime, clock, play) as stage:
        one = await stage.run("brainstorm", "kyra", "luke", "ada")
        first = stage.played.asked("ada")
        stage.played.seen.clear()
        stage.played.play = agreeable
        await stage.sessions.resume(one.id)
        done = await stage.ended(one)
        assert [task.assigned_to for task in stage.played.seen] == ["ada", "kyra"]
        assert "ada on ideas" in stage.played.asked("kyra").context
        assert stage.played.seen[0].key != first.key, "another task"
        assert done.total_cost_usd == 0.1, "what it cost stays spent"
