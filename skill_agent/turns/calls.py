"""Calls of models written down: what was sent, what came back, and how long that is kept.

A turn is not held up: whoever calls only hands over what there is, and texts are counted and
stored once the turn has ended. Whatever fails here is a line in the log, never a failed turn.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from skill_agent.errors import ModelError, SkillAgentError
from skill_agent.identifiers import new_id
from skill_agent.models.around import Around
from skill_agent.ports import (
    Clock,
    EndPart,
    Ledger,
    Model,
    ModelPart,
    ModelRequest,
    TextPart,
    ToolPart,
)
from skill_agent.settings.schema import PrivacySettings
from skill_agent.text.redaction import redact, redacted
from skill_agent.values import Message, ModelCall, ToolCall, Usage

from .composition import Composition, call_told, made_whole, messages_told, scaled, weighed
from .fitting import Guess, Tokens

_log = logging.getLogger(__name__)

_BYTES_EACH = 4
"""Of a token, where the model that was to count is not there."""


@dataclass(slots=True, kw_only=True)
class CallMade:
    """A call as it happened; texts are neither counted nor cleaned yet."""

    id: str = field(default_factory=new_id)
    at: datetime
    request: ModelRequest
    composition: Composition
    text: str = ""
    tool_calls: list[ToolCall] = field(default_factory=list)
    finish: str = ""
    usage: Usage = field(default_factory=Usage)
    error: str = ""

    def hear(self, part: ModelPart) -> None:
        match part:
            case TextPart():
                self.text += part.text
            case ToolPart():
                self.tool_calls.append(part.call)
            case EndPart():
                self.usage, self.finish = part.usage, part.finish
            case _:
                pass


class OfTurn(Around):
    """A turn's model for what is asked beside its reply: paid from the same purse."""

    def __init__(self, model: Model, message: Message) -> None:
        super().__init__(model)
        self._message = message

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        request = replace(request, session=self._message.session, turn=self._message.turn)
        async with aclosing(self._model.stream(request)) as parts:
            async for part in parts:
                yield part


class Recorder(Around):
    """A turn's model, whose calls are written down however they end."""

    def __init__(
        self, model: Model, message: Message, clock: Clock, marks: Mapping[str, str] | None = None
    ) -> None:
        """`message` is the person's, which the turn answers; `marks` are fields of requests that
        the accounts tell turns apart by."""
        super().__init__(model)
        self._message, self._clock, self._marks = message, clock, marks or {}
        self.calls: list[CallMade] = []
        self._composition = Composition()

    def compose(self, composition: Composition) -> None:
        """What the prompts of this turn are made of from now on."""
        self._composition = composition

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        asked = {"session": self._message.session, "turn": self._message.turn}
        request = replace(request, **asked, **self._marks)
        made = CallMade(at=self._clock(), request=request, composition=self._composition)
        self.calls.append(made)
        begun, first = time.perf_counter(), 0.0
        try:
            async with aclosing(self._model.stream(request)) as parts:
                async for part in parts:
                    if not first and isinstance(part, TextPart | ToolPart):
                        first = time.perf_counter() - begun
                    made.hear(part)
                    yield part
        except SkillAgentError as problem:
            made.error = problem.message
            raise
        finally:
            if not made.finish:
                made.error = made.error or "stopped before its end"
            made.usage = replace(
                made.usage,
                first_token_s=made.usage.first_token_s or first,
                total_s=made.usage.total_s or time.perf_counter() - begun,
            )

    async def told(self, made: CallMade, tokens: Tokens) -> ModelCall:
        """A call as it is kept: credentials taken out, each text counted.

        Only a local model that has just answered counts itself: what counts for a remote one may
        take a second to load, and ask the network for more."""
        call = await asyncio.to_thread(self._cleaned, made)
        exact = self.info.local and not made.error and await self._counts()
        messages, layers = await weighed(
            call.messages,
            made.request,
            made.composition,
            self._model,
            tokens if exact else Guess(_BYTES_EACH),
        )
        whole = made.usage.prompt_tokens
        if exact:
            layers = made_whole(layers, whole)
        else:
            messages, layers = scaled(messages, layers, whole)
        return replace(call, messages=messages, layers=layers, estimated=not exact)

    async def _counts(self) -> bool:
        try:
            await self._model.count_tokens(".")
        except ModelError:  # it is not there; a preview can do without
            return False
        return True

    def _cleaned(self, made: CallMade) -> ModelCall:
        request = made.request
        return ModelCall(
            id=made.id,
            turn=self._message.turn,
            session=self._message.session,
            agent=self._message.agent or "",
            model=made.usage.model or self.info.name,
            created_at=made.at,
            purpose=request.purpose,
            messages=messages_told(request.messages, made.composition),
            tools=tuple(tool.name for tool in request.tools),
            parameters=redacted(_parameters(request)),
            left_out=made.composition.left_out,
            text=redact(made.text),
            tool_calls=tuple(map(call_told, made.tool_calls)),
            finish=made.finish,
            usage=made.usage,
            error=redact(made.error),
        )

    async def preview(self, tokens: Tokens) -> ModelCall:
        """What an `Unasked` model would have been asked for the reply."""
        asked = next((one for one in self.calls if one.request.purpose == "reply"), None)
        if asked is not None:
            told = await self.told(asked, tokens)
            return replace(told, finish="", usage=Usage(model=told.model))
        return ModelCall(
            id=new_id(),
            turn=self._message.turn,
            session=self._message.session,
            agent=self._message.agent or "",
            model=self.info.name,
            created_at=self._clock(),
            purpose="none",
            left_out=("everything: this is answered without a model",),
        )


