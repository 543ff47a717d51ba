"""What other programs export, made here in their forms: small, and none of it anybody's."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GARDEN = ("I live in Porto, near the old bridge.", "How nice.", "I am allergic to tomatoes.")


def chatgpt(name: str = "c1", said: tuple[str, ...] = GARDEN, **more: Any) -> dict[str, Any]:
    """A conversation, the person's words and replies in turn, with a branch that was given up."""
    nodes: dict[str, Any] = {"root": {"id": "root", "message": None, "parent": None}}
    before = "root"
    for number, text in enumerate(said):
        key = f"n{number}"
        role = "assistant" if number % 2 else "user"
        nodes[key] = {"id": key, "parent": before,
                      "message": node(key, role, text, at=1_700_000_000.5 + number)}  # fmt: skip
        before = key
    other = node("other", "assistant", "given up", at=1_800_000_000)
    nodes["other"] = {"id": "other", "parent": "n0", "message": other}
    return {
        "title": "Garden",
        "create_time": 1_700_000_000.5,
        "conversation_id": name,
        "current_node": before,
        "mapping": nodes,
        **more,
    }


def node(key: str, role: str, text: str, *, at: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "id": key,
        "author": {"role": role},
        "create_time": at,
        "content": {"content_type": "text", "parts": [text]},
        "recipient": "all",
        **more,
    }


def claude(name: str = "t1", said: tuple[str, ...] = GARDEN) -> dict[str, Any]:
    return {
        "uuid": name,
        "name": "Garden",
        "created_at": "2024-05-01T10:00:00.000000+02:00",
        "chat_messages": [
            {
                "uuid": f"{name}-{number}",
                "sender": "assistant" if number % 2 else "human",
                "text": text,
                "content": [{"type": "text", "text": text}],
                "created_at": f"2024-05-01T10:0{number}:00.000000+02:00",
                "attachments": [],
            }
            for number, text in enumerate(said)
        ],
    }


def claude_code(*events: dict[str, Any], session: str = "s1") -> str:
    """Lines of a session; each event is what differs from a plain line of the person's."""
    lines = []
    for number, event in enumerate(events):
        line = {
            "type": "user",
            "uuid": f"{session}-{number}",
            "sessionId": session,
            "isSidechain": False,
            "timestamp": f"2025-03-01T08:0{number}:00.000Z",
            **event,
        }
        lines.append(json.dumps(line))
    return "\n".join(lines) + "\n"


def said(text: str, role: str = "user", **more: Any) -> dict[str, Any]:
    return {"type": role, "message": {"role": role, "content": text}, **more}


def written(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def zipped(path: Path, files: Mapping[str, Any]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in files.items():
            archive.writestr(name, value if isinstance(value, str | bytes) else json.dumps(value))
    return path
