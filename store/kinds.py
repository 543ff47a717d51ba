"""What a log row tells of itself by its kind, and which entities its data names."""

from typing import Any

OWN_KINDS = ("memory.", "message.", "session.")
"""How kinds of rows begin that stand for changes of tables; the rest are notes."""


def tells_of_change(kind: str) -> bool:
    """Whether such a row stands for a change of a table, or for an erasure."""
    return kind.startswith(OWN_KINDS) or kind.endswith(".purged")


def named_entities(data: Any) -> list[str]:
    """What a note's data names under `memories` and `session`, each once."""
    if not isinstance(data, dict):
        return []
    memories = data.get("memories")
    named = [*memories] if isinstance(memories, list | tuple) else []
    named.append(data.get("session"))
    return list(dict.fromkeys(name for name in named if isinstance(name, str)))
