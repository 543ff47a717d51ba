"""Errors as HTTP answers, in one shape: a code for programs, a sentence and a hint for people.

No trace, path of ours or other internal ever leaves; what is unexpected goes to the log.
"""

import logging
import re
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from skill_agent.api.door.refusals import INTERNAL, request_id_of
from skill_agent.errors import (
    AgentUnavailable,
    BudgetSpent,
    Closing,
    ConfigError,
    ConfigErrors,
    Conflict,
    Forbidden,
    HomeBusy,
    MemoryChanged,
    ModelFailed,
    ModelRejected,
    ModelUnavailable,
    NotFound,
    PullFailed,
    SkillAgentError,
    StoreError,
    UsageError,
)
from skill_agent.events import type_name
from skill_agent.text.redaction import redact
from skill_agent.workstation import wire

RETRY_S = 1
"""What a client is told to wait where nothing better is known."""

_STATUS: tuple[tuple[type[SkillAgentError], int], ...] = (
    (NotFound, 404),
    (Forbidden, 403),
    (Conflict, 409),
    (MemoryChanged, 409),
    (HomeBusy, 409),
    (AgentUnavailable, 409),
    (UsageError, 422),
    (ConfigError, 422),
    (BudgetSpent, 402),
    (ModelUnavailable, 503),
    (ModelRejected, 502),
    (ModelFailed, 502),
    (PullFailed, 503),
    (Closing, 503),
    (StoreError, 503),
)
"""The first that fits, from the particular to the general."""

_FOLDERS = re.compile(r"(?<![\w./])/(?:[^/\s'\"]+/)+(?=[^/\s])")
"""The folders of an absolute path."""

_log = logging.getLogger(__name__)


def status_of(error: SkillAgentError) -> int:
    """The HTTP status an error stands for."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 422)


def fault_of(
    error: SkillAgentError, request_id: str = "", *, stranger: bool = False
) -> dict[str, Any]:
    """The error's JSON object; `details.kind` names its class, for a client of ours. A stranger is
    told of files by their last name only."""
    told = fault(type_name(type(error)), redact(error.message), _details(error), request_id)
    return _without_folders(told) if stranger else told


def _details(error: SkillAgentError) -> dict[str, Any]:
    details: dict[str, Any] = {"kind": type(error).__name__, "hint": redact(error.hint)}
    if isinstance(error, ConfigErrors):
        details["problems"] = [_place(one) for one in error.problems]
    elif isinstance(error, ConfigError):
        details |= _place(error)
    if (pid := getattr(error, "pid", None)) is not None:
        details["pid"] = pid
    if (wait := getattr(error, "retry_after", None)) is not None:
        details["retry_after"] = wait
    return details


def _without_folders(told: Any) -> Any:
    match told:
        case str():
            return _FOLDERS.sub("", told)
        case dict():
            return {name: _without_folders(one) for name, one in told.items()}
        case list():
            return [_without_folders(one) for one in told]
    return told


def is_stranger(connection: HTTPConnection) -> bool:
    """Whether somebody asks who did not come over the home's own socket."""
    caller = connection.scope.get("state", {}).get("caller")
    return not getattr(caller, "local", False)


def fault(code: str, message: str, details: dict[str, Any], request_id: str) -> dict[str, Any]:
    """The one shape of every refusal."""
    return {"error": code, "message": message, "details": details, "request_id": request_id}


def refusal(request: Request, error: SkillAgentError) -> Response:
    """An expected error as the answer to a request."""
    status = status_of(error)
    headers = {}
    if status == 503:
        wait = getattr(error, "retry_after", None) or RETRY_S
        headers["Retry-After"] = str(max(1, round(wait)))
    told = fault_of(error, request_id_of(request.scope), stranger=is_stranger(request))
    return answer(told, status, headers)


def answer(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A value as a JSON answer."""
    return Response(wire.encode(value), status, headers, media_type="application/json")


def _place(error: ConfigError) -> dict[str, Any]:
    return {"file": error.file, "line": error.line, "key": error.key, "said": error.said}


def unexpected(problem: BaseException, request_id: str) -> dict[str, Any]:
    """What a caller is told of a bug: nothing but where to look."""
    _log.error("request %s", request_id or "-", exc_info=problem)
    return fault("internal_error", INTERNAL, {"hint": "ska logs"}, request_id)
