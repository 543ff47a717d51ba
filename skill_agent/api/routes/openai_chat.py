"""The agents as models of an OpenAI compatible endpoint.

A client that knows only OpenAI's interface talks to a team of agents: `model` is an agent's slug.
Who an agent is stays its own, so a client's system message goes along as data; and a conversation
is kept here, so of a history that is sent again only the last message is new.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from skill_agent.agents.dna import AgentDNA
from skill_agent.api.answers.chat_frames import STATUS, failure
from skill_agent.api.answers.error_answers import answer, status_of, unexpected
from skill_agent.api.answers.sse import EventStream, until_gone
from skill_agent.api.door.auth import require
from skill_agent.api.door.refusals import Refusal, request_id_of
from skill_agent.conversations.client_context import client_context, kept_instructions
from skill_agent.errors import NotFound, SkillAgentError
from skill_agent.events import (
    Event,
    TextDelta,
    ThoughtDelta,
    TurnFailed,
    TurnFinished,
    type_name,
)
from skill_agent.text.redaction import redact
from skill_agent.values import ClientContext, Submitted, TurnRequest
from skill_agent.workstation import Workstation
from skill_agent.workstation.wire import encode

from .chat import Key
from .openai_history import continued, last_instructions
from .openai_shape import (
    Completion,
    CompletionRequest,
    Talk,
    UnknownModel,
    Unsupported,
    check_supported,
    error_object,
    model_entry,
    now,
    options_of,
    schema_of,
    talk_of,
)
from .seen import seen_by
from .turns import begin, closing, follow

_DONE = b"data: [DONE]\n\n"
_ONCE = {"x-should-retry": "false"}
"""A turn that failed has left its message in the conversation; clients that try again by
themselves would say it twice."""
_LEAST_EARLIER, _MOST_EARLIER = 2_000, 24_000


class _OpenAIRoute(APIRoute):
    """A route whose errors have OpenAI's shape."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def shaped(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as problem:
                return _malformed(problem)
            except SkillAgentError as problem:
                return _refused(problem)
            except Refusal as problem:
                told = error_object(problem.message, status=problem.status_code, code=problem.error)
                return answer(told, problem.status_code, dict(problem.headers or {}))

        return shaped


def openai_router(station: Workstation) -> APIRouter:
    """`/v1/models` and `/v1/chat/completions`."""
    router = APIRouter(tags=["openai"], route_class=_OpenAIRoute)
    talks = _Talks()

    @router.get("/v1/models", dependencies=[Depends(require("read"))])
    async def models() -> Response:
        """The agents that answer, as models."""
        active = [one for one in await station.agents.list() if one.status == "active"]
        return answer({"object": "list", "data": [_entry(one) for one in active]})

    @router.get("/v1/models/{model:path}", dependencies=[Depends(require("read"))])
    async def model(model: str) -> Response:
        """One agent as a model."""
        return answer(_entry(await _agent(station, model)))

    @router.post("/v1/chat/completions", dependencies=[Depends(require("chat"))])
    async def completions(request: Request, body: CompletionRequest, key: Key = None) -> Response:
        """One reply of an agent, whole or streamed."""
        check_supported(body)
        dna = await _agent(station, body.model)
        talk = talk_of(body.messages)
        seen = seen_by(station, request)
        begun = await talks.begin(seen, body, talk, dna, _named(request, body), key)
        completion = Completion(
            turn=begun.turn, model=dna.slug, conversation=begun.session, created=now()
        )
        events = talks.follow(seen, begun, key)
        if not body.stream:
            return await _whole(completion, events, request)
        request.state.last_words = _last_words
        usage = bool(body.stream_options and body.stream_options.include_usage)
        pieces = _pieces(completion, events, usage=usage, request=request_id_of(request.scope))
        return EventStream(
            pieces,
            farewell=_data(_failed(closing(begun))),
            headers={"X-Conversation-ID": begun.session},
        )

    return router


async def _agent(station: Workstation, model: str) -> AgentDNA:
    try:
        return await station.agents.get(model)
    except NotFound as problem:
        raise UnknownModel(problem.message, hint=problem.hint) from None


def _entry(dna: AgentDNA) -> dict[str, Any]:
    return model_entry(dna.slug, dna.created_at.timestamp() if dna.created_at else None)


def _named(request: Request, body: CompletionRequest) -> str | None:
    """The conversation the client names, wherever it does."""
    named = (body.metadata or {}).get("conversation_id")
    header = request.headers.get("x-conversation-id")
    return body.conversation_id or (str(named) if named else None) or header or None


