"""What a call of a model may cost, by litellm's price list, without importing litellm.

What was registered with litellm in this process counts before its list. A model that is in
neither has no known price, which is not the same as none.
"""

import asyncio
import re
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from skill_agent.models.remote_facts import price_list
from skill_agent.ports import ChatMessage, ModelRequest
from skill_agent.values import ModelInfo

PER_MESSAGE, PER_IMAGE = 8, 1_600
"""Tokens around a message, and of a picture; what providers count is rarely more."""
_CHARS_PER_TOKEN = 3
"""Of plain text; any other character counts as a token of its own."""
_ABOVE = re.compile(r"(input|output)_cost_per_token_above_(\d+)k_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars a token."""

    prompt: float = 0.0
    completion: float = 0.0
    long_from: int = 0
    """Tokens of a prompt above which both are those of `long`; 0 where they never change."""
    long: tuple[float, float] = (0.0, 0.0)

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        prompt, completion = self.prompt, self.completion
        if self.long_from and prompt_tokens > self.long_from:
            prompt, completion = max(prompt, self.long[0]), max(completion, self.long[1])
        return prompt_tokens * prompt + completion_tokens * completion


FREE = Price()


class Prices:
    """The prices of one process; the list is read once."""

    async def of(self, info: ModelInfo) -> Price | None:
        """None for a model without a known price. A model of this machine, or of one's own
        Ollama, costs nothing, and neither does one of a server here that no list knows."""
        if info.local or info.provider in ("embedded", "ollama", "ollama_chat"):
            return FREE
        if (registered := _price(_registered(info.name))) is not None:
            return registered
        found = await asyncio.to_thread(lambda: self._list)
        if (listed := _price(_named(found, info.name))) is not None:
            return listed
        if info.own_server:
            return FREE
        if not getattr(sys.modules.get("litellm"), "suppress_debug_info", False):
            return None  # it is not there yet, or would print what it thinks of an unknown name
        return await asyncio.to_thread(_told_by_litellm, info.name)

    @cached_property
    def _list(self) -> dict[str, Any]:
        return price_list()


def most_tokens(request: ModelRequest) -> int:
    """What a request's prompt hardly exceeds, counted without a tokenizer."""
    tools = sum(_tokens(tool.description) + _tokens(str(tool.parameters)) for tool in request.tools)
    schema = _tokens(str(request.response_schema)) if request.response_schema else 0
    return tools + schema + sum(map(_of_message, request.messages))


def tokens_in(characters: int) -> int:
    """Tokens of so many plain characters."""
    return -(-characters // _CHARS_PER_TOKEN)


def _of_message(message: ChatMessage) -> int:
    calls = sum(_tokens(str(call.arguments)) + PER_MESSAGE for call in message.tool_calls)
    return _tokens(message.content) + calls + PER_IMAGE * len(message.images) + PER_MESSAGE


def _tokens(text: str) -> int:
    if text.isascii():
        return tokens_in(len(text))
    plain = len(text.encode("ascii", "ignore"))
    return tokens_in(plain) + len(text) - plain


def _registered(name: str) -> Any:
    """What was registered with litellm in this process, or its own list once it is imported."""
    litellm = sys.modules.get("litellm")
    return _named(getattr(litellm, "model_cost", None) or {}, name)


def _named(prices: dict[str, Any], name: str) -> Any:
    return prices.get(name) or prices.get(name.partition("/")[2])


def _told_by_litellm(name: str) -> Price | None:
    """litellm knows a model by more names than its list has; what it has no price for it calls
    free."""
    try:
        found = _price(dict(sys.modules["litellm"].get_model_info(name)))
    except Exception:  # it raises bare exceptions for unknown models
        return None
    return found if found != FREE else None


def _price(found: Any) -> Price | None:
    if not isinstance(found, dict):
        return None
    amounts = {name: float(one) for name, one in found.items() if _is_amount(one)}
    prompt = amounts.get("input_cost_per_token")
    completion = amounts.get("output_cost_per_token")
    if prompt is None or completion is None:
        return None
    above = {
        (match[1], int(match[2]) * 1_000): one
        for name, one in amounts.items()
        if (match := _ABOVE.fullmatch(name))
    }
    long_from = min((size for _, size in above), default=0)
    return Price(
        prompt=max(prompt, amounts.get("cache_creation_input_token_cost", 0.0)),
        completion=completion,
        long_from=long_from,
        long=(above.get(("input", long_from), 0.0), above.get(("output", long_from), 0.0)),
    )


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1
