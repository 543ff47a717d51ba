"""The fast model's word on a message near a border, and all that can go wrong with it."""

import asyncio

import pytest

from skill_agent.errors import ModelFailed, ModelUnavailable
from skill_agent.models.scripted import Gate, ScriptedGateway, ScriptedModel
from skill_agent.team.router.second_opinion import SecondOpinion
from skill_agent.values import ModelProfile

NAME = "s/fast"


def asking(model: ScriptedModel, *, idle: bool = True, longest_s: float = 5.0) -> SecondOpinion:
    gateway = ScriptedGateway(model)
    return SecondOpinion(lambda _: gateway, lambda: idle, longest_s=longest_s)


async def test_one_word_is_asked_for_and_paid_in_the_agents_name() -> None:
    model = ScriptedModel(["powerful"], name=NAME)
    gateway, agents = ScriptedGateway(model), list[str]()

    def in_name(agent: str) -> ScriptedGateway:
        agents.append(agent)
        return gateway

    opinion = SecondOpinion(in_name, lambda: True)
    earlier = ["what came before"]
    assert await opinion.of("luke", NAME, "do it", earlier=earlier, session="s1") == "powerful"
    (request,) = model.requests
    assert agents == ["luke"]
    assert request.answers == ("fast", "balanced", "powerful")
    assert (request.purpose, request.session, request.max_tokens) == ("routing", "s1", 1)
    (message,) = request.messages
    assert "do it" in message.content and "what came before" in message.content


@pytest.mark.parametrize(
    "answer", [[ModelFailed("no")], [ModelUnavailable("gone")], "I cannot say that", ""]
)
async def test_what_fails_is_no_opinion_and_not_asked_again_at_once(answer: object) -> None:
    model = ScriptedModel([answer], otherwise="fast", name=NAME)  # type: ignore[list-item]
    opinion = asking(model)
    assert await opinion.of("kyra", NAME, "hello") is None
    assert await opinion.of("kyra", NAME, "hello") is None
    assert len(model.requests) == 1


async def test_it_is_not_waited_for_longer_than_it_is_worth() -> None:
    never = asyncio.Event()
    model = ScriptedModel([[Gate(never)]], name=NAME)
    opinion = asking(model, longest_s=0.05)
    assert await opinion.of("kyra", NAME, "hello") is None
    assert model.closed_early == 1


async def test_a_cancel_goes_through() -> None:
    model = ScriptedModel([[Gate(asyncio.Event())]], name=NAME)
    task = asyncio.create_task(asking(model).of("kyra", NAME, "hello"))
    while not model.requests:  # noqa: ASYNC110  it comes about in the task
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_model_of_this_machine_is_left_alone_where_it_is_small_or_busy() -> None:
    small = ScriptedModel(otherwise="fast", name=NAME, profile=ModelProfile(strength="small"))
    assert await asking(small).of("kyra", NAME, "hello") is None
    large = ScriptedModel(otherwise="fast", name=NAME)
    assert await asking(large, idle=False).of("kyra", NAME, "hello") is None
    assert small.requests == [] and large.requests == []
    assert await asking(large).of("kyra", NAME, "hello") == "fast"
