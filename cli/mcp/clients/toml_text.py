"""Setting and removing one table of a TOML file, leaving all other text as it is.

A new table is put at the end, as text; what is there already is changed by tomlkit, which keeps
comments and form. What comes out is read again before anybody gets it.
"""

import copy
import re
import tomllib
from collections.abc import Sequence
from typing import Any

from .splicing import Unchangeable

Path = Sequence[str]

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class NotToml(ValueError):
    """The text is no TOML, from this place on."""

    def __init__(self, said: str, line: int = 0, column: int = 0) -> None:
        super().__init__(said)
        self.said, self.line, self.column = said, line, column


class NoTable(ValueError):
    """Where a table is needed on the way to a member, something else stands."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{'.'.join(path)} is no table")


def value_of(text: str) -> dict[str, Any]:
    """The document as Python has it. Raises NotToml."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(str(error), text) from None
    except RecursionError:
        raise NotToml("it is nested too deep") from None


def with_member(text: str, path: Path, value: dict[str, Any]) -> str:
    """The text with the table at the path. Raises NotToml, NoTable."""
    before = value_of(text)
    expected = copy.deepcopy(before)
    parent = expected
    for depth, name in enumerate(path[:-1]):
        parent = parent.setdefault(name, {})
        if not isinstance(parent, dict):
            raise NoTable(path[: depth + 1])
    there = path[-1] in parent
    parent[path[-1]] = value
    if not there:
        made = _appended(text, path, value)
        if _says(made, expected):
            return made
    return _checked(_set(text, path, value), expected)


def without_member(text: str, path: Path) -> str:
    """The text without the table at the path; itself where there is none. Raises as above."""
    import tomlkit

    expected: Any = copy.deepcopy(value_of(text))
    document: Any = tomlkit.parse(text)
    parent, kept = expected, document
    for depth, name in enumerate(path[:-1]):
        if name not in parent:
            return text
        parent, kept = parent[name], kept[name]
        if not isinstance(parent, dict):
            raise NoTable(path[: depth + 1])
    if path[-1] not in parent:
        return text
    ours = _block(text, path, parent.pop(path[-1]))
    if text.endswith(ours) and _says(text[: -len(ours)], expected):
        return text[: -len(ours)]
    del kept[path[-1]]
    return _checked(tomlkit.dumps(document), expected)


def _appended(text: str, path: Path, value: dict[str, Any]) -> str:
    ended = text if not text or text.endswith("\n") else text + _newline_of(text)
    block = _block(text, path, value)
    return ended + (block if ended else block.lstrip("\r\n"))


def _block(text: str, path: Path, value: Any) -> str:
    """A table as it is put at the end of a text, behind an empty line."""
    import tomlkit

    header = ".".join(tomlkit.key(name).as_string() for name in path)
    members = value.items() if isinstance(value, dict) else ()
    lines = ["", f"[{header}]"]
    lines += [f"{name} = {tomlkit.item(one).as_string()}" for name, one in members]
    return "".join(line + _newline_of(text) for line in lines)


def _newline_of(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _set(text: str, path: Path, value: dict[str, Any]) -> str:
    import tomlkit

    document: Any = tomlkit.parse(text)
    parent = document
    for name in path[:-1]:
        parent = parent[name]
    there = parent.get(path[-1])
    if isinstance(there, dict):
        for name in [name for name in there if name not in value]:
            del there[name]
        for name, one in value.items():
            if name not in there or there[name] != one:
                there[name] = one
    else:
        parent[path[-1]] = value
    return tomlkit.dumps(document)


def _says(text: str, expected: Any) -> bool:
    try:
        return _filled(value_of(text)) == _filled(expected)
    except NotToml:
        return False


def _checked(text: str, expected: Any) -> str:
    if not _says(text, expected):
        raise Unchangeable
    return text


def _filled(value: Any) -> Any:
    """The value without tables that hold nothing: TOML need not write them."""
    if not isinstance(value, dict):
        return value
    inner = {name: _filled(one) for name, one in value.items()}
    return {name: one for name, one in inner.items() if one != {}}


def _not_toml(said: str, text: str) -> NotToml:
    found = _PLACE.search(said)
    if found is None or found[1] is None:
        lines = text.splitlines() or [""]
        return NotToml(_PLACE.sub("", said), len(lines), len(lines[-1]) + 1)
    return NotToml(_PLACE.sub("", said), int(found[1]), int(found[2]))
