"""An operation of the table with its arguments as one HTTP request, and its answer as a value.

Pure: what is sent and read here goes nowhere by itself.
"""

import inspect
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import quote

from skill_agent.conversations.idempotency import checked_key
from skill_agent.errors import NotFound, SkillAgentError
from skill_agent.identifiers import iso, new_id
from skill_agent.workstation import Operation, wire

from .transport import Query

Arguments = dict[str, Any]

_PAGING = ("limit", "offset", "before", "after", "last")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What goes over the wire."""

    verb: str
    path: str
    query: Query
    body: bytes | None
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How much of a listing is wanted, and from where."""

    most: int | None
    """Items in all; None is every one."""
    skip: int = 0
    last: int = 0
    cursor: str = ""


def bound(operation: Operation, *args: Any, **named: Any) -> Arguments:
    """The arguments by name; raises TypeError as the method itself would."""
    arguments = dict(_signature(operation).bind(None, *args, **named).arguments)
    del arguments["self"]
    if (found := wire.request_of(operation)) and isinstance(arguments.get(found[0]), str):
        arguments[found[0]] = found[1](arguments[found[0]])
    return arguments


def keyed(operation: Operation, arguments: Arguments) -> tuple[Arguments, str]:
    """The arguments with a key, a fresh one where none was given; and the key."""
    name = operation.route.key
    if not name:
        return arguments, ""
    found = wire.request_of(operation)
    if found is None:
        key = arguments.get(name) or new_id()
        return {**arguments, name: key}, key
    request = arguments[found[0]]
    key = getattr(request, name) or new_id()
    return {**arguments, found[0]: replace(request, **{name: key})}, key


def _flat(operation: Operation, arguments: Arguments) -> Arguments:
    """The arguments with the fields of a request value in its place, but for its defaults."""
    found = wire.request_of(operation)
    if found is None or operation.route.verb not in ("POST", "PATCH"):
        return arguments
    rest = dict(arguments)
    value = rest.pop(found[0])
    return rest | {
        one.name: getattr(value, one.name)
        for one in fields(value)
        if getattr(value, one.name) != one.default
    }


@cache
def _signature(operation: Operation) -> inspect.Signature:
    return inspect.signature(operation.function)


def takes_progress(operation: Operation) -> bool:
    return "progress" in _signature(operation).parameters


@cache
def answer_type(operation: Operation) -> Any:
    """What the method gives; imports the types it names."""
    return wire.hints(operation.function).get("return")


def is_listing(operation: Operation) -> bool:
    return typing.get_origin(answer_type(operation)) is list


def request_for(operation: Operation, arguments: Arguments, *, agent: str) -> Request:
    """The request of a call; `agent` stands in where a path wants one and none was named."""
    route = operation.route
    flat = _flat(operation, arguments)
    rest = {name: one for name, one in flat.items() if name != "progress"}
    key = rest.pop(route.key, None) if route.key else None
    path = route.path
    for name in [name for name in rest if "{" + name + "}" in path]:
        path = path.replace("{" + name + "}", _in_path(name, rest.pop(name)))
    path = path.replace("{agent}", _in_path("agent", agent))
    in_query = route.verb in ("GET", "DELETE")
    return Request(
        verb=route.verb,
        path=path,
        query=list(_queried(rest)) if in_query else [],
        body=None if in_query or not _has_body(operation) else wire.encode(rest),
        key=checked_key(key) if key else "",
    )


def _has_body(operation: Operation) -> bool:
    path = operation.route.path
    names = set(_signature(operation).parameters) - {"self", "progress", operation.route.key}
    return any("{" + name + "}" not in path for name in names)


def fits_path(text: str) -> bool:
    """Whether a text can be one part of a path."""
    return bool(text.strip()) and text not in (".", "..") and "/" not in text and text.isprintable()


def _in_path(name: str, value: Any) -> str:
    """One part of a path; what could never be one is nothing anybody ever named."""
    text = str(value)
    if not fits_path(text):
        raise NotFound(f"there is no {name.removesuffix('_id')} {text!r}")
    return quote(text, safe="", errors="replace")


def _queried(arguments: Arguments) -> Iterator[tuple[str, str]]:
    """Arguments as a query: a dataclass gives its fields, a list repeats its name, None is left
    out."""
    for name, value in arguments.items():
        if value is None:
            continue
        if is_dataclass(value) and not isinstance(value, type):
            yield from _queried(
                {f.name: getattr(value, f.name) for f in fields(value) if f.name not in _PAGING}
            )
        elif isinstance(value, list | tuple | set | frozenset):
            for one in value:
                yield name, _text(one)
        else:
            yield name, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return iso(value) if isinstance(value, datetime) else str(value)


def paging_for(operation: Operation, arguments: Arguments) -> tuple[Paging, Arguments]:
    """What of a listing's arguments says how much is wanted, and the others."""
    defaults = {n: p.default for n, p in _signature(operation).parameters.items()}
    wanted = next((one for one in arguments.values() if is_dataclass(one)), None)
    if wanted is None and "wanted" in defaults:
        from skill_agent.values import MemoryFilter

        wanted = MemoryFilter()

    def said(name: str, otherwise: Any) -> Any:
        if wanted is not None:
            return getattr(wanted, name, otherwise)
        found = arguments.get(name, defaults.get(name, otherwise))
        return otherwise if found is inspect.Parameter.empty else found

    limit, before, after = said("limit", 0), said("before", None), said("after", -1)
    cursor = wire.cursor(before) if before else wire.cursor([after]) if after >= 0 else ""
    paging = Paging(most=limit or None, skip=said("offset", 0), last=said("last", 0), cursor=cursor)
    return paging, {name: one for name, one in arguments.items() if name not in _PAGING}


def answered(operation: Operation, body: bytes) -> Any:
    """The value of an answer; raises SkillAgentError for one that does not fit."""
    kind = answer_type(operation)
    if not body or kind is type(None):
        return None
    if is_listing(operation):
        return page(operation, body).items
    with _fitting(operation):
        return wire.decode(body, kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a listing."""

    items: list[Any]
    cursor: str | None = None


def page(operation: Operation, body: bytes) -> Page:
    """A listing's answer, one page of it."""
    with _fitting(operation):
        envelope = wire.decode(body, dict[str, Any])
        items = wire.convert(envelope["items"], answer_type(operation))
    return Page(items=items, cursor=envelope.get("cursor"))


@contextmanager
def _fitting(operation: Operation) -> Iterator[None]:
    """Tells in words that the other side speaks otherwise."""
    try:
        yield
    except (KeyError, ValueError) as error:
        raise SkillAgentError(
            f"the home's host answered {operation.id} in a way this version does not understand "
            f"({error})",
            hint="is it of another version? ska status",
        ) from error
