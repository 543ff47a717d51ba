"""Turns what TOML and pydantic say about a file into sentences with file, line and key.

Pure: text in, values or `ConfigError`s out. What the keys mean is `dna`'s business.
"""

import json
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from skill_agent.errors import ConfigError
from skill_agent.text.nearest import did_you_mean

from .toml_places import KeyPath, Places, line_of

DEEPEST = 32
"""Levels of tables and lists inside one another."""
LONGEST_SHOWN = 80
"""Characters of a key in a message."""
MOST_MISTAKES = 100
"""That are told of one file; nobody reads on."""
_PART = r"(?:[\w-]+|\"[^\"\n]*\"|'[^'\n]*')"
_LONG_KEY = re.compile(
    rf"(?:^[ \t]*|[\[{{,][ \t]*){_PART}(?:[ \t]*\.[ \t]*{_PART}){{{DEEPEST}}}", re.MULTILINE
)
"""A dotted key that long takes TOML's reader minutes."""

Part = TypeVar("Part", bound=BaseModel)
Schema = Mapping[str, Any]


def read_toml(text: str, file: str) -> tuple[dict[str, Any], Mapping[KeyPath, int]]:
    """The document and the lines of its keys; raises ConfigError for what is not TOML, or holds
    what no setting can be."""
    text = text.removeprefix("\ufeff")
    if found := _LONG_KEY.search(text):
        line = text.count("\n", 0, found.end()) + 1
        raise ConfigError(f"a key of more than {DEEPEST} parts", file=file, line=line)
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise _syntax_error(text, file, "nested too deep") from None
    except ValueError as error:  # also what Python says of numbers of thousands of digits
        raise _syntax_error(text, file, str(error)) from None
    places = Places(text)
    if wrong := next(_impossible(data), None):
        path, said = wrong
        raise ConfigError(said, file=file, line=line_of(places, path), key=dotted(path))
    return data, places


