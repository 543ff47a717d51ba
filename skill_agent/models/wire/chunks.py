"""One chunk of a chat completion, as servers that call themselves compatible send it, made plain.

litellm and the client library below it take a chunk by the letter and stumble over null, over
numbers as text and over what is missing. What nobody here reads is left out.
"""

import json
import math
from typing import Any

_MOST = 10**9
"""Tokens no call ever used: a figure beyond it is none."""
_NO_END = frozenset({
    "abort", "aborted", "cancelled", "canceled", "error", "insufficient_system_resource",
    "network_error",
})  # fmt: skip
"""Reasons that tell of no end but of a break."""
_FILTERED = frozenset({
    "blocklist", "content_filter", "content_filtered", "content-filter", "filtered",
    "prohibited_content", "recitation", "refusal", "safety", "sensitive", "spii",
})  # fmt: skip
_STATUSES = ("code", "status", "status_code")
_LENGTH = frozenset({"length", "max_length", "max_tokens", "max_output_tokens", "model_length"})
_CALLS = frozenset({"function_call", "tool_call", "tool_calls", "tool_use"})


def plain_chunk(data: dict[str, Any]) -> dict[str, Any]:
    """The chunk litellm is given; `data` may also be a whole answer instead of a piece."""
    choice = _choice(data.get("choices"))
    choices = []
    if choice is not None:
        ended = finish(choice.get("finish_reason"))
        choices = [{"index": 0, "delta": _delta(choice), "finish_reason": ended or None}]
    plain = frame(choices)
    if usage := _figures(data.get("usage")):
        plain["usage"] = usage
    return plain


def frame(choices: list[dict[str, Any]]) -> dict[str, Any]:
    """A chunk with these choices."""
    return {
        "id": "answer",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "model",
        "choices": choices,
    }


def ending(reason: str) -> dict[str, Any]:
    """The chunk that says why an answer ended."""
    return frame([{"index": 0, "delta": {}, "finish_reason": reason}])


def finish(reason: object) -> str:
    """Why an answer ended, in the four words of the protocol; empty where it did not end, or
    broke. A reason nobody knows is an end like any other."""
    if not isinstance(reason, str) or not (told := reason.strip().lower()) or told in _NO_END:
        return ""
    if told in _FILTERED:
        return "content_filter"
    if told in _LENGTH:
        return "length"
    return "tool_calls" if told in _CALLS else "stop"


def error_in(data: dict[str, Any], *, named: bool = False) -> tuple[str, int] | None:
    """What an error says and its status, 0 where it tells none; None where it is no error.

    `named` says that the event itself is called an error.
    """
    told = data.get("error")
    is_error = bool(told) or named or data.get("object") == "error" or data.get("type") == "error"
    if not is_error and ("choices" in data or not _complains(data)):
        return None
    inner = told if isinstance(told, dict) else data
    said = told if isinstance(told, str) else _said(inner)
    status = next(filter(None, (_status(one.get(name)) for one in (inner, data)
                                for name in _STATUSES)), 0)  # fmt: skip
    return said or "it gave no reason", status


def _complains(data: dict[str, Any]) -> bool:
    """Whether it is an answer without anything a model said, but with a message."""
    return any(isinstance(data.get(name), str) for name in ("detail", "message"))


def _said(error: dict[str, Any]) -> str:
    for name in ("message", "detail", "msg", "error", "type", "code"):
        if isinstance(said := error.get(name), str) and said.strip():
            return said
    return ""


def _status(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value[:4])
    return value if isinstance(value, int) and 400 <= value < 600 else 0


def _choice(choices: object) -> dict[str, Any] | None:
    """The first of them; others were not asked for."""
    if isinstance(choices, dict):
        choices = [choices]
    found = [one for one in choices if isinstance(one, dict)] if isinstance(choices, list) else []
    return next((one for one in found if one.get("index") in (0, "0")), found[0] if found else None)


def _delta(choice: dict[str, Any]) -> dict[str, Any]:
    said = next((one for name in ("delta", "message")
                 if isinstance(one := choice.get(name), dict) and one), {})  # fmt: skip
    thought, text = _thought_and_text(said.get("content"))
    thought = _first(said, "reasoning_content", "reasoning", "thinking") or thought
    thought = thought or _details(said.get("reasoning_details"))
    text = text or _first(said, "refusal") or _first(choice, "text")
    delta: dict[str, Any] = {"role": "assistant"}
    if text:
        delta["content"] = text
    if thought:
        delta["reasoning_content"] = thought
    if calls := _calls(said):
        delta["tool_calls"] = calls
    return delta


def _first(said: dict[str, Any], *names: str) -> str:
    return next((one for name in names if isinstance(one := said.get(name), str) and one), "")


def _thought_and_text(content: object) -> tuple[str, str]:
    """Of content that is a text, or a list of parts of which some are thoughts."""
    if isinstance(content, str):
        return "", content
    thought = text = ""
    for part in content if isinstance(content, list) else ():
        if isinstance(part, str):
            text += part
        elif isinstance(part, dict) and "thinking" in part:
            inner = part["thinking"]
            thought += inner if isinstance(inner, str) else _thought_and_text(inner)[1]
        elif isinstance(part, dict):
            text += _first(part, "text", "content", "refusal")
    return thought, text


def _details(details: object) -> str:
    found = details if isinstance(details, list) else ()
    return "".join(_first(one, "text", "summary") for one in found if isinstance(one, dict))


def _calls(said: dict[str, Any]) -> list[dict[str, Any]]:
    found = said.get("tool_calls")
    found = [found] if isinstance(found, dict) else found if isinstance(found, list) else []
    old = said.get("function_call")
    if not found and isinstance(old, dict):
        found = [{"index": 0, "function": old}]
    return [_call(one) for one in found if isinstance(one, dict)]


def _call(call: dict[str, Any]) -> dict[str, Any]:
    """A piece of a call; -1 stands for an index that is none."""
    inner = call.get("function")
    function = inner if isinstance(inner, dict) else call
    arguments = function.get("arguments")
    if arguments is None:
        arguments = ""
    elif not isinstance(arguments, str):
        arguments = json.dumps(arguments)
    index, id, name = call.get("index"), call.get("id"), function.get("name")
    if isinstance(index, str) and index.isascii() and index.isdecimal():
        index = int(index[:6])
    return {
        "index": index if type(index) is int and index >= 0 else -1,
        "id": str(id) if isinstance(id, str | int) else "",
        "type": "function",
        "function": {"name": name if isinstance(name, str) else "", "arguments": arguments},
    }


def _figures(usage: object) -> dict[str, Any]:
    """The figures of a usage that can be any; details one level down."""
    found: dict[str, Any] = {}
    for name, value in usage.items() if isinstance(usage, dict) else ():
        if isinstance(value, dict):
            found[name] = {key: count(one) for key, one in value.items() if _is_figure(one)}
        elif _is_figure(value):
            found[name] = count(value)
    for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
        if found:
            found.setdefault(name, 0)
    return found


def _is_figure(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def count(value: object) -> int:
    """A number of tokens; 0 for what is none or cannot be."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0
    return int(value) if math.isfinite(value) and 0 <= value <= _MOST else 0
