"""A server's JSON schema, made one that we may show and check by.

Only keywords that are known come through, so nothing fetches, matches patterns (which may take for
ever) or grows without end: references are put in their place, and one to itself becomes anything.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from skill_agent.text.gate import tamed_line
from skill_agent.text.printing import printable

DEEPEST, MOST_PARTS = 12, 800
_LONGEST_TEXT, _LONGEST_VALUE, _MOST_VALUES = 200, 200, 200
_FIELD = re.compile(r"[A-Za-z0-9_.$@-]{1,64}")
_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_NUMBERS = frozenset({
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
})  # fmt: skip
_COUNTS = frozenset({
    "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
})  # fmt: skip
_ANY_OF = ("anyOf", "oneOf", "allOf")


class Broken(ValueError):
    """Why a schema cannot be used, as a person is told it."""


def sound(schema: Any) -> dict[str, Any]:
    """The schema of an object without anything that is not ours to follow; raises Broken."""
    if not isinstance(schema, dict):
        raise Broken("its schema is no object")
    made = _Making(schema).part(schema, 0, ())
    if made.setdefault("type", "object") != "object":
        raise Broken(f"its schema is of type {made['type']!r}, not object")
    made.setdefault("properties", {})
    return made


def told(text: Any, limit: int) -> str:
    """A text of a server's on one line, with nothing in it that is not to be shown."""
    if not isinstance(text, str):
        return ""
    # Escapes first: what looks like them must not come together from their parts.
    return tamed_line(printable(text[: 4 * limit]), limit)


def without_words(schema: Any) -> Any:
    """A sound schema without what is said in it: names, kinds and choices are left."""
    match schema:
        case dict():
            return {
                name: {one: without_words(inner) for one, inner in part.items()}
                if name == "properties" and isinstance(part, dict)
                else without_words(part)
                for name, part in schema.items()
                if not (name in ("description", "title", "default") and isinstance(part, str))
            }
        case list():
            return [without_words(one) for one in schema]
        case _:
            return schema


@dataclass(slots=True)
class _Making:
    root: dict[str, Any]
    parts: int = field(default=0)

    def part(self, schema: Any, depth: int, within: tuple[str, ...]) -> dict[str, Any]:
        self.parts += 1
        if depth > DEEPEST:
            raise Broken(f"its schema is more than {DEEPEST} levels deep")
        if self.parts > MOST_PARTS:
            raise Broken(f"its schema has more than {MOST_PARTS} parts")
        if schema is True:
            return {}
        if schema is False:
            return {"not": {}}
        if not isinstance(schema, dict):
            raise Broken("a part of its schema is no schema")
        if isinstance(ref := schema.get("$ref"), str):
            if ref in within:
                return {}
            aside = {name: one for name, one in schema.items() if name != "$ref"}
            own = self.part(aside, depth, within) if aside else {}
            return {**self.part(self._found(ref), depth + 1, (*within, ref)), **own}
        made: dict[str, Any] = {}
        for name, value in schema.items():
            self._keyword(made, name, value, depth, within)
        return made

    def _keyword(
        self, made: dict[str, Any], name: str, value: Any, depth: int, within: tuple[str, ...]
    ) -> None:
        match name, value:
            case "properties", dict():
                fields = {_named(one): inner for one, inner in value.items()}
                made[name] = {
                    one: self.part(inner, depth + 1, within) for one, inner in fields.items()
                }
            case "items" | "not" | "additionalProperties", dict() | bool():
                keeps = isinstance(value, bool) and name == "additionalProperties"
                made[name] = value if keeps else self.part(value, depth + 1, within)
            case _, [_, *_] if name in (*_ANY_OF, "prefixItems"):
                made[name] = [self.part(one, depth + 1, within) for one in value]
            case _:
                _plain(made, name, value)

    def _found(self, ref: str) -> Any:
        if not ref.startswith("#"):
            raise Broken("its schema refers to another document")
        at: Any = self.root
        for step in filter(None, ref[1:].split("/")):
            step = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(at, dict) or step not in at:
                raise Broken("its schema refers to a part that is not there")
            at = at[step]
        return at


def _named(name: str) -> str:
    if not _FIELD.fullmatch(name):
        raise Broken(f"its schema has a field that no model can name: {told(name, 40)!r}")
    return name


def _plain(made: dict[str, Any], name: str, value: Any) -> None:
    """Keywords that hold no schema; others are left out."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match name, value:
        case "type", str() if value in _TYPES:
            made[name] = value
        case "type", [_, *_] if all(one in _TYPES for one in value if isinstance(one, str)):
            made[name] = [one for one in value if isinstance(one, str)]
        case "description" | "title", str():
            made[name] = told(value, _LONGEST_TEXT)
        case "required", list():
            made[name] = [_named(one) for one in value if isinstance(one, str)]
        case "enum", [_, *_]:
            if len(value) > _MOST_VALUES:
                raise Broken(f"its schema has a choice of more than {_MOST_VALUES}")
            made[name] = [_value(one) for one in value]
        case "const", _:
            made[name] = _value(value)
        case "default", str() | int() | float() | bool() | None:
            made[name] = _value(value)
        case "uniqueItems" | "nullable", bool():
            made[name] = value
        case "format", str() if _FIELD.fullmatch(value):
            made[name] = value
        case _ if name in _NUMBERS and number:
            if name != "multipleOf" or value > 0:
                made[name] = value
        case _ if name in _COUNTS and number and value >= 0:
            made[name] = value
        case _:
            return


def _value(value: Any) -> Any:
    if isinstance(value, str) and (
        len(value) > _LONGEST_VALUE or told(value, 2 * _LONGEST_VALUE) != " ".join(value.split())
    ):
        raise Broken(f"its schema has a value that cannot be shown: {told(value, 40)!r}")
    if not isinstance(value, str | int | float | bool | None):
        raise Broken("its schema has a value that is neither text, number nor truth")
    return value
