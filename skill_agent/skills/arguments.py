"""What a skill takes when it is used as a tool: a JSON schema in its metadata, else one task.

A schema is text of whoever wrote the skill, so it is built anew from the few words that describe
plain arguments. What is left out of them is what makes a validator slow, or look elsewhere:
references, patterns, identifiers.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from skill_agent.text.gate import tamed_line
from skill_agent.text.printing import printable
from skill_agent.text.shaping import one_line

from .plain_yaml import typed

ARGUMENTS = "arguments"
"""Key of a skill's metadata: a mapping, or the same as JSON text."""
MOST_CHARACTERS, MOST_NODES, MOST_DEPTH, MOST_TOLD = 20_000, 500, 8, 500
MOST_GIVEN, MOST_VALUES = 50_000, 2_000
"""Characters of a call's arguments, as JSON, and values in them."""

TASK: dict[str, Any] = {
    "type": "object",
    "properties": {
        "task": {
            "type": "string",
            "minLength": 1,
            "description": "What is to be done, with all that is known of it.",
        }
    },
    "required": ["task"],
    "additionalProperties": False,
}
"""What a skill takes that does not say it."""

RESULT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "success": {"type": "boolean"},
        "skill_id": {"type": "string", "description": "The skill's name."},
        "content": {"type": "string", "description": "The instructions to follow now."},
        "arguments": {"type": "object", "description": "What the tool was called with."},
        "resources": {
            "type": "array",
            "items": {"type": "string"},
            "description": "URIs of the files that the instructions name.",
        },
    },
    "required": ["success", "skill_id", "content", "arguments", "resources"],
    "additionalProperties": False,
}
"""What every such tool gives."""

_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_WHOLE = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_TOLD = ("title", "description")
_SEVERAL = ("anyOf", "oneOf", "allOf")
_READ_OVER = (
    "$schema", "$comment", "examples", "format", "deprecated", "readOnly", "writeOnly",
)  # fmt: skip
"""Words that change nothing here."""
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class BadArguments(ValueError):
    """Why a schema is not taken, in words for whoever wrote the skill."""


def schema_in(metadata: object) -> tuple[dict[str, Any] | None, str]:
    """The schema in a skill's metadata as the file has it, and what is wrong with it; None and
    nothing where there is none."""
    if not isinstance(metadata, dict) or metadata.get(ARGUMENTS) in (None, ""):
        return None, ""
    try:
        return _schema(metadata[ARGUMENTS]), ""
    except BadArguments as problem:
        return None, f"metadata.{ARGUMENTS}: {problem}; as a tool it takes a task"


def fault(value: object, schema: Mapping[str, Any]) -> str:
    """What of a value departs from a schema of `schema_in`, or of ours; empty where nothing."""
    from jsonschema import Draft202012Validator

    checker: Any = Draft202012Validator(dict(schema))
    error = next(checker.iter_errors(value), None)
    if error is None:
        return ""
    place = str(error.json_path).removeprefix("$").removeprefix(".")
    told = tamed_line(printable(error.message), 300)
    return f"{tamed_line(printable(place), 100)}: {told}" if place else told


