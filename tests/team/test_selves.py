"""What an agent is told of itself becomes who it is with a person's yes, and not before."""

from collections.abc import AsyncIterator

import pytest
from fakes import OpenRuntime

from skill_agent.errors import UsageError
from skill_agent.host.runtime import Runtime
from skill_agent.memory.instructions import standing_instructions, told_of_itself
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Attachment, ClientContext, NewMemory, TurnRequest

SELF = [
    "You are our release manager.",
    "Kyra, your job is to keep the minutes.",
    "I like how you explain things with examples.",
    "Du bist unsere Übersetzerin.",
    "Deine Aufgabe ist es, die Tickets zu sortieren.",
    "Eres nuestra revisora de código.",
    "Tu es notre experte en sécurité.",
    "Sei la nostra traduttrice.",
    "Je bent onze planner.",
    "Você é nossa revisora.",
    "Ты наш редактор.",
    "Твоя задача следить за сроками.",
    "あなたは私たちの翻訳者です。",
    "你是我们的翻译。",
]
NOT_SELF = [
    "You are right.",
    "You're welcome!",
    "You are the best!",
    "Are you our release manager?",
    "You are our release manager today.",
    "My sister says you are our guest.",
    "Du bist der Beste!",
    "Tu as raison.",
    "Ты прав.",
    "你好！",
    "我喜欢你。",
]


@pytest.mark.parametrize("text", SELF)
def test_it_is_seen_in_its_language(text: str) -> None:
    assert told_of_itself(text) == [text]


@pytest.mark.parametrize("text", [*NOT_SELF, "Always answer in French."])
def test_nothing_else_is_taken_for_it(text: str) -> None:
    assert told_of_itself(text) == []


def test_an_order_for_good_is_none_of_it() -> None:
    assert standing_instructions("From now on be brief.") == ["From now on be brief."]
    assert told_of_itself("From now on be brief.") == []


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel(otherwise="understood")


@pytest.fixture
async def runtime(open_runtime: OpenRuntime, model: ScriptedModel) -> AsyncIterator[Runtime]:
    async with open_runtime(model) as opened:
        yield opened


async def system_of(runtime: Runtime, model: ScriptedModel, agent: str) -> str:
    async for _ in runtime.ask("What now?", agent=agent):
        pass
    await runtime.settle()
    return model.requests[-1].messages[0].content


async def test_it_is_identity_with_a_yes_only(runtime: Runtime, model: ScriptedModel) -> None:
    async for _ in runtime.ask("Thanks. You are our release manager.", agent="kyra"):
        pass
    await runtime.settle()
    (told,) = await runtime.memory.selves()
    assert (told.content, told.agent, told.memory_type) == (SELF[0], "kyra", "semantic")
    assert SELF[0] not in await system_of(runtime, model, "kyra")
    adopted = await runtime.memory.adopt(told.id)
    assert (adopted.memory_type, adopted.pinned) == ("identity", True)
    assert await runtime.memory.selves() == []
    assert SELF[0] in await system_of(runtime, model, "kyra")
    assert SELF[0] not in await system_of(runtime, model, "luke")


async def test_what_came_beside_the_words_says_nothing_of_the_agent(runtime: Runtime) -> None:
    beside = ClientContext(attachments=(Attachment(name="note.txt", text=SELF[0], origin="file"),))
    async for _ in runtime.turns.ask(TurnRequest("Read this", client_context=beside)):
        pass
    await runtime.settle()
    assert await runtime.memory.selves() == []


async def test_what_is_no_agents_cannot_be_who_it_is(runtime: Runtime) -> None:
    of_all = await runtime.memory.add(NewMemory("Deploys are on Mondays"))
    with pytest.raises(UsageError, match="no one agent's"):
        await runtime.memory.adopt(of_all.id)
