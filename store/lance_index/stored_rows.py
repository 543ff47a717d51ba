"""The rows behind the slots of a resident index: read where they lie, by slot."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skill_agent.values import IndexItem

from .rows import STEMS, VECTOR, item_at

if TYPE_CHECKING:
    import pyarrow as pa

_KEPT_ITEMS = 4096
"""Items kept as values: those read lately."""
_SMALL, _MANY_SMALL = 64, 64
_PART = 8192


class StoredRows:
    """Parts of rows one after another; the first ones may be mapped from a file."""

    def __init__(self, parts: "Sequence[pa.RecordBatch]" = ()) -> None:
        self._parts = list(parts)
        self._starts = [0]
        for part in parts:
            self._starts.append(self._starts[-1] + part.num_rows)
        self._items: OrderedDict[int, IndexItem] = OrderedDict()

    def __len__(self) -> int:
        return self._starts[-1]

    def append(self, rows: "pa.Table", items: Sequence[IndexItem] = ()) -> None:
        """Takes the following slots; `items` are the same as values, where there are such."""
        start = len(self)
        for part in rows.drop_columns([STEMS, VECTOR]).combine_chunks().to_batches():
            self._parts.append(part)
            self._starts.append(self._starts[-1] + part.num_rows)
        for slot, item in enumerate(items, start):
            self._keep(slot, item)
        self._gather()

    def item(self, slot: int) -> IndexItem:
        if (held := self._items.get(slot)) is not None:
            return held
        part, row = self._at(slot)
        item = item_at({name: part[name] for name in _fields(part)}, row)
        self._keep(slot, item)
        return item

    def id(self, slot: int) -> str:
        return self.take("id", [slot])[0]

    def take(self, column: str, slots: "Sequence[int] | np.ndarray") -> list[Any]:
        """A column's values in these slots; what lies in a file is read from there. None where
        older rows lack the column."""
        found: list[Any] = []
        for slot in slots:
            part, row = self._at(int(slot))
            held = column in part.schema.names
            found.append(part[column][row].as_py() if held else None)
        return found

    def forget(self, slot: int) -> None:
        """Drops the value kept of a slot; its row stays until the rows are written anew."""
        self._items.pop(slot, None)

    def batches(self, slots: np.ndarray) -> "Iterator[pa.RecordBatch]":
        """The rows of ascending slots in parts of one length, but for the last."""
        import pyarrow as pa

        for start in range(0, len(slots), _PART):
            wanted = slots[start : start + _PART]
            pieces: list[pa.RecordBatch] = []
            while len(wanted):
                at = bisect_right(self._starts, int(wanted[0])) - 1
                here = wanted[: np.searchsorted(wanted, self._starts[at + 1])]
                pieces.append(self._parts[at].take(pa.array(here - self._starts[at])))
                wanted = wanted[len(here) :]
            yield pa.Table.from_batches(pieces).combine_chunks().to_batches()[0]

    def _at(self, slot: int) -> "tuple[pa.RecordBatch, int]":
        place = bisect_right(self._starts, slot) - 1
        return self._parts[place], slot - self._starts[place]

    def _keep(self, slot: int, item: IndexItem) -> None:
        self._items[slot] = item
        if len(self._items) > _KEPT_ITEMS:
            self._items.popitem(last=False)

    def _gather(self) -> None:
        """Makes one part of many small ones."""
        small = 0
        shape = self._parts[-1].schema
        while small < len(self._parts) and self._parts[-1 - small].num_rows <= _SMALL:
            if self._parts[-1 - small].schema != shape:
                break
            small += 1
        if small <= _MANY_SMALL:
            return
        import pyarrow as pa

        gathered = pa.Table.from_batches(self._parts[-small:]).combine_chunks().to_batches()
        del self._parts[-small:], self._starts[-small:]
        for part in gathered:
            self._parts.append(part)
            self._starts.append(self._starts[-1] + part.num_rows)


def _fields(part: "pa.RecordBatch") -> list[str]:
    """Columns that are an item's own."""
    own = IndexItem.__dataclass_fields__
    return [name for name in part.schema.names if name in own]
