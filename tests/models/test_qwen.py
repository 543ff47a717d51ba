"""The default model itself: when it reaches for a tool, and what a kept prefix saves."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from listening import Heard, assistant, listen, system, user
from model_files import give_to

from skill_agent.agents.parsing import parse_agents
from skill_agent.files.home import Home
from skill_agent.models.gateway import Gateway
from skill_agent.ports import ChatMessage, Model, ModelRequest, ToolSpec
from skill_agent.settings.schema import Settings
from skill_agent.skills.book import SkillBook
from skill_agent.tools.http import HttpGet
from skill_agent.tools.memory import Remember, SearchMemory
from skill_agent.tools.skills import ActivateSkill, ReadSkillFile
from skill_agent.turns.prompt import system_prompt

pytestmark = pytest.mark.slow

NOTES = """<recalled>
Today is Saturday, 21 November 2026.
[SAID 2026-11-20] The user said: "The launch is on 3 March and Priya leads it"
[FACT 2026-11-19] The user's cat is called Pixel.
</recalled>

"""
WORDS = (
    "Hi Kyra!",
    "Good evening, how are you doing?",
    "Thank you so much!",
    "ok",
    "I'm Tom, a nurse from Bristol.",
    "What's the largest ocean?",
    "How many minutes are in a day?",
    "Explain what a database index does.",
    "Suggest a title for a talk about testing.",
    "Write a short birthday message for my dad.",
    "Which is healthier, walking or swimming?",
    "I had a rough day at work.",
    NOTES + "When is the launch?",
    NOTES + "Who leads it, and what's my cat's name?",
)
TOOLS = {
    "What's the weather like in Bergen?": "activate_skill",
    "Will it snow in Zurich tomorrow?": "activate_skill",
    "What time is it in Toronto right now?": "activate_skill",
    "Find a recipe that uses leeks and potatoes.": "activate_skill",
    "Fetch https://example.com/changelog.txt and tell me what's new.": "http_get",
    "Please get http://example.net/api/users": "http_get",
    "Read https://example.org/faq and answer: do they ship abroad?": "http_get",
    "Search your memory for the plumber's number.": "search_memory",
    "Search our past conversations for the word invoice.": "search_memory",
    "Save this for later: the spare key is under the blue pot.": "remember",
}


@pytest.fixture
async def model(tmp_path: Path) -> AsyncIterator[Model]:
    home = Home(tmp_path / "home")
    give_to(home, "qwen2.5-coder-1.5b")
    gateway = Gateway(Settings(), home)
    yield await gateway.model("default")
    await gateway.close()


def kyra() -> tuple[ChatMessage, tuple[ToolSpec, ...]]:
    """Kyra's real system message and tools."""
    root = Path(__file__).parents[2]
    book = SkillBook([root / "skills"])
    names = [skill.name for skill in book.skills()]
    team = parse_agents((root / "agents.toml").read_text("utf-8"), "agents.toml", names)
    dna = next(agent for agent in team.agents if agent.slug == "kyra")
    skills = [skill for skill in book.skills() if skill.name in dna.effective_skills]
    effective = [skill.name for skill in skills]

    async def unused(_: str) -> Any:
        raise AssertionError("no tool is run here")

    tools = (
        ActivateSkill(book=book, names=effective).spec,
        ReadSkillFile(book=book, names=effective).spec,
        HttpGet(boundaries=dna.boundaries).spec,
        SearchMemory(search=unused).spec,
        Remember(save=unused).spec,
    )
    return system(system_prompt(dna, skills=skills)), tools


@pytest.mark.parametrize("turns", [0, 3])
async def test_it_reaches_for_the_right_tool_and_for_none_on_small_talk(
    model: Model, turns: int
) -> None:
    persona, tools = kyra()
    before = (user("Any name ideas for a boat?"), assistant("How about Sea Breeze?")) * turns
    wrong: list[str] = []
    false_tools: list[str] = []
    for text, wanted in {**dict.fromkeys(WORDS, ""), **TOOLS}.items():
        request = ModelRequest(
            messages=(persona, *before, user(text)), tools=tools, max_tokens=1, temperature=0.0
        )
        heard = await listen(model, request)
        got = heard.calls[0].name if heard.calls else ""
        if got != wanted:
            wrong.append(f"{text[-50:]!r}: {got or 'reply'} {heard.calls}")
            false_tools += [] if wanted else [text]
    total = len(WORDS) + len(TOOLS)
    print(f"\n{total - len(wrong)} of {total} right, {len(false_tools)} false tools: {wrong}")
    assert len(wrong) <= total * 0.15
    assert len(false_tools) <= 1


async def test_the_prefix_is_reused_on_every_later_turn(model: Model) -> None:
    persona, tools = kyra()
    await model.prefill(ModelRequest(messages=(persona, user("?")), tools=tools))
    talk: tuple[ChatMessage, ...] = (persona,)
    for text in ("Hello, I'm Sam.", "What's a good name for a dog?", "Thanks!"):
        talk = (*talk, user(text))
        heard = await listen(model, ModelRequest(messages=talk, tools=tools, max_tokens=40))
        usage = heard.end.usage
        assert usage.cached_tokens >= 0.8 * usage.prompt_tokens
        talk = (*talk, assistant(heard.text))


async def test_an_answer_is_read_out_of_a_tools_result(model: Model) -> None:
    persona, tools = kyra()
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
    persona, tools = kyra()
    book = SkillBook([Path(__file__).parents[2] / "skills"])
    talk: tuple[ChatMessage, ...] = (persona, user("What is the weather in Oslo?"))
    results = {
        "activate_skill": book.activate("weather"),
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
    assert steps == ["activate_skill", "search", "forecast"]
    assert heard is not None and "3" in heard.text
