"""The answer of a tool as text: bounded, without control characters, with nothing but words."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from skill_agent.text.printing import printable
from skill_agent.text.shaping import one_line

from .calls import Result

if TYPE_CHECKING:
    from mcp_types import CallToolResult, ContentBlock

_NAME_CHARS = 200


def result_of(answer: "CallToolResult", most: int) -> Result:
    """What is no text is told by its kind and size."""
    parts, room, lost = list[str](), most, 0
    for text in _texts(answer):
        parts.append(printable(text[:room]))
        lost += max(0, len(text) - room)
        room = max(0, room - len(text))
    whole = "\n".join(part for part in parts if part)
    if lost:
        whole += f"\n[cut: {lost:,} characters more]"
    return Result(text=whole, ok=not answer.is_error, cut=bool(lost))


def _texts(answer: "CallToolResult") -> Iterator[str]:
    if not answer.content and answer.structured_content is not None:
        yield json.dumps(answer.structured_content, ensure_ascii=False)
    for block in answer.content:
        yield _text(block)


def _text(block: "ContentBlock") -> str:
    match block.type:
        case "text":
            return block.text
        case "image" | "audio":
            return f"[{block.type}: {_line(block.mime_type)}, {_size(block.data)}, not kept]"
        case "resource_link":
            return f"[resource: {_line(block.name)}, {_line(block.uri)}]"
        case "resource":
            held, uri = block.resource, _line(block.resource.uri)
            if (blob := getattr(held, "blob", None)) is not None:
                return f"[resource {uri}: {_line(held.mime_type or '')}, {_size(blob)}, not kept]"
            return f"[resource {uri}]\n{getattr(held, 'text', '')}\n[end of resource]"


def _line(text: object) -> str:
    return one_line(printable(str(text)[: 2 * _NAME_CHARS]), _NAME_CHARS)


def _size(data: str) -> str:
    """Of what is packed in base64."""
    return f"{len(data) * 3 // 4:,} bytes"
