"""How a request is turned down: one exception, one JSON shape, over HTTP and at a WebSocket's door.

Errors of the product itself are mapped elsewhere; here is what a request cannot even get in with.
"""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ExceptionHandler, Receive, Scope, Send

INTERNAL = "something went wrong here; the log of the host says what, under the request id"

OPENAI_PATHS = ("/v1/chat/completions", "/v1/embeddings", "/v1/models")
"""Under these everything is answered in OpenAI's shape, refusals too."""

_KINDS = {404: "NotFound", 500: "SkillAgentError", 503: "StoreError"}


class Refusal(HTTPException):
    """A request that is not served. `details` are shown to the caller, so no secret goes there."""

    def __init__(
        self,
        status: int,
        error: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(status, message, headers)
        self.error, self.message = error, message
        self.details = {"kind": _KINDS.get(status, "UsageError"), **details}


def refusal_for(error: HTTPException) -> Refusal:
    """Any HTTP exception as a refusal; its text is kept where it has one of its own."""
    if isinstance(error, Refusal):
        return error
    said = error.detail if isinstance(error.detail, str) else ""
    return plain_refusal(error.status_code, said, error.headers)


def plain_refusal(status: int, said: str = "", headers: Mapping[str, str] | None = None) -> Refusal:
    """A refusal named after its status."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "refused"
    code = "internal_error" if status == 500 else re.sub("[^a-z]+", "_", phrase.lower())
    message = INTERNAL if status == 500 else said or phrase.lower()
    return Refusal(status, code, message, headers=headers)


def request_id_of(scope: Scope) -> str:
    """The id the guard gave this request; empty where none stands before the app."""
    return str(scope.get("state", {}).get("request_id", ""))


def shaped(refusal: Refusal, request_id: str) -> bytes:
    """The JSON every refusal is told as."""
    return json.dumps(
        {
            "error": refusal.error,
            "message": refusal.message,
            "details": refusal.details,
            "request_id": request_id,
        },
        ensure_ascii=False,
        default=str,
    ).encode("utf-8", "replace")


def openai_error(
    message: str, *, status: int, code: str | None, param: str | None = None
) -> dict[str, Any]:
    """OpenAI's error body."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    kind = "rate_limit_error" if status == 429 else kind
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _body_of(refusal: Refusal, scope: Scope) -> bytes:
    path = scope.get("path", "")
    if not any(path == one or path.startswith(f"{one}/") for one in OPENAI_PATHS):
        return shaped(refusal, request_id_of(scope))
    hint = refusal.details.get("hint")
    message = f"{refusal.message} ({hint})" if hint else refusal.message
    told = openai_error(message, status=refusal.status_code, code=refusal.error)
    return json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")


def response_of(refusal: Refusal, scope: Scope) -> Response:
    """The refusal as a response."""
    return Response(
        _body_of(refusal, scope),
        refusal.status_code,
        headers=dict(refusal.headers or {}),
        media_type="application/json",
    )


async def refuse(scope: Scope, receive: Receive, send: Send, refusal: Refusal) -> None:
    """Answers with the refusal; a WebSocket that is not open yet gets it as an HTTP answer."""
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get(
        "extensions", {}
    ):
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.error})
        return
    await response_of(refusal, scope)(scope, receive, send)


def exception_handlers() -> dict[Any, ExceptionHandler]:
    """For `FastAPI(exception_handlers=…)`: refusals, framework errors and the unexpected, shaped.

    What was unexpected goes on to the guard, which logs it.
    """
    from fastapi.exceptions import RequestValidationError

    async def http(connection: HTTPConnection, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return response_of(refusal_for(error), connection.scope)

    async def invalid(connection: HTTPConnection, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        problems = [
            {"where": ".".join(str(part) for part in one["loc"]), "message": one["msg"]}
            for one in error.errors()
        ]
        said = "; ".join(f"{one['where']}: {one['message']}" for one in problems[:5])
        refusal = Refusal(400, "invalid_request", said or "not valid", problems=problems)
        return response_of(refusal, connection.scope)

    async def unexpected(connection: HTTPConnection, error: Exception) -> Response:
        return response_of(plain_refusal(500), connection.scope)

    return {
        HTTPException: http, RequestValidationError: invalid, Exception: unexpected,
    }  # pyright: ignore[reportReturnType]  # fmt: skip


def object_of(raw: bytes) -> dict[str, Any]:
    """A body that has to be one JSON object; nothing at all is an empty one. Raises Refusal."""
    if not raw.strip():
        return {}
    try:
        found = msgspec.json.decode(raw)
    except UnicodeDecodeError:
        raise Refusal(400, "malformed_json", "the body is not UTF-8") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refusal(400, "malformed_json", f"the body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise Refusal(400, "malformed_json", "the body has to be one JSON object")
    return found
