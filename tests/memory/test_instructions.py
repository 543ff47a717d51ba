"""Standing instructions said in passing: found in ten languages, shown always, and forgotten."""

from collections.abc import AsyncIterator

import pytest
from fakes import OpenRuntime

from skill_agent.events import MemoryRecalled
from skill_agent.host.runtime import Runtime
from skill_agent.memory.instructions import standing_instructions
from skill_agent.memory.recall.told import INSTRUCTION
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import MemoryFilter

GOOD = [
    "Always answer in French.",
    "Please never use emojis",
    "Kyra, from now on call me Max.",
    "Don't ever use bullet points!",
    "I want you to always give prices in euros.",
    "Antworte mir ab jetzt immer auf Deutsch.",
    "Bitte nie Emojis verwenden.",
    "Ich möchte, dass du mir immer kurz antwortest.",
    "Responde siempre en español, por favor.",
    "A partir de ahora llámame Paco.",
    "Ne mets jamais d'émojis.",
    "Désormais, tutoie-moi.",
    "Rispondi sempre in italiano.",
    "D'ora in poi chiamami Leo.",
    "Gebruik nooit emoji's.",
    "Responda sempre em português.",
    "Всегда отвечай на русском.",
    "С этого момента пиши мне коротко.",
    "これからは敬語を使わないでください。",
    "回答は常に日本語でお願いします。",
    "请以后用中文回答我。",
    "从现在开始叫我小王。",
]
ALONE = ["Please answer in German.", "Bitte nenn mich Lu.", "请用中文回答。"]
NOT_ONE = [
    "I always drink coffee before work.",
    "Never mind.",
    "Always those meetings on Mondays!",
    "Do you always answer in French?",
    "Answer in French.",
    "My boss says: write shorter mails.",
    "Never have I seen such a thing.",
    "Always remind me of it tomorrow.",
    "She never answers her phone.",
    "What is the capital of Peru? Please answer in German.",
    "Ich antworte immer sofort.",
    "Immer diese Hitze im Büro.",
    "Er schreibt nie zurück.",
    "Siempre llueve en abril.",
    "Nunca uso gafas para leer.",
    "Je réponds toujours trop tard.",
    "Я всегда отвечаю на письма утром.",
    "Он никогда не пишет писем.",
    "私はいつも朝に走っています。",
    "必ず鍵を閉める人です。",
    "我以后想写小说。",
    "他总是写错我的名字。",
]


@pytest.mark.parametrize("text", [*GOOD, *ALONE])
def test_an_order_for_good_is_seen_in_its_language(text: str) -> None:
    assert standing_instructions(text) == [text]


@pytest.mark.parametrize("text", NOT_ONE)
def test_nothing_else_is_taken_for_one(text: str) -> None:
    assert standing_instructions(text) == []


@pytest.fixture
async def runtime(open_runtime: OpenRuntime) -> AsyncIterator[Runtime]:
    async with open_runtime(ScriptedModel(otherwise="understood")) as opened:
        yield opened


async def asked(runtime: Runtime, text: str, agent: str) -> tuple[str, MemoryRecalled]:
    """The data block of a message in a new conversation, and what was recalled for it."""
    events = [event async for event in runtime.ask(text, agent=agent)]
    recalled = next(event for event in events if isinstance(event, MemoryRecalled))
    await runtime.settle()
    return (await runtime.ledger.messages(events[0].session))[0].context, recalled


async def test_it_stands_in_every_prompt_of_its_agent_until_it_is_forgotten(
    runtime: Runtime,
) -> None:
    await asked(runtime, "Nice weather in Genoa. From now on answer me in rhymes.", "kyra")
    (kept,) = [
        one
        for one in await runtime.memory.list(MemoryFilter(memory_types=("user_profile",)))
        if one.subject == INSTRUCTION
    ]
    assert (kept.content, kept.agent) == ("From now on answer me in rhymes.", "kyra")
    block, recalled = await asked(runtime, "Shall I answer in rhymes?", "kyra")
    assert block.endswith('follow it: "From now on answer me in rhymes."')
    assert kept.id not in {one.id for one in recalled.items}
    assert "asked for good" not in (await asked(runtime, "What rhymes with door?", "luke"))[0]
    await runtime.memory.forget(kept.id)
    assert "asked for good" not in (await asked(runtime, "What rhymes with sea?", "kyra"))[0]
