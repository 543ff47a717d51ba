"""Routes made from the table of operations: parameters from each method's signature, the answer's
type from its annotation. What a method does is the workstation's business.
"""

import inspect
import json
import re
import typing
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import MISSING, fields, replace
from dataclasses import Field as DataField
from datetime import datetime
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from starlette.responses import Response

from skill_agent.api.answers.body_checks import LARGEST, check
from skill_agent.api.answers.described import SSE, extra, refusals
from skill_agent.api.answers.error_answers import answer
from skill_agent.api.door.auth import Caller, caller_of, require
from skill_agent.api.door.refusals import Refusal
from skill_agent.errors import UsageError
from skill_agent.text.checks import sound_moment
from skill_agent.values import HomeInfo, NewMemory, Skill
from skill_agent.workstation import Operation, Workstation, wire

from .progressing import progress_response, wants_progress
from .seen import seen_by

PAGE, MOST, MOST_AT_HOME = 20, 100, 10_000
"""Items of a page: by default, at most over TCP, at most over the home's own socket."""
ALL = 10_000
_PAGING = ("limit", "offset", "before", "after", "cursor")
_STREAM = (
    "The answer; with `Accept: text/event-stream` events `progress`, then one `result` or `error`."
)
_EMPTY = inspect.Parameter.empty


def routes(station: Workstation, table: tuple[Operation, ...], *, local: bool) -> APIRouter:
    """A route for each operation; `local` is for the home's own socket, which has them all."""
    router = APIRouter()
    for operation in table:
        if operation.route.local and not local:
            continue
        made = _Made(operation, local=local)
        endpoint = made.endpoint(station)
        if operation.route.formerly:
            router.add_api_route(
                operation.route.formerly,
                endpoint,
                methods=[operation.route.verb],
                include_in_schema=False,
                dependencies=[Depends(require(operation.route.scope))],
            )
        router.add_api_route(
            operation.route.path,
            endpoint,
            methods=[operation.route.verb],
            status_code=made.status,
            response_model=made.answer_model,
            responses=made.others | refusals(local=local),
            openapi_extra=extra(operation.route),
            operation_id=operation.public_id,
            summary=(inspect.getdoc(operation.function) or "").partition("\n")[0],
            tags=[operation.tag],
            dependencies=[Depends(require(operation.route.scope))],
        )
    return router


