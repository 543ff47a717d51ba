"""Every model litellm can reach, behind the `Model` port; litellm is imported at the first call.

No fallback to another model and no local model here.
"""

import asyncio
import json
import math
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from skill_agent.errors import ModelError, ModelFailed, ModelFiltered, ModelUnavailable
from skill_agent.models.wire.chunks import count, finish
from skill_agent.models.wire.litellm_ready import litellm_ready
from skill_agent.models.wire.proxies import is_loopback
from skill_agent.ports import (
    ChatMessage,
    EndPart,
    ModelPart,
    ModelRequest,
    StatusPart,
    TextPart,
    ThoughtPart,
    ToolPart,
    ToolSpec,
)
from skill_agent.text.gate import tokenless
from skill_agent.values import Image, ModelInfo, Usage

from .admitted import admitted
from .calls import Calls
from .disclosure import as_sent
from .received import received
from .refusals import missing_key, place, translated
from .structured import checked

RATE_LIMIT_TRIES = 3
LONGEST_WAIT_S = 20.0
"""A provider that asks for a longer pause after a 429 counts as unavailable."""


_CLAUDES = ("anthropic", "bedrock", "vertex_ai", "openrouter")
"""Providers of Claude, which keeps of a prompt what is marked; others keep what they see fit."""
_THINKING = ("reasoning_effort", "thinking")
_IN_BETWEEN = "intermittent_finish_reason"
"""Where litellm puts the reason of some providers, who give one before their last words."""
_CACHED = MappingProxyType({"type": "ephemeral"})


AFTER_END_S = 5.0
"""A server that told why its reply ended is waited for so long, for the figures."""

Finish = Literal["stop", "length", "tool_calls", "filtered", "cut"]


@dataclass(slots=True)
class _Heard:
    """What a stream has given so far."""

    started: float = field(default_factory=time.perf_counter)
    first: float = 0.0
    calls: Calls = field(default_factory=Calls)
    said: bool = False
    """Whether there is a reply: white space is none."""
    thought: bool = False
    finish: str = ""
    usage: Any = None

    def heard(self) -> None:
        self.first = self.first or time.perf_counter() - self.started


