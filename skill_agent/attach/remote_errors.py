"""Errors as the API tells them, made into the exceptions they were there.

The other way is the server's; nothing here decides what is done about an error.
"""

import json
from typing import Any

from skill_agent import errors
from skill_agent.errors import (
    ConfigError,
    ConfigErrors,
    HomeBusy,
    ModelUnavailable,
    SkillAgentError,
)


class HostGone(Exception):
    """Nobody is there any more, or answers as nobody does; private to this package."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent
        """The request may have been taken up before."""


def error_of(status: int, body: bytes, *, retry_after: float | None = None) -> SkillAgentError:
    """The exception for an answer of 400 or more; `body` may be anything."""
    told = _object(body)
    if "message" not in told:
        return _strange(status)
    details = told.get("details")
    details = details if isinstance(details, dict) else {}
    kind = _kind(str(details.get("kind", "")), status)
    hint = str(details.get("hint", "")) or _HINTS.get(status, "")
    error = _made(kind, str(told["message"]), hint, details)
    if isinstance(error, ModelUnavailable) and error.retry_after is None:
        error.retry_after = retry_after
    return error


_HINTS = {
    401: "give a key that the home knows: export SKILL_AGENT_API_KEY=…",
    403: "the key may not do this; `ska keys list` on the home's machine tells what it may",
    429: "wait a moment",
}
_BY_STATUS = {404: errors.NotFound, 409: errors.Conflict}


def _kind(name: str, status: int) -> type[SkillAgentError]:
    found = getattr(errors, name, None)
    if isinstance(found, type) and issubclass(found, SkillAgentError):
        return found
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return errors.UsageError if status < 500 else SkillAgentError


def _made(
    kind: type[SkillAgentError], message: str, hint: str, details: dict[str, Any]
) -> SkillAgentError:
    """An error whose message is whole already, so no constructor puts it together again."""
    told = details.get("problems") if issubclass(kind, ConfigErrors) else None
    if problems := [_problem(one) for one in told or () if isinstance(one, dict)]:
        return ConfigErrors(problems, hint=hint)
    error = kind.__new__(kind, message)
    SkillAgentError.__init__(error, message, hint=hint)
    if isinstance(error, ConfigError):
        error.file, error.key = str(details.get("file", "")), str(details.get("key", ""))
        error.line, error.said = int(details.get("line", 0)), str(details.get("said", message))
    if isinstance(error, ConfigErrors):
        error.problems = ()
    if isinstance(error, HomeBusy):
        error.pid = details.get("pid")
    if isinstance(error, ModelUnavailable):
        error.retry_after = details.get("retry_after")
    return error


def _problem(told: dict[str, Any]) -> ConfigError:
    return ConfigError(
        str(told.get("said", "")),
        file=str(told.get("file", "")),
        line=int(told.get("line", 0)),
        key=str(told.get("key", "")),
    )


def _strange(status: int) -> SkillAgentError:
    return SkillAgentError(
        f"the answer was {status} and nothing that can be read",
        hint="is it skill-agent that answers there?",
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
