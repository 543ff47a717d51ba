"""Talking to an agent over a WebSocket: both directions at once, so that a reply can be stopped.

One socket is one conversation unless a message names another; messages are answered one after
another. Who may connect is decided before a socket gets here.
"""

import asyncio
from collections import deque
from contextlib import aclosing
from typing import Annotated, Literal

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.status import (
    HTTP_401_UNAUTHORIZED,
    WS_1008_POLICY_VIOLATION,
    WS_1009_MESSAGE_TOO_BIG,
)
from starlette.websockets import WebSocketState

from skill_agent.api.answers.body_checks import check, parsed
from skill_agent.api.answers.chat_frames import Frame, failure, frame_of
from skill_agent.api.answers.error_answers import answer, fault, fault_of, status_of
from skill_agent.api.door.auth import SUBPROTOCOL, caller_of, count_again, demand
from skill_agent.api.door.refusals import Refusal, request_id_of
from skill_agent.errors import NotFound, SkillAgentError, UsageError
from skill_agent.events import ApprovalAnswered, ApprovalAsked, Choice, TurnFailed, TurnFinished
from skill_agent.values import Submitted, TurnRequest
from skill_agent.workstation import Workstation
from skill_agent.workstation.wire import encode

from .chat import Wishes, trouble
from .seen import seen_by
from .turns import begin, closing, follow

MOST_WAITING = 8
"""Messages that may wait while one is answered."""
MAX_FRAME = 1024 * 1024
"""Bytes of one frame."""