def _parameters(request: ModelRequest) -> dict[str, Any]:
    schema = {"response_schema": request.response_schema} if request.response_schema else {}
    return {
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        **schema,
        **request.overrides,
    }


class Unasked(Around):
    """A model that is looked at and never asked: it counts, and ends each reply at once."""

    async def prefill(self, request: ModelRequest) -> None:
        """Nothing is made hot for a reply that does not come."""

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        yield EndPart(usage=Usage())


class CallLog:
    """The calls of a home's turns."""

    def __init__(
        self, ledger: Ledger, clock: Clock, tokens: Tokens, settings: PrivacySettings
    ) -> None:
        self._ledger, self._clock, self._tokens = ledger, clock, tokens
        self._age = timedelta(days=settings.prompt_days)
        self._most_bytes = settings.prompt_mb * 1_000_000 if settings.prompt_days else 0
        self._open: dict[str, tuple[Recorder, int]] = {}
        self._writing: dict[str, asyncio.Task[None]] = {}

    def recorder(
        self, model: Model, message: Message, *, seen: int, marks: Mapping[str, str] | None = None
    ) -> Recorder:
        """The model of a turn that begins; `seen` is the last ledger sequence before it."""
        made = Recorder(model, message, self._clock, marks)
        self._open[message.turn] = made, seen
        return made

    def ended(self, turn: str) -> None:
        """What the turn's calls were is written down, beside whatever comes next."""
        found = self._open.pop(turn, None)
        if found is None or not found[0].calls:
            return
        writing = asyncio.create_task(self._write(*found), name=f"calls of turn {turn}")
        self._writing[turn] = writing
        writing.add_done_callback(lambda _: self._writing.pop(turn, None))

    async def _write(self, recorder: Recorder, seen: int) -> None:
        try:
            wanted = recorder.calls if self._most_bytes else []
            calls = [await recorder.told(made, self._tokens) for made in wanted]
            await self._keep(calls, seen, recorder.calls[-1].at)
        except Exception as problem:  # the wall of this task; the turn is over and whole
            _log.warning("the prompts of a turn were not kept: %s", redact(str(problem)))

    async def _keep(self, calls: Sequence[ModelCall], seen: int, now: datetime) -> None:
        await self._ledger.save_calls(
            calls, seen=seen, before=now - self._age, most_bytes=self._most_bytes
        )

    async def tidy(self) -> None:
        """Drops what is past the limits, which may have been changed."""
        try:
            await self._keep((), 0, self._clock())
        except SkillAgentError as problem:
            _log.warning("old prompts were not dropped: %s", redact(problem.message))

    async def of(self, turn: str) -> list[ModelCall]:
        """The calls of a turn that has ended, as far as they are still kept."""
        if writing := self._writing.get(turn):
            await asyncio.wait([writing])
        return await self._ledger.calls(turn)

    async def settle(self) -> None:
        """Returns once all that ended is written down."""
        while self._writing:
            await asyncio.wait(list(self._writing.values()))
