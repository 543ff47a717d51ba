"""Turns that are routed: over real stores, with a scripted model."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from fakes import HashEmbedder, OpenRuntime, StepClock
from in_process import open_in_process

from skill_agent.errors import NotFound, UsageError
from skill_agent.events import AgentRouted, Event, TurnFinished, TurnStarted
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.team.gate.trust import noted_outcome
from skill_agent.values import Purge, TurnRequest

CODE = "please review my code and find the bug in this function"
SLOGAN = "a slogan for our bike shop"


def model() -> ScriptedModel:
    return ScriptedModel(otherwise="All right.")


async def told(runtime: Runtime, text: str, **wishes: Any) -> list[Event]:
    return [event async for event in runtime.ask(text, **wishes)]


def agent_of(events: list[Event]) -> str:
    return events[-1].agent


async def test_a_new_conversation_goes_to_whom_it_is_for(open_runtime: OpenRuntime) -> None:
    async with open_runtime(model()) as runtime:
        events = await told(runtime, CODE)
        started, routed, *_ = events
        assert isinstance(started, TurnStarted) and isinstance(routed, AgentRouted)
        assert (routed.agent, routed.came_from, routed.reason) == ("luke", "kyra", "skill_match")
        assert routed.line.startswith("luke answers instead of kyra")
        assert isinstance(events[-1], TurnFinished) and agent_of(events) == "luke"
        session = await runtime.conversations.find("latest")
        assert session.agent == "luke"


@pytest.mark.parametrize("text", ["Hello", "Question 3", "My name is Tom", "thanks!", "?!", "🙂"])
async def test_what_is_nobodys_trade_stays_with_the_default(
    open_runtime: OpenRuntime, text: str
) -> None:
    async with open_runtime(model()) as runtime:
        events = await told(runtime, text)
        assert agent_of(events) == "kyra"
        assert not any(isinstance(event, AgentRouted) for event in events)


async def test_who_is_named_has_the_last_word(open_runtime: OpenRuntime) -> None:
    async with open_runtime(model()) as runtime:
        assert agent_of(await told(runtime, f"@max {CODE}")) == "max"
        assert agent_of(await told(runtime, CODE, agent="ada")) == "ada"
        assert agent_of(await told(runtime, f"@max {CODE}", agent="ada")) == "max"
        would = await runtime.routing.decide(TurnRequest(f"@max {CODE}"))
        assert (would.agent, would.reason) == ("max", "user_mention") and would.scores
        assert (await runtime.routing.decide(TurnRequest(CODE, agent="ada"))).reason == "requested"


async def test_a_conversation_does_not_hop(open_runtime: OpenRuntime) -> None:
    async with open_runtime(model()) as runtime:
        first = await told(runtime, "Hello")
        go_on = partial(told, runtime, session=first[0].session)
        assert agent_of(await go_on(CODE)) == "luke"
        assert agent_of(await go_on("and the second one?")) == "luke"
        assert agent_of(await go_on("thanks")) == "luke"
        assert agent_of(await go_on("@ada what do you think?")) == "ada"
        assert agent_of(await go_on("and the third?")) == "luke", "a mention borrows an agent once"
        assert agent_of(await go_on(SLOGAN)) == "max"
        await runtime.conversations.set_agent(first[0].session, "ada")
        assert agent_of(await go_on("and now?")) == "ada", "given to another by hand"


async def test_what_belongs_to_a_task_or_a_client_stays(open_runtime: OpenRuntime) -> None:
    async with open_runtime(model()) as runtime:
        assert agent_of(await told(runtime, CODE, task="some-task")) == "kyra"


async def test_who_is_paused_is_never_chosen(open_runtime: OpenRuntime) -> None:
    async with open_runtime(model()) as runtime:
        runtime.directory.set_status("luke", "paused")
        assert agent_of(await told(runtime, CODE)) != "luke"
        with pytest.raises(UsageError, match="paused"):
            await runtime.routing.decide(TurnRequest(f"@luke {CODE}"))
        runtime.directory.set_status("kyra", "archived")
        assert agent_of(await told(runtime, "Hello")) == "ada", "the first that is active"


async def test_with_one_agent_nothing_is_computed(open_runtime: OpenRuntime) -> None:
    async with open_runtime(model()) as runtime:
        for slug in ("luke", "ada", "max"):
            runtime.directory.set_status(slug, "paused")
        events = await told(runtime, CODE)
        assert agent_of(events) == "kyra"
        with pytest.raises(NotFound, match="nothing was decided"):
            await runtime.routing.decision(events[0].turn)


@asynccontextmanager
async def without_gate(home: Home, clock: StepClock) -> AsyncIterator[Runtime]:
    opened = partial(
        open_in_process, home.root, create=True, gateway=ScriptedGateway(model()),
        embedder=HashEmbedder(), clock=clock,
    )  # fmt: skip
    async with opened():
        pass  # the home is made
    text = home.config.read_text("utf-8")
    assert "\n# expert_gate = true\n" in text
    home.config.write_text(text.replace("# expert_gate = true", "expert_gate = false"), "utf-8")
    async with opened() as runtime:
        yield runtime


async def test_switched_off_it_is_as_if_it_were_not_there(home: Home, clock: StepClock) -> None:
    async with without_gate(home, clock) as runtime:
        events = await told(runtime, CODE)
        assert agent_of(events) == "kyra"
        assert (await runtime.routing.stats()).decisions == 0
        assert (await runtime.routing.decide(TurnRequest(CODE))).agent == "luke"
        runtime.directory.set_status("kyra", "paused")
        with pytest.raises(UsageError, match="paused"):
            await told(runtime, "Hello", session=events[0].session)


async def test_what_was_decided_is_kept_and_goes_with_the_conversation(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(model()) as runtime:
        (first, *_) = await told(runtime, CODE)
        decision = await runtime.routing.decision(first.turn)
        assert decision.routing is not None and decision.session == first.session
        luke, *others = decision.routing.scores
        assert luke.agent == "luke" and luke.overall >= 0.6 and len(others) == 3
        assert decision.routing.came_from == "kyra"
        rows = await runtime.ledger.log(kinds=("route.decided",))
        assert [row.entity for row in rows] == [first.turn]
        assert "review my code" not in str(rows[0].new)
        stats = await runtime.routing.stats()
        assert (stats.decisions, stats.by_reason) == (1, {"skill_match": 1})
        await runtime.ledger.purge(Purge(sessions=(first.session,), actor="person"))
        with pytest.raises(NotFound):
            await runtime.routing.decision(first.turn)
        (row,) = await runtime.ledger.log(kinds=("route.decided",))
        assert not row.new
        assert (await runtime.routing.stats()).decisions == 0


async def test_ratings_and_verdicts_move_trust(open_runtime: OpenRuntime) -> None:
    async with open_runtime(model()) as runtime:
        await told(runtime, CODE)
        await runtime.feedback.rate("latest", "down")
    async with open_runtime(model()) as runtime:
        score = (await runtime.routing.decide(TurnRequest(CODE))).scores
        luke = next(one for one in score if one.agent == "luke")
        assert luke.trust < 0.5 and luke.past_performance < 0.5
        for number in range(12):
            await noted_outcome(
                runtime.ledger, f"task-{number}", agent="ada", verified=True, by="grader"
            )
    async with open_runtime(model()) as runtime:
        score = (await runtime.routing.decide(TurnRequest(CODE))).scores
        ada = next(one for one in score if one.agent == "ada")
        assert ada.trust >= 0.75 and ada.past_performance > 0.5
        assert "high-trust boost" in ada.explanation


async def test_a_broken_team_is_no_reason_not_to_answer(
    open_runtime: OpenRuntime, home: Home
) -> None:
    async with open_runtime(model()) as runtime:
        first = await told(runtime, "Hello")
        home.agents.write_text("[agents", encoding="utf-8")
        assert agent_of(await told(runtime, "Hello again", session=first[0].session)) == "kyra"
