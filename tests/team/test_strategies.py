"""One message that several agents answer: through a whole home, with a scripted model."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from fakes import HashEmbedder, StepClock
from giving import comes
from in_process import open_in_process

from skill_agent.access.confined import Confined
from skill_agent.errors import Conflict, UsageError
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.identifiers import new_id
from skill_agent.models.money.purses import Purse
from skill_agent.models.scripted import Gate, ScriptedGateway, ScriptedModel
from skill_agent.ports import ModelRequest
from skill_agent.team.strategies.choosing import alike
from skill_agent.team.strategies.strategies import id_of
from skill_agent.values import ModelProfile, Requester, SeveralRequest

CODE = "please review my code and find the bug in this function"
DATA = "review the code of this data analysis script"
LARGE, SMALL = ModelProfile(), ModelProfile(strength="small")
Says = Callable[[str, ModelRequest], Any]


def speaker(request: ModelRequest) -> str:
    """The agent in whose name a model is asked."""
    return request.messages[0].content.removeprefix("You are ").split(",")[0].split(".")[0].lower()


def read(request: ModelRequest) -> str:
    return "\n".join(one.content for one in request.messages)


def their_own(agent: str, request: ModelRequest) -> Any:
    if request.response_schema:
        return json.dumps({"best": "2"})
    if "name who found what" in read(request):
        return "Luke and Nora agree: line 3 is wrong."
    return OWN[agent]


OWN = {
    "luke": "The loop of line 3 never ends.",
    "nora": "A test is missing for the empty list.",
    "kyra": "I would ask somebody who knows.",
    "ada": "The figures of the second column are not sorted.",
    "max": "Say it shorter.",
}


@asynccontextmanager
async def opened(
    home: Home,
    clock: StepClock,
    says: Says = their_own,
    *,
    profile: ModelProfile = LARGE,
    on: bool = True,
    **info: Any,
) -> AsyncIterator[tuple[Runtime, ScriptedModel]]:
    """A home in which Nora does what Luke does; its model says what `says` says."""
    model = ScriptedModel(otherwise=lambda asked: says(speaker(asked), asked), profile=profile)
    model.info = replace(model.info, **info)
    parts = {"gateway": ScriptedGateway(model), "embedder": HashEmbedder(), "clock": clock}
    opening = partial(open_in_process, home.root, **parts)
    async with opening(create=True) as runtime:
        await runtime.agents.clone("luke", "nora")
    if on:
        text = home.config.read_text("utf-8")
        assert "\n# ensemble = false\n" in text
        home.config.write_text(text.replace("# ensemble = false", "ensemble = true"), "utf-8")
    async with opening() as runtime:
        yield runtime, model


def asked(model: ScriptedModel) -> list[str]:
    return [speaker(one) for one in model.requests]


async def test_with_a_small_model_code_does_it(home: Home, clock: StepClock) -> None:
    async with opened(home, clock, profile=SMALL) as (runtime, model):
        done = await runtime.strategies.ask(SeveralRequest(CODE))
        assert done.text == (
            f"According to Luke (code review):\n{OWN['luke']}\n\n"
            f"According to Nora (code review):\n{OWN['nora']}"
        )
        assert (done.merged_by, done.agent, done.problems) == ("code", None, {})
        luke, nora = done.responses
        assert (luke.agent_slug, luke.agent_name, luke.content) == ("luke", "Luke", OWN["luke"])
        assert luke.confidence >= nora.confidence >= 0.6
        assert luke.latency_ms > 0 and luke.tokens_used > 0
        assert done.tokens_used == luke.tokens_used + nora.tokens_used
        assert asked(model) == ["luke", "nora"] and done.origins == ("agent",)
        tasks = await runtime.tasks.list(collaboration=done.id)
        assert {one.id for one in tasks} == {luke.task, nora.task}
        assert await runtime.conversations.list() == []
        done = await runtime.strategies.ask(SeveralRequest(DATA, strategy="top_k"))
        assert len(done.responses) == 3 and len(asked(model)) == 5, "nobody judges"
        best = done.responses[0]
        assert (done.text, done.agent) == (best.content, best.agent_slug)


async def test_a_capable_model_puts_them_together(home: Home, clock: StepClock) -> None:
    async with opened(home, clock) as (runtime, model):
        done = await runtime.strategies.ask(SeveralRequest(CODE))
        assert done.text == "Luke and Nora agree: line 3 is wrong." and done.merged_by == "model"
        last = model.requests[-1]
        assert (speaker(last), last.tier) == ("kyra", "fast")
        assert all(OWN[one] in read(last) for one in ("luke", "nora"))
        assert "Luke (code review)" in read(last)


async def test_whom_the_model_forgets_is_named_still(home: Home, clock: StepClock) -> None:
    def forgetful(agent: str, request: ModelRequest) -> str:
        return "Line 3." if agent == "kyra" else OWN[agent]

    async with opened(home, clock, forgetful) as (runtime, _):
        done = await runtime.strategies.ask(SeveralRequest(CODE))
        assert done.text == ("Line 3.\n\nContributions: Luke (code review), Nora (code review).")


async def test_what_two_say_stands_once(home: Home, clock: StepClock) -> None:
    def same(agent: str, request: ModelRequest) -> str:
        return "" if agent == "kyra" else OWN["luke"]  # where merging fails, code does it

    async with opened(home, clock, same) as (runtime, _):
        done = await runtime.strategies.ask(SeveralRequest(CODE))
        assert done.text == (f"According to Luke (code review), Nora (code review):\n{OWN['luke']}")
    assert alike("Line 3 is wrong.", "line 3 is wrong!") and alike("三行目が違う", "三行目が違う。")
    assert not alike("Line 3 is wrong.", "The test is missing.") and not alike("no", "yes")


async def test_one_that_fails_is_named_and_the_others_answer(home: Home, clock: StepClock) -> None:
    def without_luke(agent: str, request: ModelRequest) -> str:
        return "" if agent == "luke" else OWN[agent]

    async with opened(home, clock, without_luke) as (runtime, _):
        done = await runtime.strategies.ask(SeveralRequest(CODE))
        assert (done.text, done.agent, done.merged_by) == (OWN["nora"], "nora", "")
        assert [*done.problems] == ["luke"] and done.problems["luke"]


async def test_a_capable_model_says_which_is_best(home: Home, clock: StepClock) -> None:
    async with opened(home, clock) as (runtime, model):
        done = await runtime.strategies.ask(SeveralRequest(DATA, strategy="top_k"))
        second = done.responses[1]
        assert (done.text, done.agent) == (second.content, second.agent_slug)
        assert len(model.requests) == 4 and model.requests[-1].response_schema
        given = read(model.requests[-1])
        assert "Luke" not in given.split(DATA, 1)[1], "whose they are is not told"


async def test_one_after_another_until_one_has_an_answer(home: Home, clock: StepClock) -> None:
    async with opened(home, clock) as (runtime, model):
        done = await runtime.strategies.ask(SeveralRequest(CODE, strategy="cascade"))
        assert (done.text, done.agent, asked(model)) == (OWN["luke"], "luke", ["luke"])
        by = Requester(key="k1", name="phone", scopes=frozenset({"chat"}))
        request = SeveralRequest(CODE, strategy="cascade")
        confined = await Confined(runtime, by).strategies.ask(request)
        (task,) = await runtime.tasks.list(collaboration=confined.id)
        assert task.by == "k1", "a key asks in its own name"


async def test_the_next_one_hears_what_the_one_before_came_to(home: Home, clock: StepClock) -> None:
    def without_luke(agent: str, request: ModelRequest) -> str:
        return "" if agent == "luke" else OWN[agent]

    async with opened(home, clock, without_luke) as (runtime, model):
        done = await runtime.strategies.ask(SeveralRequest(CODE, strategy="cascade"))
        assert (done.text, done.agent) == (OWN["nora"], "nora")
        assert done.problems.keys() == {"luke"} and done.origins == ("agent",)
        heard = read(model.requests[-1])
        assert "Luke (code review):" in heard and done.problems["luke"] in heard
        (task,) = [one for one in await runtime.tasks.list() if one.assigned_to == "nora"]
        assert "agent" in task.origins, "no word of the person's"


async def test_money_is_not_passed(home: Home, clock: StepClock) -> None:
    dear = {"name": "openai/gpt-4o", "provider": "openai", "local": False}
    async with opened(home, clock, **dear) as (runtime, model):
        for strategy in ("cascade", "ensemble"):
            request = SeveralRequest(CODE, strategy=strategy, max_cost_usd=0.0001)
            done = await runtime.strategies.ask(request)
            assert (done.text, done.capped, done.cost_usd) == ("", "money", 0.0)
            assert "luke" in done.problems
        assert model.requests == []


async def test_what_asks_pays(home: Home, clock: StepClock) -> None:
    dear = {"name": "openai/gpt-4o", "provider": "openai", "local": False}
    async with opened(home, clock, **dear) as (runtime, model):
        purses, turn = runtime._budgets.purses, new_id()
        with purses.tied(turn, Purse("the turn", usd=0.0001)):
            done = await runtime.strategies.ask(SeveralRequest(CODE, parent_turn=turn))
        assert done.capped == "money" and model.requests == []


async def test_when_time_is_over_there_is_what_there_is(home: Home, clock: StepClock) -> None:
    def nora_never(agent: str, request: ModelRequest) -> Any:
        return [Gate(asyncio.Event())] if agent == "nora" else OWN[agent]

    async with opened(home, clock, nora_never) as (runtime, _):
        await runtime.routing.decide(CODE)
        done = await runtime.strategies.ask(SeveralRequest(CODE, max_duration_s=3.0))
        assert (done.text, done.agent) == (OWN["luke"], "luke")
        assert done.problems.keys() == {"nora"} and done.duration_s < 10
        assert all(one.ended for one in await runtime.tasks.list())


async def test_a_cancel_stops_all(home: Home, clock: StepClock) -> None:
    remote: dict[str, Any] = {"local": False, "own_server": True}
    async with opened(home, clock, lambda *_: [Gate(asyncio.Event())], **remote) as (
        runtime,
        model,
    ):
        doing = asyncio.create_task(runtime.strategies.ask(SeveralRequest(CODE)))
        await comes(lambda: len(model.requests) == 2)
        doing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await doing
        found = await runtime.tasks.list()
        assert [one.status for one in found] == ["cancelled"] * 2
        assert model.closed_early == 2


async def test_a_task_stopped_by_hand_ends_a_cascade(home: Home, clock: StepClock) -> None:
    async with opened(home, clock, lambda *_: [Gate(asyncio.Event())]) as (runtime, model):
        request = SeveralRequest(CODE, strategy="cascade", key=new_id())
        doing = asyncio.create_task(runtime.strategies.ask(request))
        await comes(lambda: bool(model.requests))
        with pytest.raises(Conflict):
            await runtime.strategies.ask(request)
        (task,) = await runtime.tasks.list(collaboration=id_of(request.key or ""))
        await runtime.tasks.cancel(task.id, reason="enough")
        done = await doing
        assert done.problems == {"luke": "enough"} and len(model.requests) == 1


async def test_it_is_off_unless_switched_on(home: Home, clock: StepClock) -> None:
    async with opened(home, clock, on=False) as (runtime, model):
        for do in (runtime.strategies.ask, runtime.strategies.plan):
            with pytest.raises(UsageError, match="switched off") as refused:
                await do(SeveralRequest(CODE))
            assert "ensemble = true" in refused.value.hint
        assert model.requests == [] and await runtime.tasks.list() == []


async def test_what_cannot_be_asked(home: Home, clock: StepClock) -> None:
    async with opened(home, clock) as (runtime, _):
        for wrong in (
            SeveralRequest(" "),
            SeveralRequest(CODE, strategy="top_1"),  # pyright: ignore[reportArgumentType]
            SeveralRequest(CODE, max_duration_s=0),
            SeveralRequest(CODE, max_cost_usd=-1),
            SeveralRequest(CODE, max_cost_usd=float("nan")),
        ):
            with pytest.raises(UsageError):
                await runtime.strategies.ask(wrong)


async def test_the_plan_names_who_is_asked_and_how_long_it_takes(
    home: Home, clock: StepClock
) -> None:
    async with opened(home, clock, size_bytes=1_000_000_000) as (
        runtime,
        model,
    ):
        plan = await runtime.strategies.plan(SeveralRequest(CODE))
        steps = [(one.stage, one.agent_slug) for one in plan.plan]
        assert steps == [("answer", "luke"), ("answer", "nora"), ("merge", "kyra")]
        assert plan.estimate_s == pytest.approx(sum(one.estimate_s for one in plan.plan), abs=0.2)
        assert plan.estimate_s > 60 and plan.estimate_usd == 0
        cascade = await runtime.strategies.plan(SeveralRequest(CODE, strategy="cascade"))
        assert [one.agent_slug for one in cascade.plan][:2] == ["luke", "nora"]
        assert model.requests == []
