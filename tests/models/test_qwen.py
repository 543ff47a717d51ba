"""The default model itself: when it reaches for a tool, and what a kept prefix saves."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from listening import Heard, assistant, listen, system, user
from model_files import give_to

from skill_agent.agents.dna import Boundaries
from skill_agent.agents.parsing import parse_agents
from skill_agent.files.home import Home
from skill_agent.models.gateway import Gateway
from skill_agent.ports import ChatMessage, Model, ModelRequest
from skill_agent.settings.schema import Settings
from skill_agent.skills.book import SkillBook
from skill_agent.tools.http import HttpGet
from skill_agent.tools.skills import ActivateSkill, OpenSkills, ReadSkillFile
from skill_agent.turns.prompt import system_layers, system_text
from skill_agent.values import ModelProfile, ToolCall

pytestmark = pytest.mark.slow

BOOK = SkillBook([Path(__file__).parents[2] / "skills"])


@pytest.fixture
async def model(tmp_path: Path) -> AsyncIterator[Model]:
    home = Home(tmp_path / "home")
    give_to(home, "qwen2.5-coder-1.5b")
    gateway = Gateway(Settings(), home)
    yield await gateway.model("default")
    await gateway.close()


def kyra() -> ChatMessage:
    """Kyra's real system message for a small model."""
    root = Path(__file__).parents[2]
    names = [skill.name for skill in BOOK.skills()]
    team = parse_agents((root / "agents.toml").read_text("utf-8"), "agents.toml", names)
    dna = next(agent for agent in team.agents if agent.slug == "kyra")
    return system(system_text(system_layers(dna, profile=ModelProfile(strength="small"))))


def http() -> HttpGet:
    return HttpGet(boundaries=Boundaries())


async def test_the_prefix_is_reused_on_every_later_turn(model: Model) -> None:
    persona = kyra()
    assert await model.count_tokens(persona.content) <= 220
    await model.prefill(ModelRequest(messages=(persona, user("?"))))
    talk: tuple[ChatMessage, ...] = (persona,)
    for text in ("Hello, I'm Sam.", "What's a good name for a dog?", "Thanks!"):
        talk = (*talk, user(text))
        heard = await listen(model, ModelRequest(messages=talk, max_tokens=40))
        usage = heard.end.usage
        assert usage.cached_tokens >= 0.8 * usage.prompt_tokens
        talk = (*talk, assistant(heard.text))


async def test_an_answer_is_read_out_of_a_tools_result(model: Model) -> None:
    persona, tools = kyra(), (http().spec,)
    asked = (persona, user("Fetch https://example.org/notes.txt and tell me what it says."))
    first = await listen(model, ModelRequest(messages=asked, tools=tools))
    (call,) = first.calls
    assert call.arguments == {"url": "https://example.org/notes.txt"}
    done = (
        *asked,
        ChatMessage(role="assistant", content="", tool_calls=(call,)),
        ChatMessage(
            role="tool", content="The meeting moved to Tuesday at 10.", tool_call_id=call.id
        ),
    )
    answer = await listen(model, ModelRequest(messages=done, tools=tools, temperature=0.0))
    assert not answer.calls
    assert "Tuesday" in answer.text


async def test_it_follows_a_skill_step_by_step(model: Model) -> None:
    """As a turn goes where the gate is sure: the skill is open before the model is asked."""
    names = ["weather"]
    skills = OpenSkills(BOOK, "kyra")
    opening = ActivateSkill(skills=skills, names=names)
    tools = (opening.spec, ReadSkillFile(skills=skills, names=names).spec, http().spec)
    opened = ToolCall(id="c1", name=opening.spec.name, arguments={"name": "weather"})
    talk: tuple[ChatMessage, ...] = (
        kyra(),
        user("What is the weather in Oslo?"),
        ChatMessage(role="assistant", content="", tool_calls=(opened,)),
        ChatMessage(role="tool", content=BOOK.activate("weather"), tool_call_id="c1"),
    )
    results = {
        "search": '{"results":[{"name":"Oslo","latitude":59.91273,"longitude":10.74609,'
        '"timezone":"Europe/Oslo","country":"Norway"}]}',
        "forecast": '{"current_units":{"temperature_2m":"°C"},"current":{"temperature_2m":3.4,'
        '"apparent_temperature":-0.2,"precipitation":0.0,"wind_speed_10m":14.8}}',
    }
    steps: list[str] = []
    heard: Heard | None = None
    for _ in range(4):
        heard = await listen(
            model, ModelRequest(messages=talk, tools=tools, max_tokens=60, temperature=0.0)
        )
        if not heard.calls:
            break
        (call,) = heard.calls
        url = call.arguments.get("url", "")
        step = next((name for name in ("search", "forecast") if name in url), call.name)
        steps.append(step)
        talk = (
            *talk,
            ChatMessage(role="assistant", content="", tool_calls=(call,)),
            ChatMessage(role="tool", content=results[step], tool_call_id=call.id),
        )
    assert steps == ["search", "forecast"]
    assert heard is not None and "3" in heard.text
