"""A model that says what it was told to say, behind the same port as the real ones.

For tests, benchmarks and screens without a model. No randomness and no clock of its own: delays
go through the `sleep` it was given.
"""

import asyncio
import re
from bisect import bisect_left
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from skill_agent.errors import ModelFailed, NotFound, SkillAgentError
from skill_agent.ports import (
    EndPart,
    Model,
    ModelPart,
    ModelRequest,
    StatusPart,
    TextPart,
    ThoughtPart,
    ToolPart,
)
from skill_agent.values import ModelInfo, ModelOffer, ModelProfile, ToolCall, Usage

from .admitted import admitted

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Pause:
    """Waits so many seconds before the next step, through the model's own `sleep`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Gate:
    """Holds the stream until somebody sets the event; shows what happens in the middle."""

    event: asyncio.Event


Step = str | ThoughtPart | ToolCall | StatusPart | EndPart | Pause | Gate | SkillAgentError
"""What a stream does next: say, think, call, tell, end with these figures, wait, or raise."""

Reply = str | Sequence[Step]
"""A bare string is streamed word by word, a sequence exactly as given."""

Answer = Reply | Callable[[ModelRequest], Reply]


class ScriptedModel:
    """Gives its replies in order, one a call, and keeps every request it saw, as a
    model is sent it.

    A callable among the replies is asked with the request. When the replies are used up,
    `otherwise` answers; without it the call raises ModelFailed, for the script was too short.
    """

    def __init__(
        self,
        replies: Iterable[Answer] = (),
        *,
        otherwise: Answer | None = None,
        name: str = "scripted/model",
        context_window: int = 8192,
        profile: ModelProfile | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._replies = list(replies)
        self._otherwise = otherwise
        self._sleep = sleep
        self._last_prompt = ""
        self.info = ModelInfo(
            name=name,
            provider="scripted",
            context_window=context_window,
            local=True,
            profile=profile or ModelProfile(),
        )
        self.requests: list[ModelRequest] = []
        self.prefills: list[ModelRequest] = []
        self.closed_early = 0
        """Streams that were closed or cancelled before their end."""

    def add(self, *replies: Answer) -> None:
        """Appends replies to the script."""
        self._replies.extend(replies)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        """Plays the next reply; raises what the reply holds to raise."""
        request = admitted(request)
        self.requests.append(request)
        usage = self._usage(request)
        said: list[str] = []
        calls = 0
        ended = False
        try:
            for step in self._steps(request):
                match step:
                    case Pause(seconds):
                        await self._sleep(seconds)
                    case Gate(event):
                        await event.wait()
                    case SkillAgentError():
                        ended = True
                        raise step
                    case EndPart():
                        ended = True
                        yield step
                        return
                    case ToolCall():
                        calls += 1
                        yield ToolPart(call=step)
                    case StatusPart() | ThoughtPart():
                        yield step
                    case str():
                        said.append(step)
                        yield TextPart(text=step)
            ended = True
            yield EndPart(
                usage=replace(usage, completion_tokens=tokens_in("".join(said)) + 8 * calls),
                finish="tool_calls" if calls else "stop",
            )
        finally:
            self.closed_early += not ended

    def _steps(self, request: ModelRequest) -> Sequence[Step]:
        answer = self._replies.pop(0) if self._replies else self._otherwise
        if answer is None:
            raise ModelFailed("the script has no reply left for this call")
        reply = answer(request) if callable(answer) else answer
        return words(reply) if isinstance(reply, str) else reply

    def _usage(self, request: ModelRequest) -> Usage:
        """Prompt tokens, of them cached what this prompt shares with the one before."""
        prompt = "\n".join(f"{one.role}: {one.content}" for one in request.messages)
        shared = _common_prefix(self._last_prompt, prompt)
        self._last_prompt = prompt
        return Usage(
            model=self.info.name,
            prompt_tokens=tokens_in(prompt),
            cached_tokens=tokens_in(prompt[:shared]) if shared else 0,
        )

    async def load(self) -> None:
        """Nothing to load."""

    async def prefill(self, request: ModelRequest) -> None:
        self.prefills.append(admitted(request))

    async def count_tokens(self, text: str) -> int:
        return tokens_in(text)


class ScriptedGateway:
    """Gives one scripted model for every name, or one a name from a mapping."""

    def __init__(self, models: Model | dict[str, Model]) -> None:
        self._models = models if isinstance(models, dict) else {}
        self._any = None if isinstance(models, dict) else models
        self.asked: list[str] = []
        """Names asked for, in order."""
        self.closed = False

    async def model(self, name: str, *, prefer: str = "") -> Model:
        """The model scripted for `prefer` or `name`; raises NotFound for a name without one."""
        self.asked.append(prefer or name)
        found = self._any or self._models.get(prefer or name) or self._models.get("default")
        if found is None:
            raise NotFound(f"no model is scripted for {name!r}")
        return found

    def check(self, name: str) -> None:
        """A scripted model always can."""

    def catalogue(self) -> list[ModelInfo]:
        return [self._any.info] if self._any else [one.info for one in self._models.values()]

    async def offers(self) -> list[ModelOffer]:
        return [ModelOffer(id=one.name, model=one, place="embedded") for one in self.catalogue()]

    async def close(self) -> None:
        self.closed = True


def words(text: str) -> list[Step]:
    """The text cut before each word, so that joining the pieces gives it back."""
    return list(re.findall(r"\s*\S+\s*$|\s*\S+", text)) or ([text] if text else [])


def tokens_in(text: str) -> int:
    """A fixed estimate: four characters a token, at least one for a text that is not empty."""
    return -(-len(text) // 4)


def _common_prefix(one: str, other: str) -> int:
    lengths = range(1, min(len(one), len(other)) + 1)
    return bisect_left(lengths, True, key=lambda size: one[:size] != other[:size])
