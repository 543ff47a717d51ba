"""The embedded provider: a GGUF model inside this process behind the `Model` port.

What a slot, a state on disk or a loaded file is lies in `engine` and below; where files come
from lies in `pull`.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from skill_agent.identifiers import new_id
from skill_agent.models.admitted import admitted
from skill_agent.models.model_json import read
from skill_agent.models.received import received
from skill_agent.models.structured import bare, checked, problem
from skill_agent.ports import (
    ChatMessage,
    EndPart,
    ModelPart,
    ModelRequest,
    StatusPart,
    TextPart,
    ToolPart,
    ToolSpec,
)
from skill_agent.text.gate import tokenless
from skill_agent.values import ModelInfo, ToolCall, Usage

from .chatprompt import plain_messages
from .engine import Chunk, Engine, Prompt, progress
from .llama_host import Endpoint, too_long
from .loops import loops
from .slots import Slot
from .toolchoice import (
    EACH_MORE,
    FOLLOWING_MARGIN,
    MARGIN,
    OPENING,
    REPLY,
    Action,
    ToolMenu,
    grammar,
    settled,
    shares,
)

_ARGUMENT_TOKENS = 512
_LIKELIEST = 40
"""First tokens whose probability is asked for when an action is chosen."""


@dataclass(slots=True)
class _Tally:
    """What the calls of one stream add up to."""

    started: float = field(default_factory=time.perf_counter)
    first: float = 0.0
    prompt_tokens: int = 0
    read_tokens: int = 0
    """Prompt tokens really read, over all calls."""
    made_tokens: int = 0

    def add(self, chunk: Chunk, *, counts: bool = True) -> None:
        timings = chunk["timings"]
        self.prompt_tokens = max(self.prompt_tokens, timings["cache_n"] + timings["prompt_n"])
        self.read_tokens += timings["prompt_n"]
        self.made_tokens += timings["predicted_n"] if counts else 0

    def heard(self) -> None:
        self.first = self.first or time.perf_counter() - self.started

    def usage(self, model: str) -> Usage:
        return Usage(
            model=model,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.made_tokens,
            cached_tokens=max(0, self.prompt_tokens - self.read_tokens),
            first_token_s=self.first,
            total_s=time.perf_counter() - self.started,
        )


@dataclass(slots=True)
class _Work:
    """One stream's request, its rendered prompt and the slot it runs in."""

    request: ModelRequest
    menu: ToolMenu
    engine: Engine
    prompt: Prompt
    slot: Slot
    tally: _Tally
    tokens: int
    finish: Literal["stop", "length", "tool_calls"] = "stop"
    likely: dict[str, float] = field(default_factory=dict)

    @property
    def room(self) -> int:
        """Tokens the reply may have."""
        return max(1, min(self.request.max_tokens, self.engine.window - self.tokens - 8))