class _Made:
    """What is known of an operation once its types are resolved."""

    def __init__(self, operation: Operation, *, local: bool) -> None:
        self.operation, self.route, self.local = operation, operation.route, local
        self.most = MOST_AT_HOME if local else MOST
        self.types = wire.hints(operation.function)
        self.returned = self.types.pop("return", None)
        signature = inspect.signature(operation.function)
        self.parameters = {n: p for n, p in signature.parameters.items() if n != "self"}
        self.in_path = set(re.findall(r"{(\w+)}", self.route.path))
        self.lists = typing.get_origin(self.returned) is list
        self.paged = self.lists and self.route.verb == "GET"
        self.has_progress = "progress" in self.parameters
        self.flat: str
        self.asked: Any
        self.flat, self.asked = wire.request_of(operation) or ("", None)

    def _in_query(self, name: str) -> bool:
        return self.route.verb in ("GET", "DELETE") and name not in self.in_path

    @property
    def status(self) -> int:
        """Of a usual answer; nothing is answered as 204."""
        return 204 if self.answer_model is None else self.route.status

    @property
    def others(self) -> dict[int | str, dict[str, Any]]:
        """What else it may answer than its usual value: nothing, or events on the way there."""
        found: dict[int | str, dict[str, Any]] = {}
        if self.has_progress:
            found[self.route.status] = {"content": SSE, "description": _STREAM}
        if self.returned is not None and type(None) in typing.get_args(self.returned):
            found[204] = {"description": "There is nothing to answer."}
        return found

    @property
    def answer_model(self) -> Any:
        if self.returned in (None, type(None)):
            return None
        if not self.lists:
            return self.returned
        return create_model(
            f"PageOf{self.operation.public_id.replace('_', '.').title().replace('.', '')}",
            items=(self.returned, ...),
            cursor=(str | None, None),
            has_more=(bool, False),
        )

    # -- the signature FastAPI reads ---------------------------------------------------------

    def endpoint(self, station: Workstation) -> Callable[..., Any]:
        """The function that answers, with the signature its parameters are validated by."""

        async def called(request: Request, **given: Any) -> Response:
            return await self._answer(station, request, given)

        request = inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)
        called.__signature__ = inspect.Signature(  # pyright: ignore[reportFunctionMemberAccess]
            [request, *self._places()]
        )
        called.__name__ = self.operation.public_id.replace(".", "_")
        return called

    def _places(self) -> list[inspect.Parameter]:
        places = [self._in(name, self.types[name], Path()) for name in sorted(self.in_path)]
        body: dict[str, Any] = {}
        for name, parameter in self.parameters.items():
            if name in self.in_path or name == "progress" or (self.paged and name in _PAGING):
                continue
            if name == self.route.key:
                places.append(_KEY)
            elif name == self.flat and self._in_query(name):
                places += self._flattened()
            elif name == self.flat:
                body |= self._fields()
                places += [_KEY] if self.route.key else []
            elif self._in_query(name):
                kind = self.types[name]
                place = Query(ge=0, le=self.most) if name == "last" else _query(kind)
                places.append(_parameter(name, _listed(kind), place, parameter.default))
            else:
                body[name] = (self.types[name], self._default(name, parameter))
        if body:
            model = create_model(
                f"{self.operation.public_id.title().replace('.', '').replace('_', '')}Request",
                __config__=ConfigDict(extra="forbid"),
                **body,
            )
            required = any(default is ... for _, default in body.values())
            places.append(_parameter("body", model, Body(), _EMPTY if required else model()))
        if self.paged:
            places.append(_parameter("limit", int, Query(ge=1, le=self.most), PAGE))
            places.append(_parameter("cursor", str | None, Query(max_length=1_000), None))
        return places

    def _default(self, name: str, parameter: inspect.Parameter) -> Any:
        return self._limited(name, ... if parameter.default is _EMPTY else parameter.default)

    def _limited(self, name: str, default: Any) -> Any:
        if name == "limit":
            return Field(default=default, ge=1, le=self.most)
        return ... if default is ... else Field(default=default)

    def _flattened(self) -> list[inspect.Parameter]:
        """The fields of what is asked for, each a parameter of the query."""
        types = typing.get_type_hints(self.asked)
        return [
            _parameter(f.name, _listed(types[f.name]), _query(types[f.name]), f.default)
            for f in fields(self.asked)
            if f.name not in _PAGING
        ]

    def _fields(self) -> dict[str, Any]:
        """The fields of what is asked for, each a field of the body; the key is a header."""
        types = typing.get_type_hints(self.asked)
        return {
            f.name: (
                types[f.name],
                self._limited(f.name, _standing(f)),
            )
            for f in fields(self.asked)
            if f.name != self.route.key and not f.metadata.get("host_only")
        }

    @staticmethod
    def _in(name: str, kind: Any, place: Any) -> inspect.Parameter:
        return _parameter(name, kind if kind is not (str | None) else str, place, _EMPTY)

    # -- the answer --------------------------------------------------------------------------

    async def _answer(
        self, station: Workstation, request: Request, given: dict[str, Any]
    ) -> Response:
        arguments = self._signed(self._arguments(given), caller_of(request))
        call = self.operation.of(seen_by(station, request))
        if self.has_progress and wants_progress(request):
            return progress_response(request, call, arguments, self._shaped)
        if self.paged:
            page = await self._page(call, arguments, given)
            if not self.local:
                page["items"] = _without_folders(page["items"])
            return answer(page, self.route.status, self._kept)
        value = await call(**arguments)
        if value is None:
            return Response(status_code=204)
        return answer(self._shaped(value), self.route.status, self._kept)

    @property
    def _kept(self) -> dict[str, str] | None:
        """The header that says how long the answer may be kept."""
        age = self.route.max_age
        return {"Cache-Control": f"private, max-age={age}"} if age else None

    def _shaped(self, value: Any) -> Any:
        if not self.local:
            value = _without_folders(value)
        return {"items": value, "cursor": None, "has_more": False} if self.lists else value

    def _signed(self, arguments: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """A key acts under its own name, whatever it says of itself."""
        if (by := caller.requester) is None:
            return arguments
        actor = f"key:{by.key}"
        if "actor" in self.parameters:
            return {**arguments, "actor": actor}
        if isinstance(asked := arguments.get(self.flat), NewMemory):
            return {**arguments, self.flat: replace(asked, actor=actor)}
        return arguments

    def _arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        found = {name: given[name] for name in self.in_path}
        if isinstance(body := given.get("body"), BaseModel):
            found |= {name: getattr(body, name) for name in type(body).model_fields}
        if self.route.key and given.get("idempotency_key") is not None:
            found[self.route.key] = given["idempotency_key"]
        if self.asked:
            names = [f.name for f in fields(self.asked)]
            if self._in_query(self.flat):
                said = {n: _plain(given[n]) for n in names if n in given and n not in _PAGING}
            else:
                said = {n: found.pop(n) for n in names if n in found}
            found[self.flat] = self.asked(**said)
        taken = {"body", "idempotency_key", "limit", "cursor"}
        for name in self.parameters:
            if name in given and name not in found and name not in taken:
                found[name] = _plain(given[name])
        return found

    async def _page(
        self, call: Callable[..., Any], arguments: dict[str, Any], given: dict[str, Any]
    ) -> dict[str, Any]:
        limit, cursor = given["limit"], _opened(given["cursor"])
        if self.route.keyset and not arguments.get("last"):
            return await self._keyset_page(call, arguments, limit, cursor)
        if "limit" in self.parameters and not arguments.get("last"):
            arguments["limit"] = ALL
        items = list(await call(**arguments))
        if arguments.get("last"):
            return self._shaped(items)
        start = _after(items, cursor)
        end = start + limit
        more = end < len(items)
        last = wire.cursor(_place_of(items, end - 1)) if more else None
        return {"items": items[start:end], "cursor": last, "has_more": more}

    async def _keyset_page(
        self, call: Callable[..., Any], arguments: dict[str, Any], limit: int, cursor: list[Any]
    ) -> dict[str, Any]:
        """One item more than wanted is asked for: it tells whether there is another page."""
        where: dict[str, Any] = {"limit": limit + 1}
        if cursor:
            where |= _position(self.route.keyset, cursor)
        if self.flat:
            arguments[self.flat] = replace(arguments[self.flat], **where)
        else:
            arguments |= where
        items = list(await call(**arguments))
        page, more = items[:limit], len(items) > limit
        last = [getattr(page[-1], name) for name in self.route.keyset] if more else []
        return {"items": page, "cursor": wire.cursor(last) if more else None, "has_more": more}


def _standing(field: "DataField[Any]") -> Any:
    """What a field is where it is not given; ... where it must be."""
    if field.default is not MISSING:
        return field.default
    return ... if field.default_factory is MISSING else field.default_factory()


def _without_folders(value: Any) -> Any:
    """A stranger need not know where on this machine things lie."""
    match value:
        case list():
            return [_without_folders(one) for one in value]
        case HomeInfo():
            return replace(value, id=PurePath(value.id).name)
        case Skill():
            return replace(value, path=PurePath(value.path).name)
    return value


def _parameter(name: str, kind: Any, place: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, place], default=default
    )


