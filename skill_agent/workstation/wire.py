"""Values as JSON and back: the codec that the server and an attached process share.

Dataclasses are objects, times ISO 8601 in UTC, paths texts. No transport here, and nothing heavy
is imported before a value needs it.
"""

import json
import re
import typing
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import is_dataclass, replace
from datetime import datetime
from functools import cache
from importlib import import_module
from pathlib import Path, PurePath
from types import MappingProxyType, UnionType
from typing import Any

import msgspec

from skill_agent.identifiers import iso
from skill_agent.route import Operation
from skill_agent.values import Memory, MemoryDifference

WireError = msgspec.ValidationError
"""A ValueError: what `decode` and `convert` raise for data that does not fit; says where."""

HEAVY = MappingProxyType(
    {"AgentDNA": "skill_agent.agents.dna", "Settings": "skill_agent.settings.schema",
     "Subscription": "skill_agent.events.bus"}
)  # fmt: skip
"""Where the types live that interfaces mention and only who needs them imports."""

_NAMES = re.compile(r"[A-Za-z_]\w*")


def encode(value: object) -> bytes:
    """A value as JSON; what no UTF-8 can say (half a surrogate) is escaped."""
    try:
        return msgspec.json.encode(value, enc_hook=_foreign)
    except UnicodeEncodeError:
        return json.dumps(builtins(value)).encode()


def builtins(value: object) -> Any:
    """A value as dicts, lists, texts and numbers."""
    return msgspec.to_builtins(value, enc_hook=_foreign, str_keys=True)


def decode(data: bytes | str, kind: Any) -> Any:
    """The value that JSON holds; raises WireError where it does not fit `kind` or is no JSON."""
    try:
        value = msgspec.json.decode(data)
    except msgspec.DecodeError:
        value = _lenient(data)
    return convert(value, kind)


def convert(value: object, kind: Any, *, lax: bool = False) -> Any:
    """Builtins as a value of a type; with `lax` texts may stand for numbers and truth values, as in
    a query."""
    return _mended(msgspec.convert(value, kind, strict=not lax, dec_hook=_made))


def cursor(position: Sequence[object]) -> str:
    """What a page is asked for by that begins after a position of the operation's keyset."""
    said = [iso(one) if isinstance(one, datetime) else one for one in position]
    return urlsafe_b64encode(json.dumps(said).encode()).decode()


def hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The types of a routed method by parameter, and of its `return`; imports those it names."""
    names = {name for one in function.__annotations__.values() for name in _named(one)}
    elsewhere = {name: found_elsewhere(name) for name in names if name in HEAVY}
    return typing.get_type_hints(function, localns=elsewhere)


@cache
def request_of(operation: Operation) -> tuple[str, Any] | None:
    """The parameter whose fields are what is asked for, and its dataclass; None without one."""
    types = hints(operation.function)
    types.pop("return", None)
    for name, kind in types.items():
        if found := dataclass_in(kind):
            return name, found
    return None


def dataclass_in(kind: Any) -> Any:
    """The dataclass an annotation is, or may be; None otherwise."""
    if typing.get_origin(kind) not in (None, typing.Union, UnionType):
        return None
    return next((one for one in (kind, *typing.get_args(kind)) if is_dataclass(one)), None)


@cache
def found_elsewhere(name: str) -> Any:
    """A type that the interfaces only mention."""
    return getattr(import_module(HEAVY[name]), name)


def _named(annotation: object) -> Iterator[str]:
    """Every name inside the strings of an annotation."""
    match annotation:
        case str():
            yield from _NAMES.findall(annotation)
        case typing.ForwardRef():
            yield from _NAMES.findall(annotation.__forward_arg__)
        case _:
            for part in typing.get_args(annotation):
                yield from _named(part)


def _lenient(data: bytes | str) -> Any:
    try:
        return json.loads(data)
    except ValueError as error:
        raise WireError(f"this is no JSON: {error}") from error


def _foreign(value: object) -> Any:
    """What msgspec does not know: paths, and models that can dump themselves."""
    if isinstance(value, PurePath):
        return str(value)
    if dump := getattr(value, "model_dump", None):
        return dump(mode="json")
    raise NotImplementedError(f"no JSON for {type(value).__name__}")


def _made(kind: type, value: object) -> Any:
    """The way back of `_foreign`."""
    if isinstance(kind, type) and issubclass(kind, PurePath):
        return Path(str(value))
    if validate := getattr(kind, "model_validate", None):
        return validate(value)
    raise NotImplementedError(f"no {kind} from JSON")


def _mended(value: object) -> Any:
    """Where a type says `Any` but we know better: the fields of a memory's difference."""
    if isinstance(value, MemoryDifference) and value.fields:
        kinds = _memory_hints()
        fields = {
            name: (_field(before, kinds.get(name)), _field(after, kinds.get(name)))
            for name, (before, after) in value.fields.items()
        }
        return replace(value, fields=fields)
    if isinstance(value, list) and value and isinstance(value[0], MemoryDifference):
        return [_mended(one) for one in value]
    return value


def _field(value: object, kind: Any) -> Any:
    return value if kind is None else msgspec.convert(value, kind)


@cache
def _memory_hints() -> dict[str, Any]:
    return typing.get_type_hints(Memory)