class EmbeddedModel:
    """A local model, loaded at its first call and once.

    `open_engine` locates, verifies and loads; it raises ModelUnavailable.
    """

    def __init__(
        self,
        info: ModelInfo,
        open_engine: Callable[[], Awaitable[Engine]],
        *,
        margin: float = MARGIN,
    ) -> None:
        self._info = info
        self._open = open_engine
        self._margin = margin
        self._aside = info.profile.small
        self._engine: Engine | None = None
        self._loading = asyncio.Lock()

    @property
    def info(self) -> ModelInfo:
        info = replace(self._info, profile=replace(self._info.profile, continues=True))
        return info if self._engine is None else replace(info, context_window=self._engine.window)

    async def endpoint(self) -> Endpoint:
        """The loopback address and key of the OpenAI-compatible API; loads the model."""
        return (await self._loaded()).endpoint

    async def close(self) -> None:
        async with self._loading:
            engine, self._engine = self._engine, None
        if engine:
            await engine.close()

    async def count_tokens(self, text: str) -> int:
        return await (await self._loaded()).count(tokenless(text))

    async def load(self) -> None:
        await self._loaded()

    async def prefill(self, request: ModelRequest) -> None:
        engine, request = await self._loaded(), admitted(request)
        system = tuple(one for one in request.messages[:1] if one.role == "system")
        probe = (*system, ChatMessage(role="user", content="."))
        prompt = await engine.prompt(plain_messages(probe, _menu(request), aside=self._aside))
        await engine.warm(prompt.prefix)

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        return checked(self._worded, request) if request.response_schema else self._worded(request)

    def _worded(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        return received(self._spoken(request))

    async def _loaded(self) -> Engine:
        async with self._loading:
            if self._engine is None:
                self._engine = await self._open()
            return self._engine

    async def _spoken(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        tally, request = _Tally(), admitted(request)
        if self._engine is None:
            yield StatusPart(text=f"loading {self._info.name}")
        engine = await self._loaded()
        menu = _menu(request)
        prompt = await engine.prompt(plain_messages(request.messages, menu, aside=self._aside))
        tokens = await engine.count(prompt.text)
        if tokens + 16 > engine.window:
            raise too_long(tokens, engine.window)
        if engine.reading(prompt):
            yield StatusPart(text="reading the agent's instructions")
        elif engine.full:
            yield StatusPart(text="waiting for another reply to finish")
        async with engine.slot(prompt, background=request.background) as slot:
            work = _Work(request, menu, engine, prompt, slot, tally, tokens)
            async with aclosing(self._in_slot(work)) as parts:
                async for part in parts:
                    yield part
        usage = tally.usage(self._info.name)
        yield EndPart(usage=usage, finish=work.finish, likely=work.likely)

    async def _in_slot(self, work: _Work) -> AsyncGenerator[ModelPart, None]:
        # A schema's instructions are rarely asked for twice, those of background work always.
        keep = work.request.response_schema is None or work.request.background
        prefix = work.prompt.prefix
        async with aclosing(work.engine.read_prefix(work.slot, prefix, keep=keep)) as steps:
            async for step in steps:
                if isinstance(step, StatusPart):
                    yield step
                else:
                    work.tally.add(step, counts=False)
        if work.request.answers:
            async with aclosing(self._answer(work)) as parts:
                async for part in parts:
                    yield part
            return
        opening = work.request.opening
        if work.menu and work.request.overrides.get("tool_choice") == "none":
            opening = f"{OPENING} {REPLY}\n"
        elif work.menu:
            action = REPLY
            async with aclosing(self._choose(work)) as found:
                async for part in found:
                    if isinstance(part, StatusPart):
                        yield part
                    else:
                        action = part
            call = await self._call(work, work.menu.actions[action])
            if call is not None:
                work.finish = "tool_calls"
                yield ToolPart(call=call)
                return
            opening = f"{OPENING} {REPLY}\n"
        async with aclosing(self._reply(work, opening)) as parts:
            async for part in parts:
                yield part

    async def _reply(self, work: _Work, opening: str) -> AsyncGenerator[ModelPart, None]:
        payload: dict[str, Any] = {
            "prompt": work.prompt.text + opening,
            "n_predict": work.room,
            "temperature": work.request.temperature,
            **_passed_through(work.request),
        }
        if work.request.response_schema:
            payload["json_schema"] = work.request.response_schema
        said = ""
        async with aclosing(_pieces(work, payload)) as pieces:
            async for piece in pieces:
                if isinstance(piece, StatusPart):
                    yield piece
                elif piece := piece if said else piece.lstrip():
                    work.tally.heard()
                    said += piece
                    work.slot.text = work.prompt.text + opening + said
                    yield TextPart(text=piece)
                    if loops(said):
                        yield StatusPart(text="the model began to repeat itself and was stopped")
                        return

    async def _answer(self, work: _Work) -> AsyncGenerator[ModelPart, None]:
        """The likeliest of the allowed answers, by their first tokens before any grammar."""
        answers = work.request.answers
        payload = {
            "prompt": work.prompt.text + work.request.opening,
            "n_predict": 1,
            "temperature": 0.0,
            "n_probs": _LIKELIEST,
        }
        top: list[dict[str, Any]] = []
        async with aclosing(_chunks(work, payload)) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, StatusPart):
                    yield chunk
                elif not top and (found := chunk["choices"][0].get("logprobs")):
                    top = found["content"][0]["top_logprobs"]
        tokens = await work.engine.first_tokens(list(answers))
        work.likely = shares(top, dict(zip(answers, tokens, strict=True)))
        work.finish = "stop"
        work.tally.heard()
        yield TextPart(text=max(answers, key=lambda one: work.likely[one]))

    async def _choose(self, work: _Work) -> AsyncGenerator[StatusPart | str, None]:
        """The action the model opens with, as the last thing yielded."""
        wanted = work.request.overrides.get("tool_choice", "auto")
        names = work.menu.open_actions(work.request.messages)
        if wanted == "required":
            names = [name for name in names if name != REPLY] or names
        payload = {
            "prompt": work.prompt.text + OPENING,
            "n_predict": 24,
            "temperature": 0.0,
            "n_probs": _LIKELIEST,
            "grammar": grammar(names),
        }
        chosen = ""
        top: list[dict[str, Any]] = []
        async with aclosing(_chunks(work, payload)) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, StatusPart):
                    yield chunk
                    continue
                choice = chunk["choices"][0]
                chosen += choice["text"]
                if not top and choice.get("logprobs"):
                    top = choice["logprobs"]["content"][0]["top_logprobs"]
        work.slot.text = work.prompt.text + OPENING
        chosen = chosen.strip()
        if wanted != "required":
            tokens = await work.engine.first_tokens([f" {name}" for name in names])
            # What stands aside has passed a gate: the model need not be reluctant as well.
            expects = self._aside or work.menu.following(work.request.messages)
            done = work.menu.fetched(work.request.messages)
            margin = FOLLOWING_MARGIN + EACH_MORE * max(0, done - 1) if expects else self._margin
            chosen = settled(chosen, top, dict(zip(names, tokens, strict=True)), margin)
        if chosen not in work.menu.actions:
            chosen = REPLY
        yield chosen

    async def _call(self, work: _Work, action: Action) -> ToolCall | None:
        """The action as a tool call with its arguments; None where the model had better reply."""
        if action.tool is None:
            return None
        arguments, wrong = action.arguments, ""
        if arguments is None:
            arguments, wrong = await self._arguments(work, action.tool)
        work.tally.heard()
        call = ToolCall(id=new_id(), name=action.tool.name, arguments=arguments, problem=wrong)
        return None if work.menu.repeats(call, work.request.messages) else call

    async def _arguments(self, work: _Work, tool: ToolSpec) -> tuple[dict[str, Any], str]:
        """Arguments that satisfy the tool's schema, or what is wrong with them after two tries."""
        wrong = ""
        for temperature in (0.0, 0.5):
            payload = {
                "prompt": f"{work.prompt.text}{OPENING} {tool.name}\n",
                "n_predict": min(_ARGUMENT_TOKENS, work.engine.window - work.tokens - 8),
                "temperature": temperature,
                "json_schema": tool.parameters,
            }
            text = ""
            async with aclosing(_pieces(work, payload)) as pieces:
                async for piece in pieces:
                    text += piece if isinstance(piece, str) else ""
            wrong = problem(text, tool.parameters, cut=work.finish == "length")
            work.finish = "stop"
            if not wrong:
                return read(bare(text)), ""
        return {}, f"the arguments are not as the tool takes them: {wrong}"


