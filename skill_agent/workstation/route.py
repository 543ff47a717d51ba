"""The route of an interface method, written beside it. What HTTP makes of it stands elsewhere."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Verb = Literal["GET", "POST", "PATCH", "DELETE"]
Scope = Literal["read", "chat", "memory", "admin"]
LimitClass = Literal["general", "chat", "search", "embed", "auth"]
Function = TypeVar("Function", bound=Callable[..., Any])

_MARK = "__route__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How a method is reached over HTTP."""

    verb: Verb
    path: str
    scope: Scope
    local: bool = False
    """Only over the home's own socket: it speaks of this machine's files or processes."""
    status: int = 200
    limit: LimitClass = "general"
    keyset: tuple[str, ...] = ()
    """Fields of the returned items that say where the next page begins; empty where a listing is
    short enough to be made whole for each page."""
    key: str = ""
    """The parameter that carries the Idempotency-Key; where empty, the method may be repeated."""


def route(
    verb: Verb,
    path: str,
    *,
    scope: Scope,
    local: bool = False,
    status: int = 200,
    limit: LimitClass = "general",
    keyset: tuple[str, ...] = (),
    key: str = "",
) -> Callable[[Function], Function]:
    """Marks a method of an interface with its route."""
    made = Route(
        verb=verb, path=path, scope=scope, local=local, status=status, limit=limit, keyset=keyset,
        key=key,
    )  # fmt: skip

    def mark(function: Function) -> Function:
        setattr(function, _MARK, made)
        return function

    return mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method of the interface with its route."""

    group: str
    """Attribute of the workstation it belongs to; empty for the workstation's own."""
    name: str
    function: Callable[..., Any]
    route: Route

    @property
    def id(self) -> str:
        """Unique, e.g. `memory.search`."""
        return f"{self.group}.{self.name}" if self.group else self.name

    def of(self, station: object) -> Callable[..., Any]:
        """The method of a workstation that this operation calls."""
        owner = getattr(station, self.group) if self.group else station
        return getattr(owner, self.name)


def operations(interface: type, groups: dict[str, type]) -> Iterator[Operation]:
    """Every routed method of an interface and of its groups, in the order they are written."""
    for group, kind in {"": interface, **groups}.items():
        for name, function in vars(kind).items():
            if inspect.isfunction(function) and (found := getattr(function, _MARK, None)):
                yield Operation(group=group, name=name, function=function, route=found)
