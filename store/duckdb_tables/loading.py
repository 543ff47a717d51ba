"""Typed columns as a table of the database, under names that need no quotation marks."""

import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from skill_agent.values import TypedColumn, TypedTable

if TYPE_CHECKING:
    import duckdb

TABLE = "data"
_LONGEST_NAME = 40
_LONGEST_TEXT = 1_000
"""Characters of a cell that are kept: queries may join texts, and compare them by the thousand."""


def load(connection: "duckdb.DuckDBPyConnection", table: TypedTable) -> tuple[str, ...]:
    """Creates the table; gives its columns' names in order."""
    import pyarrow as pa

    names = column_names([one.label for one in table.columns], _reserved(connection))
    arrays = [_array(one) for one in table.columns]
    connection.register("incoming", pa.table(arrays, names=list(names)))
    try:
        connection.execute(f"CREATE TABLE {TABLE} AS SELECT * FROM incoming")
    finally:
        connection.unregister("incoming")
    return names


def _reserved(connection: "duckdb.DuckDBPyConnection") -> frozenset[str]:
    rows = connection.execute(
        "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category != 'unreserved'"
    ).fetchall()
    return frozenset(str(row[0]) for row in rows)


def column_names(labels: Iterable[str], reserved: frozenset[str]) -> tuple[str, ...]:
    """A plain name a column, each once: lower case, letters of any language, digits, `_`."""
    names: list[str] = []
    for number, label in enumerate(labels, start=1):
        text = unicodedata.normalize("NFC", label).casefold()
        plain = re.sub(r"\W+", "_", text).strip("_")[:_LONGEST_NAME]
        if not plain:
            plain = f"column{number}"
        elif plain[0].isdigit():
            plain = f"_{plain}"
        elif plain in reserved or plain == TABLE:
            plain = f"{plain}_"
        names.append(_once(plain, names))
    return tuple(names)


def _once(name: str, taken: list[str]) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


def _array(column: TypedColumn) -> Any:
    import pyarrow as pa

    kinds = {
        "integer": pa.int64(),
        "number": pa.float64(),
        "date": pa.date32(),
        "moment": pa.timestamp("us"),
        "boolean": pa.bool_(),
        "text": pa.string(),
    }
    cells = column.cells
    if column.kind == "text":
        cells = [None if one is None else str(one)[:_LONGEST_TEXT] for one in cells]
    return pa.array(cells, kinds[column.kind])
