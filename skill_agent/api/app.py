"""The HTTP interface of a home as one app: the table's routes, chat, events, health.

Who may call is decided around it (`protect`), where it listens by the door.
"""

from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from skill_agent import __version__
from skill_agent.api.answers.body_checks import checked_request
from skill_agent.api.answers.described import SSE, DescribedApp, refusals
from skill_agent.api.answers.error_answers import answer, refusal
from skill_agent.api.door.auth import require
from skill_agent.api.door.refusals import exception_handlers
from skill_agent.api.routes.chat import chat_router
from skill_agent.api.routes.derived import routes
from skill_agent.api.routes.events_stream import Heard, event_response
from skill_agent.api.routes.mcp import McpDoor
from skill_agent.api.routes.openai_chat import openai_router
from skill_agent.api.routes.openai_embeddings import embeddings_router
from skill_agent.api.routes.sockets import socket_router
from skill_agent.errors import SkillAgentError
from skill_agent.workstation import Route, Workstation, table

BY_HAND = (
    Route(verb="GET", path="/v1/events", scope="read"),
    Route(verb="POST", path="/v1/agents/{slug}/chat", scope="chat", limit="chat"),
    Route(verb="POST", path="/v1/agents/{slug}/chat/stream", scope="chat", limit="chat"),
    Route(verb="POST", path="/v1/chat/completions", scope="chat", limit="chat"),
    Route(verb="POST", path="/v1/embeddings", scope="chat", limit="embed"),
    Route(verb="GET", path="/v1/models", scope="read"),
    Route(verb="GET", path="/v1/models/{model}", scope="read"),
)
"""What is served beside the table, so that it too is judged before anything of it is read."""

DESCRIPTION = """One home of agents and their memory. Listings come in pages (`limit`, `cursor`);
refusals have one shape (`error`, `message`, `details`, `request_id`); an `Idempotency-Key` (a UUID)
makes a mutation safe to send again; events of turns are server-sent at `/v1/events`."""


def create_app(station: Workstation, *, local: bool) -> FastAPI:
    """The app over a workstation; `local` adds what only the home's own socket offers."""
    app = DescribedApp(
        title="skill-agent",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        openapi_url="/openapi.json",
        swagger_ui_oauth2_redirect_url=None,
        exception_handlers=_handlers(),
        dependencies=[Depends(checked_request)],
        redirect_slashes=False,
    )
    app.local, app.by_hand = local, BY_HAND
    usual, openai = refusals(local=local), refusals(local=local, openai=True)
    app.include_router(_health(station), responses=usual)
    app.include_router(_events(station), responses=usual)
    app.include_router(chat_router(station), responses=usual)
    app.include_router(openai_router(station), responses=openai)
    app.include_router(embeddings_router(station), responses=openai)
    app.include_router(socket_router(station))
    app.include_router(routes(station, table(), local=local))
    app.state.mcp = McpDoor(station, local=local)  # ended by whoever serves the app
    app.router.routes.extend(app.state.mcp.routes())
    return app


class Readiness(BaseModel):
    """Whether turns can be taken."""

    status: Literal["ready", "not ready"]


_READY: dict[int | str, dict[str, Any]] = {
    status: {"model": Readiness, "description": said}
    for status, said in ((200, "Turns can be taken."), (503, "They cannot."))
}


def _health(station: Workstation) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/health", operation_id="health")
    async def health() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok", "version": __version__}

    @router.get("/ready", operation_id="ready", responses=_READY)
    async def ready() -> Response:
        """The ledger answers, so turns can be taken."""
        try:
            await station.figures.counts()
        except SkillAgentError:
            return answer({"status": "not ready"}, 503)
        return answer({"status": "ready"})

    return router


def _events(station: Workstation) -> APIRouter:
    router = APIRouter(tags=["events"])

    @router.get(
        "/v1/events",
        operation_id="events",
        dependencies=[Depends(require("read"))],
        response_class=Response,
        responses={200: {"content": SSE}},
    )
    async def events(
        session: Annotated[str | None, Query(max_length=200)] = None,
        turn: Annotated[str | None, Query(max_length=200)] = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Events as they happen, of one session, one turn or all; resumes at `Last-Event-ID`."""
        return event_response(
            cast(Heard, station.turns),
            session=session,
            turn=turn,
            last_event_id=last_event_id,
            attending=station.turns.attending(session=session, turn=turn),
        )

    return router


def _handlers() -> dict[Any, Any]:
    return {**exception_handlers(), SkillAgentError: _expected}


async def _expected(request: Request, error: Exception) -> Response:
    assert isinstance(error, SkillAgentError)
    return refusal(request, error)
