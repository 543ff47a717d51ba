"""What applies to which request: the scope it takes, how it is counted, how long its body may be.

Told by method and path, so that a request can be refused before anything of it is read.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from skill_agent.workstation import LimitClass, Route

from .limiting import limit_class

MAX_BODY = 10 * 1024 * 1024
PUBLIC = frozenset({"/health", "/ready"})


def _no_scope(method: str, path: str) -> str | None:
    return None


def _usual_body(method: str, path: str) -> int:
    return MAX_BODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How requests are judged by method (`WEBSOCKET` for a handshake) and path."""

    limit: Callable[[str, str], LimitClass] = limit_class
    scope: Callable[[str, str], str | None] = _no_scope
    """None leaves it to the route, which then has to ask with `require`."""
    body: Callable[[str, str], int] = _usual_body
    """Bytes."""
    public: frozenset[str] = PUBLIC
    """Paths that need no key."""


def rules_from(
    routes: Iterable[Route],
    *,
    bodies: Mapping[str, int] = MappingProxyType({}),
    public: frozenset[str] = PUBLIC,
) -> Rules:
    """The rules of a table of routes; what is not in it is judged by its path alone.

    `bodies` are the longest bodies, in bytes, of paths that may say more than usual.
    """
    shapes: dict[tuple[str, int], list[tuple[re.Pattern[str], Route]]] = {}
    for one in routes:
        shape = shapes.setdefault((one.verb, one.path.count("/")), [])
        shape.append((_pattern(one.path), one))

    def found(method: str, path: str) -> Route | None:
        verb = "GET" if method == "HEAD" else method
        candidates = shapes.get((verb, path.count("/")), ())
        return next((route for pattern, route in candidates if pattern.fullmatch(path)), None)

    def limit(method: str, path: str) -> LimitClass:
        route = found(method, path)
        return limit_class(method, path) if route is None else route.limit

    def scope(method: str, path: str) -> str | None:
        route = found(method, path)
        return None if route is None else route.scope

    def body(method: str, path: str) -> int:
        return bodies.get(path, MAX_BODY)

    return Rules(limit=limit, scope=scope, body=body, public=public)


def _pattern(path: str) -> re.Pattern[str]:
    """A route's path as the router understands it: a parameter is anything without a slash."""
    parts = re.split(r"\{[^}]*\}", path)
    return re.compile("[^/]+".join(re.escape(part) for part in parts))
