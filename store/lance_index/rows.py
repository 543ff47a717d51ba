"""The Arrow shape of an index table, and the way between its rows and IndexItems."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

import numpy as np

from skill_agent.memory.recall.late import VERSION as PIECES
from skill_agent.memory.recall.wording import WORDING, item_stems
from skill_agent.values import IndexItem

if TYPE_CHECKING:
    import pyarrow as pa

LAYOUT = f"2.{WORDING}.{PIECES}"
"""Changes with the columns, with what the stems are or how pieces are packed; another one means:
build anew."""

TEXTS = ("kind", "speaker", "session", "agent", "user", "memory_type", "subject", "status", "tier")
"""Columns of few distinct strings."""
STEMS, VECTOR, PACKED = "stems", "vector", "pieces"
_LATER = frozenset({PACKED})
"""Columns that older rows lack, which answer without them until they are built anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What the rows of a table are: how they are laid out and in which vector space they lie."""

    layout: str
    embedder: str
    dimensions: int


def kind_of(stored: "pa.Schema") -> Kind | None:
    """What a stored table says of itself; None where its rows cannot be read as ours."""
    told = {key.decode(): value.decode() for key, value in (stored.metadata or {}).items()}
    if VECTOR not in stored.names or not {"layout", "embedder"} <= told.keys():
        return None
    width = getattr(stored.field(VECTOR).type, "list_size", 0)
    fields = schema(max(1, width), told["embedder"])
    needed = [f for f in fields if f.name in stored.names or f.name not in _LATER]
    if any(f.name not in stored.names or stored.field(f.name).type != f.type for f in needed):
        return None
    return Kind(layout=told["layout"], embedder=told["embedder"], dimensions=width)


def schema(dimensions: int, embedder: str) -> "pa.Schema":
    """The table's schema; its metadata says which layout and which vector space it holds."""
    import pyarrow as pa

    moment = pa.timestamp("us", tz="UTC")
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("seq", pa.int64(), nullable=False),
            pa.field("text", pa.string(), nullable=False),
            pa.field(STEMS, pa.string(), nullable=False),
            pa.field("created_at", moment, nullable=False),
            pa.field("expires_at", moment),
            *(pa.field(name, pa.string()) for name in TEXTS),
            pa.field("position", pa.int64(), nullable=False),
            pa.field("importance", pa.int32(), nullable=False),
            pa.field("pinned", pa.bool_(), nullable=False),
            pa.field("related_to", pa.list_(pa.string())),
            pa.field(VECTOR, pa.list_(pa.float32(), dimensions), nullable=False),
            pa.field(PACKED, pa.binary(), nullable=False),
        ],
        metadata={"layout": LAYOUT, "embedder": embedder},
    )


def to_table(
    items: Sequence[IndexItem],
    vectors: np.ndarray,
    stems: Sequence[str],
    pieces: Sequence[bytes],
    shape: "pa.Schema",
) -> "pa.Table":
    """Rows for these items; `vectors` is float32 (len(items), dimensions)."""
    import pyarrow as pa

    columns: dict[str, Any] = {
        name: [getattr(item, name) for item in items]
        for name in shape.names
        if name not in (STEMS, VECTOR, PACKED)
    }
    columns["related_to"] = [list(item.related_to) for item in items]
    columns[STEMS] = list(stems)
    columns[PACKED] = list(pieces)
    columns[VECTOR] = pa.FixedSizeListArray.from_arrays(
        pa.array(np.ascontiguousarray(vectors).ravel(), pa.float32()), vectors.shape[1]
    )
    return pa.table(columns, schema=shape)


def vectors_of(rows: "pa.Table", dimensions: int) -> np.ndarray:
    """float32 (len(rows), dimensions), not copied where the rows lie in one piece."""
    flat = rows[VECTOR].combine_chunks().flatten()
    return np.asarray(flat, np.float32).reshape(-1, dimensions)


def stem_line(item: IndexItem) -> str:
    """An item's stems as the column holds them."""
    return " ".join(item_stems(item))


def item_at(columns: Mapping[str, "pa.Array"], row: int) -> IndexItem:
    """One row as a value again."""
    held = {name: column[row].as_py() for name, column in columns.items()}
    held["created_at"] = held["created_at"].astimezone(UTC)
    if held["expires_at"] is not None:
        held["expires_at"] = held["expires_at"].astimezone(UTC)
    held["related_to"] = tuple(held["related_to"] or ())
    return IndexItem(**held)
