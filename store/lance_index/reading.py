"""What an index folder still says, for whoever has lost the ledger it was made from.

Nothing is written, and what cannot be read is passed by: the serving table first, else whatever
other table or snapshot lies there.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from skill_agent.values import IndexItem

from .items import SNAPSHOT, ItemTable
from .places import Places
from .rows import item_at, kind_of
from .stored_base import open_base
from .stored_rows import StoredRows

if TYPE_CHECKING:
    import pyarrow as pa


def items_in(directory: Path) -> list[IndexItem]:
    """The items of the first table that can be read; none where there is no such."""
    if not directory.is_dir():
        return []
    for rows in _tables(directory):
        with suppress(ValueError, TypeError, KeyError, AttributeError, OSError):
            if kind_of(rows.schema) is not None and rows.num_rows:
                return list(_items(rows))
    return [one for folder in _folders(directory) for one in _based(folder)]


def _tables(directory: Path) -> "Iterator[pa.Table]":
    folders = _folders(directory)
    for folder in folders:
        with suppress(OSError):
            if (rows := ItemTable(folder).read()) is not None:
                yield rows
    for folder in folders:
        if (rows := _snapshot(folder / SNAPSHOT)) is not None:
            yield rows


def _folders(directory: Path) -> list[Path]:
    """Where tables may lie, the serving one first."""
    others = sorted(directory.glob("space-*"), reverse=True)
    return list(dict.fromkeys([Places(directory).serving, directory, *others]))


def _based(folder: Path) -> list[IndexItem]:
    """The items of a base whose table cannot be read."""
    base = open_base(folder)
    rows = StoredRows(base.parts if base else ())
    return [rows.item(slot) for slot in range(len(rows))]


def _snapshot(file: Path) -> "pa.Table | None":
    """Its rows, however old it is."""
    import pyarrow as pa

    try:
        return pa.ipc.open_file(pa.memory_map(str(file))).read_all()
    except (OSError, pa.ArrowException):
        return None


def _items(rows: "pa.Table") -> Iterator[IndexItem]:
    own = IndexItem.__dataclass_fields__
    names = [name for name in rows.schema.names if name in own]
    columns = {name: rows[name].combine_chunks() for name in names}
    for row in range(rows.num_rows):
        yield item_at(columns, row)
