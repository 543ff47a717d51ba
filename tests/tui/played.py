"""Groups of operations that play only what the screens use of them."""

from collections.abc import Callable
from inspect import isfunction
from typing import Any, ParamSpec, TypeVar

Wishes = ParamSpec("Wishes")
Kind = TypeVar("Kind")


def played(kind: Callable[Wishes, Kind]) -> Callable[Wishes, Kind]:
    """The class as it is, but what it leaves out of its interface raises, and gives no None."""
    assert isinstance(kind, type)
    for interface in (one for one in kind.__mro__ if vars(one).get("_is_protocol")):
        for name, operation in vars(interface).items():
            if isfunction(operation) and getattr(kind, name) is operation and name[0] != "_":
                setattr(kind, name, _unplayed(f"{interface.__name__}.{name}"))
    return kind


def _unplayed(name: str) -> Any:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NotImplementedError(f"{name} is not played")

    return refuse