async def _chunks(work: _Work, payload: Chunk) -> AsyncGenerator[Chunk | StatusPart, None]:
    """Chunks that carry text; progress becomes status, figures go to the tally."""
    async with aclosing(work.engine.run(work.slot, payload)) as chunks:
        async for chunk in chunks:
            if status := progress(chunk, "reading the conversation"):
                yield status
            if "timings" in chunk:
                work.tally.add(chunk)
            if chunk.get("choices"):
                yield chunk


async def _pieces(work: _Work, payload: Chunk) -> AsyncGenerator[str | StatusPart, None]:
    async with aclosing(_chunks(work, payload)) as chunks:
        async for chunk in chunks:
            if isinstance(chunk, StatusPart):
                yield chunk
                continue
            choice = chunk["choices"][0]
            if choice.get("finish_reason") == "length":
                work.finish = "length"
            if choice["text"]:
                yield choice["text"]


def _menu(request: ModelRequest) -> ToolMenu:
    """Tools are described even where none may be called: they are part of the cached prefix."""
    return ToolMenu(() if request.response_schema else request.tools)


def _passed_through(request: ModelRequest) -> dict[str, Any]:
    ours = {"prompt", "stream", "id_slot", "n_predict", "tool_choice", "cache_prompt", "extra_body"}
    wanted = {**request.overrides.get("extra_body", {}), **request.overrides}
    return {name: value for name, value in wanted.items() if name not in ours}