def too_large(arguments: Mapping[str, Any]) -> bool:
    """Whether arguments are more than a call may carry, or no JSON."""
    try:
        text = json.dumps(arguments, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return True
    return len(text) > MOST_GIVEN or _values(arguments) > MOST_VALUES


def _values(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(_values(one) for one in inner)


def _schema(written: object) -> dict[str, Any]:
    value = _parsed(written) if isinstance(written, str) else typed(written)
    if not isinstance(value, dict):
        raise BadArguments("it is no mapping")
    if value.get("type") != "object":
        raise BadArguments("its type has to be object")
    made = _Reading().schema(value, "", 0)
    if len(json.dumps(made)) > MOST_CHARACTERS:
        raise BadArguments(f"it has more than {MOST_CHARACTERS} characters")
    for name in made.get("required", ()):
        if name not in made.get("properties", {}):
            raise BadArguments(f'required names "{name}", which is none of its properties')
    return made


def _parsed(text: str) -> object:
    if len(text) > MOST_CHARACTERS:
        raise BadArguments(f"it has more than {MOST_CHARACTERS} characters")
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as problem:
        raise BadArguments(f"it is not JSON: {one_line(str(problem), 100)}") from None


def _no_number(text: str) -> object:
    raise ValueError(f"{text} is no number of JSON")


class _Reading:
    """Builds a schema anew, counting what it holds."""

    def __init__(self) -> None:
        self._nodes = 0

    def schema(self, value: object, place: str, depth: int) -> dict[str, Any]:
        """Raises BadArguments at the first thing that is not taken."""
        self._count(depth)
        if not isinstance(value, dict):
            raise BadArguments(f"{place or 'it'} is no mapping")
        made: dict[str, Any] = {}
        for key, inner in value.items():
            if key not in _READ_OVER:
                made[key] = self._word(key, inner, f"{place}.{key}" if place else key, depth)
        return made

    def _word(self, key: str, value: object, place: str, depth: int) -> Any:
        match key:
            case "type":
                return _types(value, place)
            case "properties":
                return self._properties(value, place, depth)
            case "items" | "not":
                return self.schema(value, place, depth + 1)
            case "additionalProperties":
                more = isinstance(value, bool)
                return value if more else self.schema(value, place, depth + 1)
            case "required":
                return self._names(value, place)
            case "enum":
                return [self._plain(one, place) for one in self._list(value, place)]
            case "const" | "default":
                return self._plain(value, place)
            case _ if key in _SEVERAL:
                return [self.schema(one, place, depth + 1) for one in self._list(value, place)]
            case _ if key in _TOLD:
                return tamed_line(printable(_text(value, place)), MOST_TOLD)
            case _ if key in _WHOLE:
                return _whole(value, place)
            case _ if key in _NUMBERS:
                return _number(value, place)
        raise BadArguments(f'"{tamed_line(printable(place), 100)}" is not read here')

    def _properties(self, value: object, place: str, depth: int) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise BadArguments(f"{place} is no mapping")
        return {
            _name(name, place): self.schema(inner, f"{place}.{name}", depth + 1)
            for name, inner in value.items()
        }

    def _names(self, value: object, place: str) -> list[str]:
        return [_name(one, place) for one in self._list(value, place, empty=True)]

    def _list(self, value: object, place: str, *, empty: bool = False) -> list[Any]:
        if not isinstance(value, list) or not (value or empty):
            raise BadArguments(f"{place} is no list")
        self._nodes += len(value)
        self._count(0)
        return value

    def _plain(self, value: object, place: str) -> Any:
        """Text, a number, truth, nothing, or a flat list of them; shown as it is."""
        if isinstance(value, list):
            return [self._plain(one, place) for one in self._list(value, place, empty=True)]
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return _number(value, place)
        text = _text(value, place)
        if tamed_line(printable(text)) != text:
            raise BadArguments(f"{place} has characters that are not shown")
        return text

    def _count(self, depth: int) -> None:
        self._nodes += 1
        if depth > MOST_DEPTH or self._nodes > MOST_NODES:
            raise BadArguments("it is nested too deeply or too large")


def _types(value: object, place: str) -> str | list[str]:
    wanted = value if isinstance(value, list) else [value]
    if not wanted or len(wanted) > len(_TYPES) or any(one not in _TYPES for one in wanted):
        raise BadArguments(f"{place} is none of {', '.join(_TYPES)}")
    return [str(one) for one in wanted] if isinstance(value, list) else str(value)


def _name(value: object, place: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise BadArguments(f"a name in {place} has other than a-z, A-Z, 0-9, _, . and -")
    return value


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise BadArguments(f"{place} is no text")
    return value


def _whole(value: object, place: str) -> int:
    if type(value) is not int or not 0 <= value < 2**31:
        raise BadArguments(f"{place} is no whole number")
    return value


def _number(value: object, place: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 2**53:
        raise BadArguments(f"{place} is no number")
    return value
