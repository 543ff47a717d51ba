"""A whole answer in Anthropic's protocol as the events it would have been streamed in."""

import json
from collections.abc import Iterator
from typing import Any


def is_message(value: object) -> bool:
    """Whether it is one, where a stream was asked for."""
    return (
        isinstance(value, dict)
        and value.get("type") == "message"
        and isinstance(value.get("content"), list)
    )


def message_events(message: dict[str, Any]) -> bytes:
    """The events of a message, one behind the other."""
    return b"".join(
        f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in _events(message)
    )


def _events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    usage = message.get("usage")
    usage = usage if isinstance(usage, dict) else {"input_tokens": 0, "output_tokens": 0}
    begun = {**message, "content": [], "stop_reason": None, "usage": usage}
    yield {"type": "message_start", "message": begun}
    blocks = [one for one in message["content"] if isinstance(one, dict)]
    for number, block in enumerate(blocks):
        at = {"index": number}
        start, delta = _parts(block)
        yield {"type": "content_block_start", **at, "content_block": start}
        yield {"type": "content_block_delta", **at, "delta": delta}
        yield {"type": "content_block_stop", **at}
    end = {"stop_reason": message.get("stop_reason") or "end_turn", "stop_sequence": None}
    yield {"type": "message_delta", "delta": end, "usage": usage}
    yield {"type": "message_stop"}


def _parts(block: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """How a block begins, and the one piece that is all of it."""
    kind = block.get("type")
    if kind == "tool_use":
        start = {"type": kind, "id": block.get("id"), "name": block.get("name"), "input": {}}
        return start, {"type": "input_json_delta", "partial_json": json.dumps(block.get("input"))}
    name = "thinking" if kind == "thinking" else "text"
    said = block.get(name)
    told = said if isinstance(said, str) else ""
    return {"type": name, name: ""}, {"type": f"{name}_delta", name: told}
