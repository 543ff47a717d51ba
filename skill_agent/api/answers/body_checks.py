"""What no request may hold, wherever it stands: broken Unicode, numbers that are none or that no
store can keep, nesting and values without end, a name told twice. Looked at once for all routes;
types are the routes' business.
"""

import json
import math
from typing import Any

from starlette.requests import HTTPConnection, Request

from skill_agent.api.door.refusals import Refusal

DEEPEST = 64
"""Levels of a JSON body."""
MOST_VALUES = 1_000_000
"""Of a JSON body: each is looked at, while nobody else is answered."""
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
            said = parsed(await connection.body())
        except (ValueError, RecursionError):
            return  # whoever wants a body says so in its own words
        check(said, "body")


def parsed(raw: str | bytes) -> Any:
    """The JSON; raises Refusal (400) where an object tells a name twice, of which readers would
    believe now the first and now the last, and ValueError where it is none."""
    return json.loads(raw, object_pairs_hook=_told_once)


def _told_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) < len(pairs):
        seen: set[str] = set()
        name = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise _unsound("body", f"tells {json.dumps(name[:80])} twice")
    return told


def check(value: Any, where: str) -> None:
    """Raises Refusal (400) for JSON that cannot be kept; not recursive, whatever comes."""
    waiting, looked_at = [(value, 0)], 0
    while waiting:
        one, depth = waiting.pop()
        looked_at += 1
        if looked_at + len(waiting) > MOST_VALUES:
            raise _unsound(where, f"holds more than {MOST_VALUES:,} values")
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
