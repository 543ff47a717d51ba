"""What a client sends and what a tool gives, held against JSON schemas."""

from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing import Registry

_HEAD, _TAIL = 200, 100
"""Characters that are kept of a longer sentence: a value stands in its middle."""
_NOTHING_ELSEWHERE: Registry[Any] = Registry()
"""A schema may come from a file of others: what it refers to is never fetched."""


def mistake(schema: dict[str, Any], value: Any) -> str:
    """What is wrong with the value, with the place; empty where nothing is."""
    try:
        error = best_match(_validator(schema).iter_errors(value))
    except Exception as problem:  # a schema of others may be wrong in any way
        return f"its schema cannot be used: {_cut(str(problem))}"
    return "" if error is None else _said(error)


def _validator(schema: dict[str, Any]) -> Validator:
    kind = validator_for(schema, default=Draft202012Validator)
    return kind(schema, registry=_NOTHING_ELSEWHERE)  # pyright: ignore[reportCallIssue]


def _said(error: ValidationError) -> str:
    place = ".".join(str(part) for part in error.absolute_path)
    return _cut(f"{place}: {error.message}" if place else error.message)


def _cut(text: str) -> str:
    line = text.splitlines()[0] if text else ""
    return line if len(line) <= _HEAD + _TAIL else f"{line[:_HEAD]} … {line[-_TAIL:]}"