class _Talks:
    """Finds the conversation a request goes on with, and begins its turn there."""

    def __init__(self) -> None:
        self._busy: dict[str, str] = {}
        """Conversations by the turn that runs in them on behalf of such a client."""
        self._choosing = asyncio.Lock()

    async def begin(
        self,
        station: Workstation,
        body: CompletionRequest,
        talk: Talk,
        dna: AgentDNA,
        named: str | None,
        key: str | None,
    ) -> Submitted:
        if key and (known := await _begun(station, key)):
            return known
        async with self._choosing:  # or two clients with the same history meet in one conversation
            session, context = await self._place(station, talk, dna, named)
            request = TurnRequest(
                talk.words,
                client_context=context,
                agent=dna.slug,
                session=session,
                use_memory=body.use_memory,
                interactive=False,
                key=key,
                options=options_of(body),
                response_schema=schema_of(body),
                images=talk.images,
            )
            begun = await begin(station, request)
            self._busy[begun.turn] = begun.session
            return begun

    async def _place(
        self, station: Workstation, talk: Talk, dna: AgentDNA, named: str | None
    ) -> tuple[str | None, ClientContext | None]:
        """The conversation, and what it does not know yet."""
        earlier = talk.earlier
        if named:
            session: str | None = (await station.conversations.find(named)).id
            known = last_instructions(await station.conversations.messages(session))
        else:
            busy = frozenset(self._busy.values())
            session, known = await continued(station, earlier, agent=dna.slug, busy=busy)
        new = talk.instructions if kept_instructions(talk.instructions) != known else ""
        if session:
            return session, client_context(instructions=new)
        most = await _room(station, dna.slug) if earlier else 0
        return None, client_context(instructions=new, earlier=earlier, most=most)

    async def follow(
        self, station: Workstation, begun: Submitted, key: str | None
    ) -> AsyncGenerator[Event, None]:
        try:
            async with aclosing(follow(station, begun, key=key)) as events:
                async for event in events:
                    yield event
        finally:
            self._busy.pop(begun.turn, None)


async def _begun(station: Workstation, key: str) -> Submitted | None:
    """The turn this key stands for already; its conversation need not be looked for."""
    try:
        task = await station.turns.get(key.lower())
    except NotFound:
        return None
    return Submitted(session=task.session, turn=task.id, agent=task.agent)


async def _room(station: Workstation, agent: str) -> int:
    """Characters of an earlier talk that may come along: about a quarter of the window."""
    window = (await station.models.info(agent)).context_window
    return max(_LEAST_EARLIER, min(window or _MOST_EARLIER, _MOST_EARLIER))


async def _whole(
    completion: Completion, events: AsyncGenerator[Event, None], request: Request
) -> Response:
    headers = {"X-Conversation-ID": completion.conversation}
    try:
        async with aclosing(until_gone(events, request.receive)) as coming:
            async for event in coming:
                match event:
                    case TurnFinished():
                        whole = completion.whole(event.text, event.usage, event.finish)
                        return answer(whole, headers=headers)
                    case TurnFailed():
                        told = _failed(event)
                        return answer(told, STATUS[event.reason], {**headers, **_ONCE})
                    case _:
                        pass
    except ClientDisconnect:
        pass
    return Response(status_code=204)  # nobody is there to read it


async def _pieces(
    completion: Completion, events: AsyncGenerator[Event, None], *, usage: bool, request: str
) -> AsyncGenerator[bytes, None]:
    yield _data(completion.chunk({"role": "assistant", "content": ""}))
    try:
        async with aclosing(events):
            async for event in events:
                match event:
                    case TextDelta():
                        yield _data(completion.chunk({"content": event.text}))
                    case ThoughtDelta():
                        yield _data(completion.chunk({"reasoning_content": event.text}))
                    case TurnFinished():
                        yield _data(completion.chunk({}, event.finish))
                        if usage:
                            yield _data(completion.last(event.usage))
                    case TurnFailed():
                        yield _data(_failed(event))
                        return
                    case _:
                        pass
        yield _DONE
    except Exception as problem:  # the wall: whatever happens, it ends in an error or in `[DONE]`
        told = unexpected(problem, request)
        yield _data(error_object(told["message"], status=500, code=told["error"]))


def _data(value: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % encode(value)


def _last_words(told: dict[str, Any]) -> bytes:
    """A stream's end whose key has lapsed."""
    return _data(error_object(told["message"], status=401, code=told["error"]))


def _failed(event: TurnFailed) -> dict[str, Any]:
    told = failure(event)
    hint = told["details"]["hint"]
    message = f"{told['message']} ({hint})" if hint else told["message"]
    return {
        **error_object(message, status=STATUS[event.reason], code=event.reason),
        "conversation_id": event.session,
        "content": event.text,
    }


def _refused(problem: SkillAgentError) -> Response:
    message = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    status, code, param = status_of(problem), type_name(type(problem)), None
    if isinstance(problem, Unsupported):
        status, param = 400, problem.param
    elif isinstance(problem, UnknownModel):
        code, param = "model_not_found", "model"
    told = error_object(redact(message), status=status, code=code, param=param)
    return answer(told, status, _ONCE if status >= 500 else None)


def _malformed(problem: RequestValidationError) -> Response:
    first = problem.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:])
    param = next((part for part in first["loc"][1:2] if isinstance(part, str)), None)
    message = f"{place}: {first['msg']}" if place else str(first["msg"])
    return answer(error_object(message, status=400, code="malformed", param=param), 400)
