"""What calls may cost, by a price list that is read without litellm."""

import subprocess
import sys

import pytest

from skill_agent.models.money.prices import FREE, Price, Prices, most_tokens
from skill_agent.ports import ChatMessage, ModelRequest, ToolSpec
from skill_agent.values import Image, ModelInfo, ToolCall


def info(name: str, *, local: bool = False) -> ModelInfo:
    return ModelInfo(name=name, provider=name.partition("/")[0], local=local)


@pytest.mark.parametrize(
    "name", ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-pro"]
)
async def test_listed_models_have_a_price(name: str) -> None:
    price = await Prices().of(info(name))
    assert price is not None and 0 < price.prompt < price.completion < 1e-3


async def test_what_writing_to_a_cache_costs_is_expected() -> None:
    price = await Prices().of(info("anthropic/claude-sonnet-4-5"))
    assert price is not None and price.prompt == 3.75e-06


async def test_a_long_prompt_may_cost_more() -> None:
    price = await Prices().of(info("gemini/gemini-2.5-pro"))
    assert price is not None
    assert price.of(200_001, 0) / 200_001 == pytest.approx(2 * price.of(1_000, 0) / 1_000)


async def test_what_is_in_no_list_has_no_known_price() -> None:
    assert await Prices().of(info("openai/what-nobody-sells")) is None
    assert await Prices().of(info("embedding-only/x")) is None


async def test_ones_own_models_are_free() -> None:
    for one in (info("embedded/x"), info("ollama/x"), info("mine/x", local=True)):
        assert await Prices().of(one) == FREE
    assert FREE.of(10**9, 10**9) == 0


def test_a_price_is_found_without_importing_litellm() -> None:
    code = (
        "import asyncio, sys\n"
        "from skill_agent.models.money.prices import Prices\n"
        "from skill_agent.values import ModelInfo\n"
        "info = ModelInfo(name='openai/gpt-4o-mini', provider='openai')\n"
        "assert asyncio.run(Prices().of(info))\n"
        "assert 'litellm' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_prompt_is_hardly_longer_than_it_is_counted() -> None:
    """Against what tokenizers make of such texts: some four letters a token, one of a sign."""
    plain = ModelRequest(messages=(ChatMessage(role="user", content="word " * 400),))
    assert 400 <= most_tokens(plain) <= 800
    signs = ModelRequest(messages=(ChatMessage(role="user", content="見" * 400),))
    assert most_tokens(signs) >= 400
    call = ToolCall(id="1", name="n", arguments={"a": "b" * 300})
    more = ModelRequest(
        messages=(ChatMessage(role="assistant", content="", tool_calls=(call,)),),
        tools=(ToolSpec(name="n", description="d" * 300, parameters={"type": "object"}),),
        response_schema={"type": "string", "description": "e" * 300},
    )
    assert most_tokens(more) >= 300
    shown = ChatMessage(role="user", content="", images=(Image(data="QUFB"),))
    assert most_tokens(ModelRequest(messages=(shown,))) >= 1_600


def test_a_price_is_multiplied() -> None:
    price = Price(prompt=0.5, completion=0.25, long_from=10, long=(1.0, 0.0))
    assert (price.of(10, 4), price.of(11, 4)) == (6.0, 12.0)
