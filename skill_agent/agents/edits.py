"""Edits of agents.toml as text in, text out; comments and layout stay as the person left them.

Nothing is validated here: `AgentDirectory` reads every result before it replaces the file.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from skill_agent.errors import UsageError
from skill_agent.settings.toml_places import find_places


def with_status(text: str, slug: str, status: str, now: datetime) -> str:
    """The text with one agent's status and `updated_at` changed."""
    line = f'status = "{status}"'
    return _changed(text, slug, {"status": status, "updated_at": now}, line)


def with_model(text: str, slug: str, model: Mapping[str, Any], now: datetime) -> str:
    """The text with fields of one agent's `model` table, and `updated_at`, changed; None takes a
    field away."""
    line = f"model_name = {json.dumps(model.get('model_name', 'default'))}"
    return _changed(text, slug, {"updated_at": now}, line, {"model": model})


def with_servers(text: str, slug: str, mcp: Sequence[str], now: datetime) -> str:
    """The text with what one agent may use of servers, and `updated_at`, changed."""
    line = f"mcp = {json.dumps([*mcp])}"
    return _changed(text, slug, {"mcp": [*mcp], "updated_at": now}, line)


def _changed(
    text: str,
    slug: str,
    changes: Mapping[str, Any],
    line: str,
    inner: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> str:
    """`inner` are changes of the agent's own tables, by their names."""
    paths = {(key,): value for key, value in changes.items()}
    paths |= {(name, key): value for name, part in inner.items() for key, value in part.items()}
    try:
        return _by_line(text, slug, paths) or _by_document(text, slug, paths)
    except (TOMLKitError, TypeError, KeyError) as error:
        raise UsageError(
            f"agents.toml is laid out in a way that cannot be edited by command: {error}",
            hint=f"write {line} under [agents.{slug}] yourself",
        ) from None


def _by_line(text: str, slug: str, changes: Mapping[tuple[str, ...], Any]) -> str:
    """Edits the lines alone where each key has one; a thousand agents take tomlkit seconds."""
    places, lines = find_places(text), text.split("\n")
    gone: list[int] = []
    for path, value in changes.items():
        line = places.get(("agents", slug, *path))
        if line is None and value is None:
            continue
        if line is None:
            return ""
        try:
            document: Any = tomlkit.parse(lines[line - 1])
        except TOMLKitError:
            return ""
        if list(document) != [path[-1]]:
            return ""
        if value is None:
            gone.append(line - 1)
        else:
            document[path[-1]] = value
            lines[line - 1] = tomlkit.dumps(document)
    return "\n".join(line for at, line in enumerate(lines) if at not in gone)


def _by_document(text: str, slug: str, changes: Mapping[tuple[str, ...], Any]) -> str:
    document: Any = tomlkit.parse(text)
    for path, value in changes.items():
        table = document["agents"][slug]
        for name in path[:-1]:
            if name not in table:
                table[name] = tomlkit.table()
            table = table[name]
        if value is not None:
            table[path[-1]] = value
        elif path[-1] in table:
            del table[path[-1]]
    return tomlkit.dumps(document)


def with_agent(text: str, slug: str, table: Mapping[str, Any]) -> str:
    """The text with one agent's tables added at its end; raises UsageError for what TOML has no
    words for, e.g. null."""
    try:
        block = tomlkit.dumps(_document(slug, table))
    except (TOMLKitError, TypeError, ValueError) as error:
        raise UsageError(f"agents.toml cannot say that: {error}") from None
    return f"{text.rstrip()}\n\n{block.strip()}\n" if text.strip() else block


def table_of(text: str, slug: str) -> dict[str, Any]:
    """What the file says of one agent, without its defaults."""
    return dict(tomllib.loads(text)["agents"][slug])


def _document(slug: str, table: Mapping[str, Any]) -> tomlkit.TOMLDocument:
    document = tomlkit.document()
    agents = tomlkit.table(is_super_table=True)
    agents.add(slug, _item(table))
    document.add("agents", agents)
    return document


def _item(value: Any) -> Any:
    """Plain values as tomlkit writes them best: long lists one element a line."""
    match value:
        case Mapping():
            table = tomlkit.table()
            # TOML would read a plain key after a sub-table as the sub-table's.
            for key, inner in sorted(value.items(), key=lambda pair: _is_table(pair[1])):
                table.add(key, _item(inner))
            return table
        case list() | tuple() if value and all(isinstance(item, Mapping) for item in value):
            tables = tomlkit.aot()
            for inner in value:
                tables.append(_item(inner))
            return tables
        case list() | tuple():
            array = tomlkit.array()
            array.extend(value)
            return array.multiline(len(json.dumps(value, default=str)) > 80)
        case _:
            return tomlkit.item(value)


def _is_table(value: Any) -> bool:
    many = isinstance(value, list | tuple) and value and isinstance(value[0], Mapping)
    return isinstance(value, Mapping) or bool(many)