class RemoteModel:
    """A provider's model.

    `timeout_s` bounds the wait for the first token and between two; `base` replaces the
    provider's address.
    """

    def __init__(self, info: ModelInfo, *, timeout_s: float, base: str = "") -> None:
        self.info = info
        self._timeout_s = timeout_s
        self._base = base
        # litellm's plain `ollama/` speaks the old completion API, which knows no tools.
        ollama = info.provider == "ollama"
        self._is_claude = info.provider in _CLAUDES and "claude" in info.name
        self._called = info.name.replace("ollama/", "ollama_chat/", 1) if ollama else info.name

    async def load(self) -> None:
        """Imports litellm: some four seconds."""
        await litellm_ready()

    async def prefill(self, request: ModelRequest) -> None:
        """Only loads; providers keep their own prompt caches."""
        await self.load()

    async def count_tokens(self, text: str) -> int:
        litellm = await litellm_ready()
        text = tokenless(text)
        return await asyncio.to_thread(litellm.token_counter, model=self._called, text=text)

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        return checked(self._worded, request) if request.response_schema else self._worded(request)

    def _worded(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        return received(self._spoken(request))

    async def _spoken(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        heard = _Heard()
        if not self.info.local:
            request = await asyncio.to_thread(as_sent, request, self.info.provider)
        request = admitted(request)
        litellm = await litellm_ready()
        self._check_key(litellm)
        chunks: Any = None
        try:
            async with aclosing(self._opened(litellm, request)) as steps:
                async for step in steps:
                    if isinstance(step, StatusPart):
                        yield step
                    else:
                        chunks = step
            async for chunk in self._timed(chunks, heard):
                for part in _parts(chunk, heard):
                    yield part
            ended = self._ended(heard, _reason(chunks))
        except ModelError:
            raise
        except Exception as error:  # litellm has no tree of its own worth the name
            raise translated(error, self.info.name, self._base) from None
        finally:
            await _closed(chunks)
        for call in heard.calls.told() if ended == "tool_calls" else ():
            yield ToolPart(call=call)
        yield EndPart(usage=self._usage(litellm, heard), finish=ended)

    async def _opened(
        self, litellm: Any, request: ModelRequest
    ) -> AsyncGenerator["StatusPart | Any", None]:
        """The provider's stream as the last thing yielded, after waiting out short rate limits."""
        for attempt in range(1, RATE_LIMIT_TRIES + 1):
            try:
                # The transport sees to the time: it runs from when the request is sent.
                chunks = await litellm.acompletion(**self._arguments(request))
            except Exception as error:
                failure = translated(error, self.info.name, self._base)
                pause = _pause(failure, attempt)
                if pause is None:
                    raise failure from None
            else:
                yield chunks
                return
            yield StatusPart(text=f"{self.info.provider} is busy; trying again in {pause:.1f} s")
            await asyncio.sleep(pause)

    async def _timed(self, chunks: AsyncIterator[Any], heard: _Heard) -> AsyncIterator[Any]:
        while True:
            wait = min(self._timeout_s, AFTER_END_S) if heard.finish else self._timeout_s
            try:
                async with asyncio.timeout(wait):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            except TimeoutError:
                if heard.finish:
                    return
                raise
            yield chunk

    def _ended(self, heard: _Heard, reason: str) -> Finish:
        """How the stream ended; raises where it gave nothing that could be used."""
        where = place(self.info.name, self._base)
        if not reason:
            return self._cut(heard, where)
        if reason == "content_filter":
            if heard.said:
                return "filtered"
            raise ModelFiltered(
                f"{where} withheld the reply: its content filter was set off",
                hint="say it in other words, or choose another model with -m",
            )
        if heard.calls:
            return "tool_calls"
        length = reason == "length"
        if heard.said or heard.thought:
            return "length" if length else "stop"
        if length:
            raise ModelFailed(
                f"{where} gave no reply before its length limit",
                hint="ask again with -o max_tokens=8000, or -o reasoning_effort=low",
            )
        # Nothing was shown, and another model may well have an answer: as good as not there.
        raise ModelUnavailable(
            f"{where} gave no reply: its answer was empty",
            hint="ask again, or choose another model with -m",
        )

    def _cut(self, heard: _Heard, where: str) -> Finish:
        hint = "ask again; if it happens each time, look at the server's log"
        if heard.calls:
            raise ModelUnavailable(f"{where} broke off in the middle of a tool call", hint=hint)
        if not heard.said:
            raise ModelUnavailable(f"{where} broke off before a reply", hint=hint)
        return "cut"

    def _arguments(self, request: ModelRequest) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "model": self._called,
            "messages": [self._message(one) for one in request.messages],
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            "timeout": self._timeout_s,
            "max_retries": 0,
            "num_retries": 0,
            "drop_params": True,
        }
        if self._base:
            arguments["api_base"] = self._base
            # A server at an address of the person's own often wants no key, the client does.
            if not os.environ.get(f"{self.info.provider.upper()}_API_KEY"):
                arguments["api_key"] = "none"
        if request.tools and not request.response_schema:
            arguments["tools"] = [_tool(spec) for spec in request.tools]
        if request.response_schema:
            arguments["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": request.response_schema},
            }
        return {**arguments, **self._overrides(request)}

    def _overrides(self, request: ModelRequest) -> dict[str, Any]:
        """Claude wants its own signed thoughts back beside a tool's result; they are not kept, so
        it goes on without thinking."""
        if not self._is_claude or request.messages[-1].role != "tool":
            return request.overrides
        return {name: one for name, one in request.overrides.items() if name not in _THINKING}

    def _message(self, message: ChatMessage) -> dict[str, Any]:
        plain = _message(message)
        if message.role == "system" and message.content and self._is_claude:
            plain["content"] = [
                {"type": "text", "text": message.content, "cache_control": {**_CACHED}}
            ]
        if message.images and self.info.profile.vision:
            told = {"type": "text", "text": message.content}
            plain["content"] = [*map(_shown, message.images), told]
        return plain

    def _check_key(self, litellm: Any) -> None:
        if self._base:
            return
        found = litellm.validate_environment(self._called)
        missing = [name for name in found.get("missing_keys") or () if "KEY" in name]
        if missing and not found.get("keys_in_environment"):
            raise missing_key(self.info.provider, missing)

    def _usage(self, litellm: Any, heard: _Heard) -> Usage:
        usage = heard.usage
        details = getattr(usage, "prompt_tokens_details", None)
        cost = _cost(litellm, self._called, usage)
        free = self.info.local or self.info.provider == "ollama" or is_loopback(self._base)
        return Usage(
            model=self.info.name,
            prompt_tokens=count(getattr(usage, "prompt_tokens", 0)),
            completion_tokens=count(getattr(usage, "completion_tokens", 0)),
            cached_tokens=count(getattr(details, "cached_tokens", 0)),
            cost_usd=cost or 0.0,
            priced=free or cost is not None,
            first_token_s=heard.first,
            total_s=time.perf_counter() - heard.started,
        )


