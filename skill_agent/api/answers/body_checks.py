"""What no request may hold, wherever it stands: broken Unicode, numbers that are none or that no
store can keep, nesting without end. Looked at once for all routes; types are the routes' business.
"""

import math
from typing import Any

from starlette.requests import HTTPConnection, Request

from skill_agent.api.door.refusals import Refusal

DEEPEST = 64
"""Levels of a JSON body."""
LARGEST = 2**63 - 1


async def checked_request(connection: HTTPConnection) -> None:
    """A dependency of every route; raises Refusal (400)."""
    for name, value in connection.path_params.items():
        check(value, f"path.{name}")
    for name, value in connection.query_params.multi_items():
        check(name, "query")
        check(value, f"query.{name}")
    if isinstance(connection, Request) and connection.method in ("POST", "PATCH"):
        try:
            said = await connection.json()
        except (ValueError, RecursionError):
            return  # whoever wants a body says so in its own words
        check(said, "body")


def check(value: Any, where: str) -> None:
    """Raises Refusal (400) for JSON that cannot be kept; not recursive, whatever comes."""
    waiting = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        if depth > DEEPEST:
            raise _unsound(where, f"is nested more than {DEEPEST} levels deep")
        if isinstance(one, str):
            _check_text(one, where)
        elif isinstance(one, dict):
            waiting += ((part, depth + 1) for pair in one.items() for part in pair)
        elif isinstance(one, list):
            waiting += ((part, depth + 1) for part in one)
        elif isinstance(one, float) and not math.isfinite(one):
            raise _unsound(where, "holds a number that is none, or too large")
        elif isinstance(one, int) and not -LARGEST <= one <= LARGEST:
            raise _unsound(where, "holds a number of more than 64 bits")


def _check_text(text: str, where: str) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _unsound(where, "holds half of a surrogate pair: no valid Unicode") from None


def _unsound(where: str, what: str) -> Refusal:
    return Refusal(400, "invalid_request", f"{where} {what}", problems=[])
