"""Every model litellm can reach, behind the `Model` port; litellm is imported at the first call.

No fallback to another model and no local model here.
"""

import asyncio
import importlib
import json
import logging
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from skill_agent.errors import ModelError, ModelFailed, ModelUnavailable
from skill_agent.identifiers import new_id
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
from skill_agent.values import Image, ModelInfo, ToolCall, Usage

from .admitted import admitted
from .disclosure import as_sent
from .refusals import missing_key, translated
from .structured import checked
from .thoughts import thoughts_apart

RATE_LIMIT_TRIES = 3
LONGEST_WAIT_S = 20.0
"""A provider that asks for a longer pause after a 429 counts as unavailable."""


_CLAUDES = ("anthropic", "bedrock", "vertex_ai", "openrouter")
"""Providers of Claude, which keeps of a prompt what is marked; others keep what they see fit."""
_THINKING = ("reasoning_effort", "thinking")
_CACHED = MappingProxyType({"type": "ephemeral"})


@dataclass(slots=True)
class _Heard:
    """What a stream has given so far."""

    started: float = field(default_factory=time.perf_counter)
    first: float = 0.0
    calls: dict[int, dict[str, str]] = field(default_factory=dict)
    finish: Literal["stop", "length", "tool_calls"] = "stop"
    usage: Any = None


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
        """Imports litellm: some three seconds."""
        await _litellm()

    async def prefill(self, request: ModelRequest) -> None:
        """Only loads; providers keep their own prompt caches."""
        await self.load()

    async def count_tokens(self, text: str) -> int:
        litellm = await _litellm()
        text = tokenless(text)
        return await asyncio.to_thread(litellm.token_counter, model=self._called, text=text)

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        return checked(self._worded, request) if request.response_schema else self._worded(request)

    def _worded(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        return thoughts_apart(self._spoken(request))

    async def _spoken(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        heard = _Heard()
        if not self.info.local:
            request = await asyncio.to_thread(as_sent, request, self.info.provider)
        request = admitted(request)
        litellm = await _litellm()
        self._check_key(litellm)
        chunks: Any = None
        try:
            async with aclosing(self._opened(litellm, request)) as steps:
                async for step in steps:
                    if isinstance(step, StatusPart):
                        yield step
                    else:
                        chunks = step
            async for chunk in self._timed(chunks):
                for part in _parts(chunk, heard):
                    yield part
            for part in _calls(heard):
                yield part
        except ModelError:
            raise
        except Exception as error:  # litellm has no tree of its own worth the name
            raise translated(error, self.info.name, self._base) from None
        finally:
            await _closed(chunks)
        yield EndPart(usage=self._usage(litellm, heard), finish=heard.finish)

    async def _opened(
        self, litellm: Any, request: ModelRequest
    ) -> AsyncGenerator["StatusPart | Any", None]:
        """The provider's stream as the last thing yielded, after waiting out short rate limits."""
        for attempt in range(1, RATE_LIMIT_TRIES + 1):
            try:
                async with asyncio.timeout(self._timeout_s):
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

    async def _timed(self, chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
        while True:
            try:
                async with asyncio.timeout(self._timeout_s):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            yield chunk

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
        return Usage(
            model=self.info.name,
            prompt_tokens=getattr(usage, "prompt_tokens", 0) or 0,
            completion_tokens=getattr(usage, "completion_tokens", 0) or 0,
            cached_tokens=getattr(details, "cached_tokens", 0) or 0,
            cost_usd=_cost(litellm, self._called, usage),
            first_token_s=heard.first,
            total_s=time.perf_counter() - heard.started,
        )


async def _litellm() -> Any:
    return await asyncio.to_thread(_imported)


def _imported() -> Any:
    """litellm without its price download, telemetry, chatter on stderr and own HTTP client."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    litellm: Any = importlib.import_module("litellm")
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.disable_aiohttp_transport = True
    litellm.disable_hf_tokenizer_download = True  # of whatever has "llama-3" in its name
    for name in ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router", "httpx", "openai"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return litellm


async def close_clients() -> None:
    """Closes litellm's connections, if it was ever imported, and lets go of them: it would hold on
    to what is closed for ten minutes."""
    import sys

    if litellm := sys.modules.get("litellm"):
        await litellm.close_litellm_async_clients()
        litellm.in_memory_llm_clients_cache.flush_cache()


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
    if not chunk.choices:
        return []
    choice = chunk.choices[0]
    if choice.finish_reason in ("length", "tool_calls"):
        heard.finish = choice.finish_reason
    for call in choice.delta.tool_calls or ():
        _note_call(heard, call)
    parts: list[ModelPart] = []
    if thought := getattr(choice.delta, "reasoning_content", None):
        parts.append(ThoughtPart(text=thought))
    if text := choice.delta.content:
        parts.append(TextPart(text=text))
    if parts:
        heard.first = heard.first or time.perf_counter() - heard.started
    return parts


def _note_call(heard: _Heard, call: Any) -> None:
    """Calls arrive in pieces, told apart by their index."""
    heard.first = heard.first or time.perf_counter() - heard.started
    noted = heard.calls.setdefault(call.index or 0, {"id": "", "name": "", "arguments": ""})
    noted["id"] = noted["id"] or call.id or ""
    noted["name"] = noted["name"] or call.function.name or ""
    noted["arguments"] += call.function.arguments or ""


def _calls(heard: _Heard) -> list[ModelPart]:
    parts: list[ModelPart] = []
    for _, noted in sorted(heard.calls.items()):
        try:
            arguments = json.loads(noted["arguments"] or "{}")
        except ValueError:
            arguments = None
        if not isinstance(arguments, dict) or not noted["name"]:
            raise ModelFailed(f"the model made an unreadable call of {noted['name'] or 'a tool'!r}")
        call = ToolCall(id=noted["id"] or new_id(), name=noted["name"], arguments=arguments)
        parts.append(ToolPart(call=call))
    if parts:
        heard.finish = "tool_calls"
    return parts


def _cost(litellm: Any, model: str, usage: Any) -> float:
    """US dollars by litellm's price list; 0 for a model it has no price for."""
    if usage is None:
        return 0.0
    try:
        prompt, completion = litellm.cost_per_token(model=model, usage_object=usage)
    except Exception:  # it raises bare exceptions for unknown models; a price is never worth a turn
        return 0.0
    return float(prompt + completion)
