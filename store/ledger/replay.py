"""Folding log payloads into the state they lead to; pure, and the only definition of that state.

Nothing here reads the derived tables: that is what makes comparing with them worth something.
"""

import json
from collections.abc import Iterable
from typing import Any

from .records import MEMORY_FIELDS, Record

Change = tuple[str, str, str | None]
"""Entity, kind, payload; in order of sequence for each entity."""

_EMPTY: dict[str, Any] = dict.fromkeys(MEMORY_FIELDS)
_LISTS = ("source_messages", "contradicts", "related_to", "origins")


def blank_memory() -> Record:
    """A memory of which nothing has been said yet."""
    return {**_EMPTY, "content": "", **{name: [] for name in _LISTS}, "metadata": {}}


def fold(rows: Iterable[Change]) -> dict[str, Record]:
    """Each memory's whole state after these changes, in order of their creation.

    A purged memory is gone; a row whose payload was erased by a purge says nothing.
    """
    state: dict[str, Record] = {}
    for entity, kind, payload in rows:
        if kind == "memory.purged":
            state.pop(entity, None)
        elif payload is not None:
            new = json.loads(payload)["new"]
            record = state.get(entity)
            if record is None:
                if "id" not in new:
                    continue  # how it began was erased; a later row says it anew
                record = state[entity] = blank_memory()
            record.update(new)
    return state
