"""The agents as models of an OpenAI compatible endpoint.

A client that knows only OpenAI's interface talks to a team of agents: `model` is an agent's slug.
Who an agent is stays its own, so a client's system message goes along as data; and a conversation
is kept here, so of a history that is sent again only the last message is new.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from skill_agent.agents.dna import AgentDNA
from skill_agent.api.answers.chat_frames import STATUS, failure
from skill_agent.api.answers.error_answers import answer, unexpected
from skill_agent.api.answers.sse import EventStream, until_gone
from skill_agent.api.door.auth import require
from skill_agent.api.door.refusals import openai_error, request_id_of
from skill_agent.conversations.client_context import client_context, kept_instructions
from skill_agent.errors import NotFound
from skill_agent.events import Event, TextDelta, ThoughtDelta, TurnFailed, TurnFinished
from skill_agent.values import ClientContext, FailureReason, Message, Submitted, TurnRequest
from skill_agent.workstation import Workstation
from skill_agent.workstation.wire import encode

from .chat import Key
from .openai_errors import ONCE, OpenAIRoute, UnknownModel
from .openai_history import continued, last_instructions, waited_for
from .openai_shape import (
    Completion,
    CompletionRequest,
    check_supported,
    model_entry,
    now,
    options_of,
    schema_of,
)
from .openai_talk import Talk, named_by, talk_of
from .openai_tools import attachments_of, offered
from .seen import seen_by
from .turns import begin, closing, follow

_DONE = b"data: [DONE]\n\n"
_LEAST_EARLIER, _MOST_EARLIER = 2_000, 24_000
_SPENT: tuple[int, str] = (429, "insufficient_quota")
"""How OpenAI says that the money is spent."""


def openai_router(station: Workstation) -> APIRouter:
    """`/v1/models` and `/v1/chat/completions`."""
    router = APIRouter(tags=["openai"], route_class=OpenAIRoute)
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
        tools = offered(body.tools, body.tool_choice)
        async with self._choosing:  # or two clients with the same history meet in one conversation
            session, talk, context = await self._place(station, talk, dna, named)
            request = TurnRequest(
                talk.words,
                client_context=context,
                attachments=attachments_of(talk.results),
                client_tools=tools.tools,
                tool_choice=tools.choice,
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
    ) -> tuple[str | None, Talk, ClientContext | None]:
        """The conversation, what is said there, and what it does not know yet."""
        if named:
            session: str | None = (await station.conversations.find(named)).id
            messages = await station.conversations.messages(session)
            known, talk = last_instructions(messages), _answering(talk, messages)
        else:
            talk = _answering(talk, None)
            busy = frozenset(self._busy.values())
            session, known = await continued(station, talk, agent=dna.slug, busy=busy)
        new = talk.instructions if kept_instructions(talk.instructions) != known else ""
        if session:
            return session, talk, client_context(instructions=new)
        earlier = talk.earlier
        most = await _room(station, dna.slug) if earlier else 0
        return None, talk, client_context(instructions=new, earlier=earlier, most=most)

    async def follow(
        self, station: Workstation, begun: Submitted, key: str | None
    ) -> AsyncGenerator[Event, None]:
        try:
            async with aclosing(follow(station, begun, key=key)) as events:
                async for event in events:
                    yield event
        finally:
            self._busy.pop(begun.turn, None)


def _answering(talk: Talk, messages: Sequence[Message] | None) -> Talk:
    """The talk with each result by its tool. In a conversation that is named, results answer what
    waits there, whether or not the client tells the calls again; elsewhere it has to.

    Raises Unsupported for results of calls that nobody asked for, and where some are missing.
    """
    if not talk.results or (messages is None and all(one.tool for one in talk.results)):
        return talk
    waiting = {one.id: one.name for one in waited_for(messages or ())}
    return replace(talk, results=named_by(talk.results, waiting))


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
                        told = completion.whole(
                            event.text, event.usage, event.finish, event.tool_calls
                        )
                        return answer(told, headers=headers)
                    case TurnFailed():
                        status, _ = _status(event.reason)
                        return answer(_failed(event), status, {**headers, **ONCE})
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
                        for piece in completion.end(event.finish, event.tool_calls):
                            yield _data(piece)
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
        yield _data(openai_error(told["message"], status=500, code=told["error"]))


def _data(value: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % encode(value)


def _last_words(told: dict[str, Any]) -> bytes:
    """A stream's end whose key has lapsed."""
    return _data(openai_error(told["message"], status=401, code=told["error"]))


def _failed(event: TurnFailed) -> dict[str, Any]:
    told = failure(event)
    hint = told["details"]["hint"]
    message = f"{told['message']} ({hint})" if hint else told["message"]
    status, code = _status(event.reason)
    return {
        **openai_error(message, status=status, code=code),
        "conversation_id": event.session,
        "content": event.text,
    }


def _status(reason: FailureReason) -> tuple[int, str]:
    """What a turn that failed this way answers, and OpenAI's code for it where it has one."""
    if reason == "budget":
        return _SPENT
    return STATUS[reason], "content_filter" if reason == "filtered" else reason
