"""A table somebody handed over, how its columns were read, and what was computed of it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

ColumnKind = Literal["integer", "number", "date", "moment", "boolean", "text"]

Cell = int | float | bool | str | date | datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """A table as it stood in a text: nothing but strings yet."""

    header: tuple[str, ...]
    """As many names as each row has cells; empty ones where the table names no column."""
    rows: tuple[tuple[str, ...], ...]
    separator: str
    """What stood between the cells; `json` for objects, whose numbers need no guessing."""
    before: str = ""
    """The text ahead of the table, which is mostly the question, and the text behind it."""
    after: str = ""
    skipped: int = 0
    """Lines among the rows that have another number of cells, and are left out."""

    @property
    def around(self) -> str:
        """The text without the table."""
        return "\n\n".join(part for part in (self.before, self.after) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedColumn:
    """One column with all its cells read as what they are; an empty cell is None."""

    label: str
    """What the table calls it."""
    kind: ColumnKind
    cells: tuple[Cell, ...]
    unit: str = ""
    """The sign or word that stood at every number: `%`, `€`, `kg`."""
    note: str = ""
    """What had to be assumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedTable:
    """A table's columns, all of the same length."""

    columns: tuple[TypedColumn, ...]
    rows: int
    total_left_out: bool = False
    """The last row only added up the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    """What one column holds."""

    name: str
    """Its name in a query."""
    label: str
    kind: ColumnKind
    unit: str = ""
    note: str = ""
    empty: int = 0
    distinct: int = 0
    least: Cell = None
    most: Cell = None
    total: float | int | None = None
    """Of numbers only, like the mean."""
    mean: float | None = None
    common: tuple[tuple[str, int], ...] = ()
    """The most frequent texts with how often each stands there; of texts that repeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """One column of numbers, parted by another column: by its texts, or a date's months."""

    by: str
    of: str
    monthly: bool = False
    rows: tuple[tuple[str, int, float | int | None, float | None], ...] = ()
    """(value, rows, sum, mean): the largest sums first, months in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableProfile:
    """What can be said of a table before anything is asked."""

    name: str
    """The table's name in a query."""
    rows: int
    columns: tuple[ColumnProfile, ...]
    groups: tuple[Grouped, ...] = ()
    sample: tuple[tuple[Cell, ...], ...] = ()
    """The first rows."""
    skipped: int = 0
    total_left_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResult:
    """What a query gave."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    more: bool = False
    """Whether rows were left out for their number or length."""
