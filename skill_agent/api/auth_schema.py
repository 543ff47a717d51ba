"""What OpenAPI says of authentication; the routes themselves are described by the app."""

from typing import Any

from .auth import TOKEN_PATH
from .keys import SCOPES
from .tokens import LIFETIME


def with_auth(schema: dict[str, Any]) -> dict[str, Any]:
    """The app's OpenAPI document with the ways to authenticate and the route for tokens added."""
    components = schema.setdefault("components", {})
    components["securitySchemes"] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": f"An API key (`ska_…`), or a token of `POST {TOKEN_PATH}`.",
        },
        "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    schema["security"] = [{"bearer": []}, {"key": []}]
    schema.setdefault("paths", {})[TOKEN_PATH] = {"post": _token_operation()}
    return schema


def _token_operation() -> dict[str, Any]:
    scopes = {"type": "array", "items": {"type": "string", "enum": list(SCOPES)}}
    asked = {
        "type": "object",
        "properties": {"scopes": {**scopes, "minItems": 1}},
        "additionalProperties": False,
    }
    answered = {
        "type": "object",
        "properties": {
            "access_token": {"type": "string"},
            "token_type": {"const": "bearer"},
            "expires_in": {"type": "integer", "examples": [int(LIFETIME.total_seconds())]},
            "scopes": scopes,
        },
        "required": ["access_token", "token_type", "expires_in", "scopes"],
    }
    return {
        "operationId": "auth.token",
        "summary": "A token for half an hour, with the key's scopes or fewer.",
        "requestBody": {"content": {"application/json": {"schema": asked}}},
        "responses": {
            "200": {
                "description": "The token.",
                "content": {"application/json": {"schema": answered}},
            },
            **{
                status: {"description": said}
                for status, said in (
                    ("400", "The body is malformed."),
                    ("401", "No API key, or none that holds."),
                    ("403", "A scope the key lacks was asked for."),
                    ("429", "Too many from this address."),
                )
            },
        },
    }