async def _closed(chunks: Any) -> None:
    """Ends the HTTP response, which makes the provider stop generating."""
    inner = getattr(chunks, "completion_stream", None)
    # Anthropic's iterator cannot be closed, only what it reads from.
    for stream in (getattr(inner, "streaming_response", None), inner, chunks):
        close = getattr(stream, "aclose", None) or getattr(stream, "close", None)
        if close is None:
            continue
        try:
            outcome = close()
            if asyncio.iscoroutine(outcome):
                await outcome
        except (RuntimeError, OSError, AttributeError):
            continue


def _pause(failure: ModelError, attempt: int) -> float | None:
    """Seconds to wait before another try; None where none makes sense."""
    limited = isinstance(failure, ModelUnavailable) and "(429)" in failure.message
    if not limited or attempt == RATE_LIMIT_TRIES:
        return None
    asked = failure.retry_after if isinstance(failure, ModelUnavailable) else None
    pause = 2.0**attempt if asked is None else asked
    return pause if pause <= LONGEST_WAIT_S else None


def _message(message: ChatMessage) -> dict[str, Any]:
    plain: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        plain["content"] = message.content or None
        plain["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
            }
            for call in message.tool_calls
        ]
    if message.role == "tool":
        plain["tool_call_id"] = message.tool_call_id
    return plain


def _shown(image: Image) -> dict[str, Any]:
    url = f"data:{image.media_type};base64,{image.data}"
    return {"type": "image_url", "image_url": {"url": url}}


def _tool(spec: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": spec.name,
            "description": spec.description,
            "parameters": spec.parameters,
        },
    }


def _parts(chunk: Any, heard: _Heard) -> list[ModelPart]:
    """Thought and text of a chunk; calls, end and usage go to `heard`."""
    if usage := getattr(chunk, "usage", None):
        heard.usage = usage
    choice = next(iter(getattr(chunk, "choices", None) or ()), None)
    if choice is None:
        return []
    heard.finish = finish(choice.finish_reason) or heard.finish
    delta = choice.delta
    for call in getattr(delta, "tool_calls", None) or ():
        heard.heard()
        told = call.function
        heard.calls.add(call.index, call.id or "", told.name or "", told.arguments or "")
    parts: list[ModelPart] = []
    if thought := getattr(delta, "reasoning_content", None):
        heard.thought = True
        parts.append(ThoughtPart(text=thought))
    if text := getattr(delta, "content", None):
        heard.said = heard.said or not text.isspace()
        parts.append(TextPart(text=text))
    if parts:
        heard.heard()
    return parts


def _reason(chunks: Any) -> str:
    """Why the server says its reply ended, empty where it says nothing: litellm then tells of an
    ordinary end all the same."""
    told = (getattr(chunks, name, None) for name in ("received_finish_reason", _IN_BETWEEN))
    return next((reason for one in told if (reason := finish(one))), "")


def _cost(litellm: Any, model: str, usage: Any) -> float | None:
    """US dollars by litellm's price list; None for a model it has no price for."""
    if usage is None:
        return None
    try:
        cost = sum(litellm.cost_per_token(model=model, usage_object=usage))
    except Exception:  # it raises bare exceptions for unknown models; a price is never worth a turn
        return None
    return float(cost) if math.isfinite(cost) and cost >= 0 else None
