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
    """What carries the Idempotency-Key: a parameter, or a field of the one value it takes; where
    empty, the method may be repeated, unless `once`."""
    once: bool = False
    """Another time would be refused or done once more: never sent again by itself."""
    id: str = ""
    """Its name in the API document where that is older than its group."""
    formerly: str = ""
    """An earlier path, answered too for one release."""
    max_age: int = 0
    """Seconds for which whoever asks may keep the answer."""


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
    once: bool = False,
    id: str = "",
    formerly: str = "",
    max_age: int = 0,
) -> Callable[[Function], Function]:
    """Marks a method of an interface with its route."""
    made = Route(
        verb=verb, path=path, scope=scope, local=local, status=status, limit=limit, keyset=keyset,
        key=key, once=once, id=id, formerly=formerly, max_age=max_age,
    )  # fmt: skip

    def mark(function: Function) -> Function:
        setattr(function, _MARK, made)
        return function

    return mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method of a group with its route."""

    group: str
    """Attribute of the workstation it belongs to."""
    name: str
    function: Callable[..., Any]
    route: Route

    @property
    def id(self) -> str:
        """Unique, e.g. `memory.search`."""
        return f"{self.group}.{self.name}"

    @property
    def public_id(self) -> str:
        """What the API document calls it."""
        return self.route.id or self.id

    @property
    def tag(self) -> str:
        """Under which heading the API document has it."""
        return self.route.path.split("/")[2] if self.route.id else self.group

    def of(self, station: object) -> Callable[..., Any]:
        """The method of a workstation that this operation calls."""
        return getattr(getattr(station, self.group), self.name)


def operations(group: str, interface: type) -> Iterator[Operation]:
    """Every routed method of a group's interface, in the order they are written."""
    for name, function in vars(interface).items():
        if inspect.isfunction(function) and (found := getattr(function, _MARK, None)):
            yield Operation(group=group, name=name, function=function, route=found)
