"""Errors as clients of OpenAI read them, the same on every route that speaks their language."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import Response

from skill_agent.api.answers.error_answers import answer, status_of
from skill_agent.api.door.refusals import openai_error
from skill_agent.errors import NotFound, SkillAgentError, UsageError
from skill_agent.events import type_name
from skill_agent.text.redaction import redact

ONCE = {"x-should-retry": "false"}
"""A turn that failed has left its message in the conversation; clients that try again by
themselves would say it twice."""


class Unsupported(UsageError):
    """A parameter we cannot do justice to; it is named, so that nobody believes it was heard."""

    def __init__(self, message: str, param: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.param = param


class UnknownModel(NotFound):
    """Nothing here goes by the name of this model."""


class OpenAIRoute(APIRoute):
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

        return shaped


def _refused(problem: SkillAgentError) -> Response:
    message = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    status, code, param = status_of(problem), type_name(type(problem)), None
    if isinstance(problem, Unsupported):
        status, param = 400, problem.param
    elif isinstance(problem, UnknownModel):
        code, param = "model_not_found", "model"
    told = openai_error(redact(message), status=status, code=code, param=param)
    return answer(told, status, ONCE if status >= 500 else None)


def _malformed(problem: RequestValidationError) -> Response:
    first = problem.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:])
    param = next((part for part in first["loc"][1:2] if isinstance(part, str)), None)
    message = f"{place}: {first['msg']}" if place else str(first["msg"])
    return answer(openai_error(message, status=400, code="malformed", param=param), 400)