def _impossible(data: dict[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Where values stand that TOML knows and no setting can be; walks without recursion."""
    left: list[tuple[KeyPath, Any]] = [((), data)]
    while left:
        path, table = left.pop()
        if len(path) > DEEPEST:
            yield path[:4], f"nested more than {DEEPEST} deep"
            return
        inside = table.items() if isinstance(table, dict) else enumerate(table)
        for key, value in inside:
            if isinstance(value, dict | list):
                left.append(((*path, key), value))
            elif isinstance(value, float) and not math.isfinite(value):
                yield (*path, key), "inf and nan are no numbers here"
            elif isinstance(value, int) and value.bit_length() > 63:
                yield (*path, key), "a whole number of more than 64 bits"
            elif "\0" in (value if isinstance(value, str) else "") + str(key):
                yield (*path, key), "a text with a NUL character in it"


def check(
    model: type[Part],
    data: Mapping[str, Any],
    *,
    file: str,
    places: Mapping[KeyPath, int],
    prefix: KeyPath = (),
) -> tuple[Part | None, list[ConfigError]]:
    """The data as the model, or every mistake in it; `prefix` is where the data stands."""
    try:
        # JSON mode, because it alone is strict about types and still takes a list for a tuple.
        text = json.dumps(data, default=str)
        return model.model_validate_json(text, strict=True), []
    except ValidationError as error:
        schema = _schema_of(model)
        mistakes = error.errors(include_url=False, include_context=False)[:MOST_MISTAKES]
    return None, [
        ConfigError(
            explain(schema, detail["loc"], detail["type"], detail.get("input"), detail["msg"]),
            file=file,
            line=line_of(places, (*prefix, *detail["loc"])),
            key=dotted((*prefix, *detail["loc"])),
        )
        for detail in mistakes
    ]


@cache
def _schema_of(model: type[BaseModel]) -> Schema:
    return model.model_json_schema()


def dotted(path: KeyPath) -> str:
    """`("agents", "kyra", "voice_examples", 0)` as `agents.kyra.voice_examples[0]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            part = part if len(part) <= LONGEST_SHOWN else part[:LONGEST_SHOWN] + "…"
            quoted = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part)
            text += f".{quoted}" if text else quoted
    return text


def explain(schema: Schema, path: KeyPath, kind: str, given: Any, said: str) -> str:
    """One mistake in words: what was expected, what was found, what was probably meant."""
    if kind == "extra_forbidden":
        return _unknown_at(schema, path)
    if kind == "value_error":  # a rule of our own, which says it itself
        return said.removeprefix("Value error, ")
    node = schema_at(schema, path)
    wanted = expected(schema, node)
    if kind == "missing":
        return f"this key is required: {wanted}"
    if not wanted:
        return f"{said}, got {shown(given)}"
    meant = ""
    if isinstance(given, str) and (choices := _choices(schema, node)):
        meant = did_you_mean(given, choices)
    sentence = f"expected {wanted}, got {shown(given)}"
    return f"{sentence}; {meant}" if meant else sentence


def expected(schema: Schema, node: Schema) -> str:
    """What a value must be, in words; empty where the schema does not say."""
    node = _resolved(schema, node)
    if choices := _choices(schema, node):
        return "one of " + ", ".join(f'"{choice}"' for choice in choices)
    match node.get("type"):
        case "integer":
            return "a whole number" + _range(node)
        case "number":
            return "a number" + _range(node)
        case "boolean":
            return "true or false"
        case "string":
            return _expected_text(node)
        case "array":
            inner = expected(schema, node.get("items", {}))
            some = "a list that is not empty" if node.get("minItems") else "a list"
            return f"{some}, each {inner}" if inner else some
        case "object":
            return "a table"
        case _:
            return ""


def known_keys(schema: Schema, path: KeyPath = ()) -> tuple[str, ...]:
    """The keys the table at the path may have; empty where any key goes."""
    return tuple(schema_at(schema, path).get("properties", ()))


def schema_at(schema: Schema, path: KeyPath) -> Schema:
    """The part of a JSON schema that a key path leads to; empty where it leads nowhere."""
    node: Schema = _resolved(schema, schema)
    for part in path:
        if isinstance(part, int):
            node = node.get("items", {})
        else:
            rest = node.get("additionalProperties", {})
            node = node.get("properties", {}).get(part, rest if isinstance(rest, dict) else {})
        node = _resolved(schema, node)
    return node


def leaves(schema: Schema, path: KeyPath = ()) -> list[tuple[KeyPath, Schema]]:
    """Every settable key of a schema with its node, in the order the model declares them."""
    found: list[tuple[KeyPath, Schema]] = []
    for name in known_keys(schema, path):
        inner = (*path, name)
        if known_keys(schema, inner):
            found += leaves(schema, inner)
        else:
            found.append((inner, schema_at(schema, inner)))
    return found


def shown(value: Any) -> str:
    """A value as a message quotes it, short."""
    match value:
        case list() | tuple():
            return "a list"
        case dict():
            return "a table"
        case _:
            text = json.dumps(value, ensure_ascii=False, default=str)
            return text if len(text) <= 60 else text[:57] + '…"'


def unknown_key(name: str, known: Iterable[str], elsewhere: str = "") -> str:
    """An unknown key in words, with the nearest known one and all there are."""
    known = tuple(known)
    meant = did_you_mean(name, known) or (f'there is "{elsewhere}"' if elsewhere else "")
    text = f"unknown key; {meant}" if meant else "unknown key"
    return f"{text}{'' if text.endswith('?') else '.'} Known here: {', '.join(known)}"


def _unknown_at(schema: Schema, path: KeyPath) -> str:
    name = str(path[-1])
    elsewhere = [dotted(leaf) for leaf, _ in leaves(schema) if leaf[-1] == name]
    return unknown_key(name, known_keys(schema, path[:-1]), "".join(elsewhere[:1]))


def _choices(schema: Schema, node: Schema) -> tuple[str, ...]:
    node = _resolved(schema, node)
    if "const" in node:
        return (str(node["const"]),)
    return tuple(str(choice) for choice in node.get("enum", ()))


def _expected_text(node: Schema) -> str:
    if node.get("format") == "date-time":
        return "a date and time such as 2026-01-31T09:00:00Z"
    text = "text in quotes"
    if pattern := node.get("pattern"):
        return f"{text} matching {pattern}"
    low, high = node.get("minLength"), node.get("maxLength")
    if low and high:
        return f"{text} of {low} to {high} characters"
    return text


def _range(node: Schema) -> str:
    low, high, above = node.get("minimum"), node.get("maximum"), node.get("exclusiveMinimum")
    if above is not None:
        return f" above {above:g}"
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    return f" of at least {low:g}" if low is not None else ""


def _resolved(schema: Schema, node: Schema) -> Schema:
    """Follows `$ref`, and takes the part of `X or null` that is not null."""
    while True:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        elif "anyOf" in node:
            node = next(part for part in node["anyOf"] if part.get("type") != "null")
        else:
            return node


def _syntax_error(text: str, file: str, said: str) -> ConfigError:
    found = re.search(r"\(at line (\d+), column \d+\)$", said)
    lines = text.split("\n")
    line = int(found.group(1)) if found else len(lines)
    said = re.sub(r"\s*\(at .*\)$", "", said)
    quoted = lines[line - 1].strip()[:80] if line <= len(lines) else ""
    message = f"not valid TOML: {said}" + (f" in: {quoted}" if quoted else "")
    hint = 'text values need quotes: key = "value"' if "Invalid value" in said else ""
    return ConfigError(message, file=file, line=line, hint=hint)
