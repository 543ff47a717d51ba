"""Edits of config.toml as text in, text out; comments and layout stay as the person left them.

A key that stands commented out in a home's first config.toml is written there, below what explains
it, and taken back in the same place. What comes out is read again: nothing else may have changed.
"""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from skill_agent.errors import UsageError

from .mistakes import dotted
from .parsing import value_at
from .template import toml_value
from .toml_places import KeyPath, find_places

LAID_OUT = "config.toml is laid out in a way that cannot be edited by command"


def with_value(text: str, path: KeyPath, value: Any) -> str:
    """The text with one setting written; raises UsageError where that cannot be done alone."""
    plain = [*value] if isinstance(value, tuple) else value
    if value_at(tomllib.loads(text), path) == plain:
        return text
    written = f"{path[-1]} = {toml_value(plain)}"
    for way in (_by_line, _by_comment, _by_document):
        new = way(text, path, written, plain)
        if new and _only(text, new, path, plain):
            return new
    raise UsageError(LAID_OUT, hint=f"write {written} under [{dotted(path[:-1])}] yourself")


def without(text: str, path: KeyPath, default: Any) -> str:
    """The text with one setting taken back, its default said in a comment in its place."""
    if value_at(tomllib.loads(text), path) is None:
        return text
    said = f"# {path[-1]} = {toml_value(default)}"
    for new in (_line_replaced(text, path, said), _document_without(text, path)):
        if new is not None and _only(text, new, path, None):
            return new
    raise UsageError(LAID_OUT, hint=f"take out {dotted(path)} yourself")


def _only(before: str, after: str, path: KeyPath, value: Any) -> bool:
    """Whether the new text says this, and of all else what the old one said."""
    try:
        old, new = tomllib.loads(before), tomllib.loads(after)
    except ValueError:
        return False
    if value_at(new, path) != value:
        return False
    return _pruned(old, path) == _pruned(new, path)


def _pruned(table: Mapping[str, Any], path: KeyPath) -> dict[str, Any]:
    """The table without what stands at the path, and without tables that are empty then."""
    left = dict(table)
    inner = left.pop(str(path[0]), None)
    if len(path) > 1 and isinstance(inner, dict) and (rest := _pruned(inner, path[1:])):
        left[str(path[0])] = rest
    return left


# -- one line ------------------------------------------------------------------------------------


def _by_line(text: str, path: KeyPath, written: str, value: Any) -> str | None:
    return _line_replaced(text, path, written)


def _line_replaced(text: str, path: KeyPath, written: str) -> str | None:
    """Puts another line where the key has one of its own; what is noted behind it stays."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    lines = text.split("\n")
    line = find_places(text).get(path)
    if line is None:
        return None
    try:
        document: Any = tomlkit.parse(lines[line - 1])
        if [*document] != [path[-1]]:
            return None
        trivia = document.item(str(path[-1])).trivia
    except (TOMLKitError, KeyError):
        return None
    noted = f"{trivia.comment_ws or '  '}{trivia.comment}" if trivia.comment else ""
    lines[line - 1] = written + noted
    return "\n".join(lines)


def _by_comment(text: str, path: KeyPath, written: str, value: Any) -> str | None:
    """In place of the line that shows its default, under the header of its table."""
    places, lines = find_places(text), text.split("\n")
    header = places.get(path[:-1])
    if header is None or not lines[header - 1].lstrip().startswith("["):
        return None
    shown = re.compile(rf"#\s?{re.escape(str(path[-1]))}\s*=")
    for number in range(header, len(lines)):
        if lines[number].lstrip().startswith("["):
            return None
        if shown.match(lines[number]):
            lines[number] = written
            return "\n".join(lines)
    return None


# -- the document --------------------------------------------------------------------------------


def _by_document(text: str, path: KeyPath, written: str, value: Any) -> str | None:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document: Any = tomlkit.parse(text)
        table = document
        for part in path[:-1]:
            if part not in table:
                table[part] = tomlkit.table()
            table = table[part]
        _put(table, str(path[-1]), value)
        return tomlkit.dumps(document)
    except (TOMLKitError, TypeError, KeyError, ValueError):
        return None


def _put(table: Any, key: str, value: Any) -> None:
    """A table that stands there is changed name by name, for what is noted in it."""
    there = table.get(key)
    if not isinstance(value, dict) or not isinstance(there, dict):
        table[key] = tomllib.loads(f"value = {toml_value(value)}")["value"]
        return
    for name in there.keys() - value.keys():
        del there[name]
    for name, inner in value.items():
        if there.get(name) != inner:
            there[name] = inner


def _document_without(text: str, path: KeyPath) -> str | None:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document: Any = tomlkit.parse(text)
        table = document
        for part in path[:-1]:
            table = table[part]
        del table[str(path[-1])]
        return tomlkit.dumps(document)
    except (TOMLKitError, TypeError, KeyError):
        return None
