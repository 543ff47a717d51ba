"""What the OpenAPI document says besides the routes: refusals, streams, who may, what is local.

Only words; what is refused is decided elsewhere.
"""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from skill_agent.api.door.limiting import PER_MINUTE
from skill_agent.api.door.rules import PUBLIC
from skill_agent.workstation import Route

_STREAM = "text/event-stream"
_EVENT = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "event": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "id": {"type": "string"},
    },
}
SSE: dict[str, Any] = {_STREAM: {"schema": _EVENT}}
"""A stream of server-sent events, where an operation can answer with one; the schema is each
event's."""


class Fault(BaseModel):
    """What every refusal says."""

    error: str
    """A code for programs."""
    message: str
    """A sentence for people."""
    details: dict[str, Any]
    """`hint` says what to do next, `kind` names the error's class; more by error."""
    request_id: str
    """Also the header X-Request-ID; the host's log has it too."""


class OpenAIProblem(BaseModel):
    """What is wrong, in OpenAI's words."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIFault(BaseModel):
    """A refusal as clients of OpenAI read it."""

    error: OpenAIProblem


_REFUSALS = {
    400: "The request is malformed, or a value is not of its type.",
    402: "The agent's money for the day or the month does not reach for the call.",
    404: "There is no such thing.",
    409: "Something else stands there meanwhile, or the key stands for something else.",
    413: "The body is too large.",
    422: "It cannot mean anything as given.",
    502: "A model refused, or did not answer usably.",
    503: "Not now: a model or store cannot serve, or the host is closing. See Retry-After.",
}
_STRANGERS_REFUSALS = {
    401: "No API key or token that holds.",
    403: "The key lacks the scope, or the page is of another site.",
    421: "Without authentication this address is served under its own names only.",
    429: "Too many requests of this kind a minute. See Retry-After.",
}


def refusals(*, local: bool, openai: bool = False) -> dict[int | str, dict[str, Any]]:
    """The error answers of an operation; on the home's own socket nobody is a stranger."""
    told = _REFUSALS | ({} if local else _STRANGERS_REFUSALS)
    shape = {"anyOf": [_ref(OpenAIFault), _ref(Fault)]} if openai else _ref(Fault)
    # Given as words, not as models: FastAPI would build a serializer for each of a thousand.
    content = {"application/json": {"schema": shape}}
    return {
        status: {"description": said, "content": content} for status, said in sorted(told.items())
    }


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def extra(route: Route) -> dict[str, Any]:
    """What OpenAPI has no words for: the scope, the kind of rate limit, whether it is local."""
    told = {"x-scope": route.scope, "x-rate-limit": route.limit}
    return {**told, "x-local": True} if route.local else told


def complete(document: dict[str, Any], by_hand: Iterable[Route], *, local: bool) -> dict[str, Any]:
    """The document with its security: an API key or token over TCP, nothing on the own socket."""
    if document.get("x-complete"):
        return document
    document["x-complete"] = True
    schemas = document["components"]["schemas"]
    schemas |= models_json_schema(
        [(Fault, "serialization"), (OpenAIFault, "serialization")],
        ref_template="#/components/schemas/{model}",
    )[1]["$defs"]
    for name in _UNUSED:
        schemas.pop(name, None)
    for _, operation in _operations(document):
        for answer in operation["responses"].values():
            if _STREAM in answer.get("content", {}):
                answer["content"] |= SSE
    for route in by_hand:
        document["paths"][route.path][route.verb.lower()] |= extra(route)
    if local:
        document["security"] = []
        return document
    document["components"]["headers"] = _HEADERS
    document["components"]["securitySchemes"] = {
        "bearer": {
            "type": "http", "scheme": "bearer",
            "description": "An API key (`ska keys create`) or a token made with one.",
        },
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }  # fmt: skip
    document["paths"]["/v1/auth/token"] = {"post": _TOKEN}
    for path, operation in _operations(document):
        scope = operation.get("x-scope")
        needed = [scope] if scope else []
        secured = [{"bearer": needed}, {"header": needed}]
        operation["security"] = [] if path in PUBLIC else secured
        operation["responses"] = {
            status: {**answer, "headers": _TOLD}
            for status, answer in operation["responses"].items()
        }
    return document


class DescribedApp(FastAPI):
    """An app whose OpenAPI document is complete."""

    local: bool
    by_hand: tuple[Route, ...]
    """Routes of operations that are not made from the table."""

    def openapi(self) -> dict[str, Any]:
        return complete(super().openapi(), self.by_hand, local=self.local)


def _operations(document: dict[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            yield path, operation


def _number(said: str) -> dict[str, Any]:
    return {"description": said, "schema": {"type": "integer"}}


_HEADERS = {
    "X-Request-ID": {
        "description": "Echoed where the request named one.",
        "schema": {"type": "string"},
    },
    "X-RateLimit-Limit": _number("Requests of this kind a minute."),
    "X-RateLimit-Remaining": _number("How many are left."),
    "X-RateLimit-Reset": _number("Epoch second at which the oldest stops counting."),
}
_TOLD = {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS}
_FAULT = {"application/json": {"schema": _ref(Fault)}}
_UNUSED = ("HTTPValidationError", "ValidationError")
"""What the framework would say of refusals."""
_TOKEN: dict[str, Any] = {
    "tags": ["auth"],
    "operationId": "token",
    "summary": "A short-lived token for the holder of an API key.",
    "x-rate-limit": "auth",
    "description": f"At most {PER_MINUTE['auth']} a minute for each address. A token makes no "
    "token.",
    "requestBody": {
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "scopes": {
                            "anyOf": [
                                {"type": "array", "items": {"type": "string"}, "minItems": 1},
                                {"type": "null"},
                            ],
                            "description": "Some of the key's; all where left out.",
                        }
                    },
                }
            }
        }
    },
    "responses": {
        "200": {
            "description": "The token.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["access_token", "token_type", "expires_in", "scopes"],
                        "properties": {
                            "access_token": {"type": "string"},
                            "token_type": {"const": "bearer"},
                            "expires_in": {"type": "integer"},
                            "scopes": {"type": "array", "items": {"type": "string"}},
                        },
                    }
                }
            },
        },
        **{
            str(status): {"description": said, "content": _FAULT}
            for status, said in (_REFUSALS | _STRANGERS_REFUSALS).items()
            if status in (400, 401, 403, 413, 429, 503)
        },
    },
}
