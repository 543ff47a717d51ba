"""Tools as a server lists them, made fit to be kept and shown."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from skill_agent.text.printing import exact, printable
from skill_agent.text.shaping import one_line

from .calls import FoundTool
from .limits import Limits

if TYPE_CHECKING:
    from mcp_types import Tool

_TITLE_CHARS = 100
_SHOWN_CHARS = 60
_WORDS = ("description", "title", "$comment")
_DEEPEST = 20


def found_tools(server: str, listed: Sequence["Tool"], limits: Limits) -> list[FoundTool]:
    """By name; one whose name another has already says so."""
    names = set[str]()
    made = list[FoundTool]()
    for tool in listed[: limits.tools]:
        made.append(found_tool(server, tool, limits, twice=tool.name in names))
        names.add(tool.name)
    return sorted(made, key=lambda tool: tool.name)


def found_tool(server: str, tool: "Tool", limits: Limits, *, twice: bool = False) -> FoundTool:
    said = tool.model_dump(by_alias=True, mode="json", exclude_none=True)
    parts = ("name", "title", "description", "inputSchema", "outputSchema", "annotations")
    canonical = json.dumps({part: said.get(part) for part in parts}, sort_keys=True).encode()
    problem = _wrong_name(tool.name, limits) or ("its name is there twice" if twice else "")
    parameters, wrong = _schema(tool.input_schema, limits)
    output, _ = _schema(tool.output_schema, limits) if tool.output_schema else (None, "")
    notes = tool.annotations
    title = tool.title or (notes.title if notes else "") or ""
    return FoundTool(
        server=server,
        name=tool.name if not problem else _shown(tool.name),
        title=one_line(printable(title[: 10 * _TITLE_CHARS]), _TITLE_CHARS),
        description=_cut(tool.description or "", limits.description_chars),
        parameters=parameters,
        output_schema=output or None,
        hints=_hints(notes),
        digest=hashlib.sha256(canonical).hexdigest(),
        problem=problem or wrong,
    )


def _hints(notes: Any) -> tuple[str, ...]:
    told = {
        "read-only": notes and notes.read_only_hint,
        "destructive": notes and notes.destructive_hint,
        "idempotent": notes and notes.idempotent_hint,
        "open world": notes and notes.open_world_hint,
    }
    return tuple(name for name, said in told.items() if said)


def _wrong_name(name: str, limits: Limits) -> str:
    if not name.strip():
        return "it has no name"
    if len(name) > limits.name_chars:
        return f"its name has {len(name):,} characters; {limits.name_chars} is the most"
    if exact(name) != name or name != one_line(name):
        return "its name has characters that cannot be seen"
    return ""


def _shown(name: str) -> str:
    """A name for the eye: nothing that drives a terminal, and no more than a line."""
    return one_line(exact(name[: 2 * _SHOWN_CHARS]), _SHOWN_CHARS)


def _cut(text: str, most: int) -> str:
    shown = printable(text[:most]).strip()
    return shown + (f" … [cut: {len(text):,} characters]" if len(text) > most else "")


def _schema(schema: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], str]:
    """The schema with its words cleaned, and what is wrong with it: then there is none."""
    size = len(json.dumps(schema))
    if size > limits.schema_bytes:
        return {"type": "object"}, f"its schema takes {size:,} bytes; {limits.schema_bytes:,} go"
    try:
        return _cleaned(schema, limits.description_chars, 0), ""
    except ValueError as problem:
        return {"type": "object"}, f"its schema {problem}"


def _cleaned(value: Any, most: int, depth: int, key: str = "") -> Any:
    """Raises ValueError for what cannot be shown as it is, or leads elsewhere."""
    if depth > _DEEPEST:
        raise ValueError("is nested too deep")
    match value:
        case str() if key in _WORDS:
            return _cut(value, most)
        case str():
            if printable(value) != value:
                raise ValueError("has characters that cannot be seen")
            if key in ("$ref", "$dynamicRef") and not value.startswith("#"):
                raise ValueError("leads to another document")
            return value
        case dict():
            pairs: Iterable[tuple[Any, Any]] = value.items()
            return {
                _cleaned(name, most, depth + 1): _cleaned(inner, most, depth + 1, name)
                for name, inner in pairs
            }
        case list():
            items: list[Any] = value
            return [_cleaned(inner, most, depth + 1) for inner in items]
        case _:
            return value
