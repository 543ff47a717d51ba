"""Talking to an agent in one request: the whole reply at once, or as server-sent events.

How a turn runs and what is kept of it is the workstation's; nothing here is stored.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import Response

from skill_agent.api.answers.chat_frames import STATUS, Frame, answered, brief, failure, frame_of
from skill_agent.api.answers.error_answers import RETRY_S, answer, fault_of, is_stranger, unexpected
from skill_agent.api.answers.sse import EventStream, server_sent, until_gone
from skill_agent.api.door.auth import require
from skill_agent.api.door.refusals import request_id_of
from skill_agent.errors import SkillAgentError
from skill_agent.events import MemoryRecalled, TurnFailed, TurnFinished
from skill_agent.values import Finish, Image, Submitted, TurnRequest
from skill_agent.workstation import Workstation

from .seen import seen_by
from .turns import begin, closing, follow

Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=64)]
"""A UUID of the client's; it becomes the turn's id."""


class Wishes(BaseModel):
    """How one reply is to be made."""

    model_config = ConfigDict(extra="forbid")

    system: str = ""
    """Instructions beside the agent's own."""
    options: dict[str, Any] | None = None
    """`temperature`, `max_tokens`, `top_p`, `seed`, `stop`, …; unknown ones go to the provider."""
    response_schema: dict[str, Any] | None = None
    """A JSON schema: the reply is JSON that satisfies it, or an error."""

    zone: str = ""
    """IANA name of the person's time zone, or an offset as `+02:00`; empty is the host's."""
    images: tuple[Image, ...] = ()
    """PNG, JPEG, WebP or GIF in base64: 5 MB each and 7 MB in all at most."""

    @property
    def wishes(self) -> dict[str, Any]:
        """As fields of a `TurnRequest`."""
        return {name: getattr(self, name) for name in Wishes.model_fields}


class ChatRequest(Wishes):
    """A message for an agent."""

    content: str
    conversation_id: str | None = None
    """Null begins a conversation."""
    model: str | None = None
    """Another model than the agent's own, for this turn."""
    use_memory: bool = True
    interactive: bool = False
    """Somebody answers the stream's `approval` events at `/v1/approvals/{id}`; otherwise what
    needs an approval is denied at once."""


class RecalledBrief(BaseModel):
    """What recall put beside the message."""

    id: str
    kind: str
    memory_type: str | None
    content: str
    score: float


class ChatUsage(BaseModel):
    """What the turn consumed."""

    model: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost_usd: float
    priced: bool = True
    """Whether a price is known for all of it; otherwise it cost more than `cost_usd`."""
    first_token_s: float
    total_s: float


class ChatAnswer(BaseModel):
    """The whole reply."""

    conversation_id: str
    turn: str
    agent: str
    message_id: str
    content: str
    usage: ChatUsage
    finish: Finish
    """`length` where the reply was cut at its length limit."""
    memories: list[RecalledBrief] = Field(default_factory=list)


def chat_router(station: Workstation) -> APIRouter:
    """`POST /v1/agents/{slug}/chat` and `…/chat/stream`."""
    router = APIRouter(tags=["chat"], dependencies=[Depends(require("chat"))])

    @router.post("/v1/agents/{slug}/chat", response_model=ChatAnswer)
    async def chat(request: Request, slug: str, body: ChatRequest, key: Key = None) -> Response:
        """Waits for the whole reply. Hanging up stops the turn; with a key, only if nobody asks
        again with it within seconds."""
        seen = seen_by(station, request)
        begun = await begin(seen, _request(slug, body, key, interactive=False))
        return await _whole(seen, begun, request, key)

    @router.post(
        "/v1/agents/{slug}/chat/stream",
        response_class=EventStream,
        status_code=200,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def stream(request: Request, slug: str, body: ChatRequest, key: Key = None) -> Response:
        """The reply as it is made, as server-sent events; the last one is `done` or `error`."""
        seen = seen_by(station, request)
        begun = await begin(seen, _request(slug, body, key, interactive=body.interactive))
        return EventStream(
            _pieces(seen, begun, request, key),
            farewell=sse({"type": "error", **failure(closing(begun))}),
            headers=_places(begun),
        )

    return router


def _request(slug: str, body: ChatRequest, key: str | None, *, interactive: bool) -> TurnRequest:
    return TurnRequest(
        body.content,
        agent=slug,
        session=body.conversation_id,
        model=body.model,
        use_memory=body.use_memory,
        interactive=interactive,
        key=key,
        **body.wishes,
    )


async def _whole(
    station: Workstation, begun: Submitted, request: Request, key: str | None
) -> Response:
    memories: list[Frame] = []
    events = follow(station, begun, key=key)
    try:
        async with aclosing(until_gone(events, request.receive)) as coming:
            async for event in coming:
                match event:
                    case MemoryRecalled():
                        memories = [brief(item) for item in event.items]
                    case TurnFinished():
                        told = {**answered(event), "memories": memories}
                        return answer(told, headers=_places(begun))
                    case TurnFailed():
                        return _failed(event, request)
                    case _:
                        pass
    except ClientDisconnect:
        pass
    return Response(status_code=204)  # nobody is there to read it


async def _pieces(
    station: Workstation, begun: Submitted, request: Request, key: str | None
) -> AsyncGenerator[bytes, None]:
    asked = request_id_of(request.scope)
    try:
        async with aclosing(follow(station, begun, key=key)) as events:
            async for event in events:
                if frame := frame_of(event):
                    known = {"request_id": asked} if frame["type"] == "error" else {}
                    yield sse({**frame, **known})
    except Exception as problem:  # the wall: whatever happens, the stream ends in `done` or `error`
        yield sse(trouble(problem, request))


def _failed(event: TurnFailed, request: Request) -> Response:
    """A turn that failed as an error answer, with what there was of its reply."""
    told = {**failure(event), "request_id": request_id_of(request.scope)}
    status = STATUS[event.reason]
    headers = {"Retry-After": str(RETRY_S)} if status == 503 else {}
    return answer(told, status, headers)


def trouble(problem: Exception, asked: HTTPConnection) -> Frame:
    """An error frame for what is not a turn's end; of a bug it tells only that there is one."""
    request_id = request_id_of(asked.scope)
    if isinstance(problem, SkillAgentError):
        return {"type": "error", **fault_of(problem, request_id, stranger=is_stranger(asked))}
    return {"type": "error", **unexpected(problem, request_id)}


def sse(frame: Frame) -> bytes:
    """A frame as one server-sent event named by its type."""
    return server_sent(frame["type"], frame)


def _places(begun: Submitted) -> dict[str, str]:
    return {"X-Conversation-ID": begun.session, "X-Turn-ID": begun.turn}