class _Frame(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MessageFrame(Wishes):
    """Something said to the agent."""

    type: Literal["message"]
    content: str
    conversation_id: str | None = None
    model: str | None = None
    use_memory: bool = True
    interactive: bool = True
    """Somebody answers `approval` frames."""


class CancelFrame(_Frame):
    """Stop the reply that is being made."""

    type: Literal["cancel"]


class PingFrame(_Frame):
    """Are you there?"""

    type: Literal["ping"]


class ApprovalFrame(_Frame):
    """The answer to an `approval` frame."""

    type: Literal["approval"]
    id: str
    choice: Choice
    words: str = ""


ClientFrame = Annotated[
    MessageFrame | CancelFrame | PingFrame | ApprovalFrame, Field(discriminator="type")
]
_FRAMES: TypeAdapter[MessageFrame | CancelFrame | PingFrame | ApprovalFrame] = TypeAdapter(
    ClientFrame
)


def socket_router(station: Workstation) -> APIRouter:
    """`/v1/agents/{slug}/ws`."""
    router = APIRouter()

    @router.websocket("/v1/agents/{slug}/ws")
    async def talk(socket: WebSocket, slug: str, conversation_id: str | None = None) -> None:
        demand(caller_of(socket), "chat")
        seen = seen_by(station, socket)
        try:
            await seen.agents.get(slug)
            found = await seen.conversations.find(conversation_id) if conversation_id else None
        except SkillAgentError as problem:
            told = fault_of(problem, request_id_of(socket.scope))
            await socket.send_denial_response(answer(told, status_of(problem)))
            return
        offered = socket.scope.get("subprotocols", ())
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        await _Talk(seen, socket, slug, found.id if found else None).run()

    return router


class _Talk:
    """One open socket."""

    def __init__(
        self, station: Workstation, socket: WebSocket, slug: str, session: str | None
    ) -> None:
        self._station, self._socket, self._slug = station, socket, slug
        self._session = session
        self._waiting: deque[MessageFrame] = deque()
        self._more = asyncio.Event()
        self._begun: Submitted | None = None
        """The turn whose reply is being made."""
        self._busy = self._stop = False
        """A message is on its way to its end; it is to be cancelled as soon as it has a turn."""
        self._asked: set[str] = set()
        """Approvals this socket was asked for."""
        self._by = caller_of(socket).name
        self._request = request_id_of(socket.scope)

    async def run(self) -> None:
        """Until the client leaves; then its turn is cancelled and nothing is left behind."""
        speaker = asyncio.create_task(self._speak())
        try:
            await self._listen()
        except WebSocketDisconnect:
            pass
        except asyncio.CancelledError:  # the host closes
            if self._begun is not None:
                await self._send({"type": "error", **failure(closing(self._begun))})
            raise
        finally:
            speaker.cancel()
            await asyncio.gather(speaker, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                return
            raw: str | bytes = received.get("text") or received.get("bytes") or ""
            size = len(raw.encode("utf-8", "surrogatepass")) if isinstance(raw, str) else len(raw)
            if size > MAX_FRAME:
                await self._socket.close(
                    WS_1009_MESSAGE_TOO_BIG, f"a frame has at most {MAX_FRAME} bytes"
                )
                return
            try:
                await self._heard(_frame_of(raw))
            except UsageError as problem:
                await self._tell(problem)
            except Refusal as refused:
                told = fault(refused.error, refused.message, refused.details, self._request)
                await self._send({"type": "error", **told})
                if refused.status_code == HTTP_401_UNAUTHORIZED:  # the key is gone meanwhile
                    await self._socket.close(WS_1008_POLICY_VIOLATION, refused.error)
                    return

    async def _heard(self, frame: MessageFrame | CancelFrame | PingFrame | ApprovalFrame) -> None:
        match frame:
            case PingFrame():
                await self._send({"type": "pong"})
            case CancelFrame():
                await self._cancel()
            case ApprovalFrame():
                await self._settle(frame)
            case MessageFrame() if len(self._waiting) >= MOST_WAITING:
                message = f"{MOST_WAITING} messages wait already; this one was not taken"
                await self._tell(UsageError(message, hint="wait for a `done`"))
            case MessageFrame():
                count_again(self._socket, "chat")
                self._waiting.append(frame)
                if self._busy:
                    await self._send({"type": "queued", "position": len(self._waiting)})
                self._busy = True
                self._more.set()

    async def _settle(self, answer: ApprovalFrame) -> None:
        approvals, mine = self._station.approvals, answer.id in self._asked
        try:
            if not (
                mine
                and await approvals.answer(
                    answer.id, answer.choice, words=answer.words, by=self._by
                )
            ):
                await self._tell(NotFound("no such approval is waiting for you"))
        except SkillAgentError as problem:
            await self._tell(problem)

    async def _cancel(self) -> None:
        if self._begun is not None:
            await self._station.turns.cancel(self._begun.turn)
        elif self._busy:
            self._stop = True
        else:
            await self._send(_notice("nothing is running"))

    async def _speak(self) -> None:
        """Answers what waits, in order."""
        while True:
            while not self._waiting:
                self._busy = self._stop = False
                self._more.clear()
                await self._more.wait()
            try:
                await self._answer(self._waiting.popleft())
            except WebSocketDisconnect:
                return
            except Exception as problem:  # the wall: a bug ends the message, not the socket
                await self._tell(problem)

    async def _answer(self, message: MessageFrame) -> None:
        request = TurnRequest(
            message.content,
            agent=self._slug,
            session=message.conversation_id or self._session,
            model=message.model,
            use_memory=message.use_memory,
            interactive=message.interactive,
            **message.wishes,
        )
        begun = await begin(self._station, request)
        self._session, self._begun = begun.session, begun
        if self._stop:
            self._stop = False
            await self._station.turns.cancel(begun.turn)
        try:
            async with aclosing(follow(self._station, begun)) as events:
                async for event in events:
                    match event:
                        case ApprovalAsked():
                            self._asked.add(event.approval)
                        case ApprovalAnswered():
                            self._asked.discard(event.approval)
                        case TurnFinished() | TurnFailed():
                            self._begun = None
                        case _:
                            pass
                    if frame := frame_of(event):
                        await self._send(frame)
        finally:
            self._begun = None

    async def _tell(self, problem: Exception) -> None:
        await self._send(trouble(problem, self._socket))

    async def _send(self, frame: Frame) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            await self._socket.send_text(encode(frame).decode())


def _frame_of(raw: str | bytes) -> MessageFrame | CancelFrame | PingFrame | ApprovalFrame:
    """Raises UsageError."""
    try:
        check(parsed(raw), "it")
    except Refusal as refused:
        raise UsageError(f"not a frame: {refused.message}") from None
    except (ValueError, RecursionError):
        raise UsageError("not a frame: it is no JSON") from None
    try:
        return _FRAMES.validate_json(raw)
    except ValidationError as problem:
        raise UsageError(f"not a frame: {_described(problem)}") from None


def _notice(text: str) -> Frame:
    return {"type": "notice", "level": "info", "text": text}


def _described(problem: ValidationError) -> str:
    """What is wrong with a frame, with the place, without what was sent."""
    told: list[str] = []
    for error in problem.errors(include_url=False, include_input=False)[:3]:
        place = ".".join(str(part) for part in error["loc"])
        told.append(f"{place}: {error['msg']}" if place else error["msg"])
    return "; ".join(told)
