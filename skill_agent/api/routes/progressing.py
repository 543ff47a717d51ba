"""Long work over HTTP: its progress as server-sent events, then its answer or its error."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from skill_agent.api.answers.error_answers import fault_of, is_stranger, unexpected
from skill_agent.api.answers.sse import EventStream, server_sent
from skill_agent.api.door.refusals import request_id_of
from skill_agent.errors import SkillAgentError


def wants_progress(request: Request) -> bool:
    """Whether the caller would rather hear how it goes than wait in silence."""
    return "text/event-stream" in request.headers.get("accept", "")


def progress_response(
    request: Request,
    call: Callable[..., Any],
    arguments: dict[str, Any],
    shaped: Callable[[Any], Any],
) -> Response:
    """`progress` events as the work tells them, then one `result` or `error`.

    The work is cancelled when the caller leaves.
    """
    return EventStream(_told(request, call, arguments, shaped))


async def _told(
    request: Request,
    call: Callable[..., Any],
    arguments: dict[str, Any],
    shaped: Callable[[Any], Any],
) -> AsyncGenerator[bytes, None]:
    news: asyncio.Queue[tuple[int, int, str]] = asyncio.Queue(maxsize=1)
    loop = asyncio.get_running_loop()

    def tell(done: int, total: int, what: str) -> None:
        loop.call_soon_threadsafe(_newest, news, (done, total, what))

    work = asyncio.ensure_future(call(**arguments, progress=tell))
    try:
        yield b": here\n\n"
        while not work.done():
            waiting = asyncio.ensure_future(news.get())
            try:
                await asyncio.wait((work, waiting), return_when=asyncio.FIRST_COMPLETED)
                if waiting.done():
                    done, total, what = waiting.result()
                    yield server_sent("progress", {"done": done, "total": total, "what": what})
            finally:
                waiting.cancel()
        yield _outcome(request, work, shaped)
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


def _newest(news: "asyncio.Queue[tuple[int, int, str]]", told: tuple[int, int, str]) -> None:
    """A caller that reads slowly hears less often, never late."""
    if news.full():
        news.get_nowait()
    news.put_nowait(told)


def _outcome(request: Request, work: "asyncio.Future[Any]", shaped: Callable[[Any], Any]) -> bytes:
    problem = work.exception()
    if problem is None:
        return server_sent("result", shaped(work.result()))
    if isinstance(problem, SkillAgentError):
        asked = request_id_of(request.scope)
        return server_sent("error", fault_of(problem, asked, stranger=is_stranger(request)))
    return server_sent("error", unexpected(problem, request_id_of(request.scope)))