def _query(kind: Any) -> Any:
    """A place in the query; a number there is one that a store can hold."""
    return Query(ge=-LARGEST, le=LARGEST) if kind is int else Query()


def _listed(kind: Any) -> Any:
    """A tuple of any length as a list: the query repeats its name."""
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is tuple and arguments[-1:] == (...,):
        return list[arguments[0]]
    return kind


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


_KEY = _parameter("idempotency_key", str | None, Header(), None)


# -- cursors -----------------------------------------------------------------------------------


def _opened(cursor: str | None) -> list[Any]:
    if not cursor:
        return []
    try:
        found = json.loads(urlsafe_b64decode(cursor.encode()))
        check(found, "cursor")
    except (ValueError, RecursionError, Refusal):
        return _no_cursor()
    return found if isinstance(found, list) and found else _no_cursor()


def _no_cursor() -> list[Any]:
    raise UsageError("this cursor was not given out by a listing", hint="leave it out")


_PLACE: TypeAdapter[tuple[datetime, str]] = TypeAdapter(tuple[datetime, str])


def _position(keyset: tuple[str, ...], cursor: list[Any]) -> dict[str, Any]:
    if len(keyset) == 1:
        return {"after": cursor[0]} if type(cursor[0]) is int else {"after": _no_cursor()}
    try:
        moment, name = _PLACE.validate_python(cursor)
    except ValidationError:
        return {"before": _no_cursor()}
    return {"before": (sound_moment(moment), name)}


def _place_of(items: list[Any], at: int) -> list[Any]:
    """An item's name, and how many of that name there are up to it: names may not be unique."""
    name = _name_of(items[at])
    return [name, sum(_name_of(one) == name for one in items[: at + 1])]


def _after(items: list[Any], cursor: list[Any]) -> int:
    if not cursor:
        return 0
    name, left = cursor if len(cursor) == 2 and type(cursor[1]) is int else (cursor[0], 1)
    for at, item in enumerate(items):
        left -= _name_of(item) == name
        if not left:
            return at + 1
    raise UsageError("what this cursor stood at is no longer listed", hint="begin anew")


def _name_of(item: Any) -> Any:
    """What tells an item of a short listing from the others."""
    for name in ("id", "slug", "seq", "name", "up_to"):
        if (found := getattr(item, name, None)) is not None:
            return found
    return str(item)
