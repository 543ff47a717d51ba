"""A ledger of an older schema, or one that must not be written, made readable as one of today.

What it lacks is laid over it in memory: temporary tables and views stand before those of the file
under the same names. The file itself is not touched.
"""

from typing import TYPE_CHECKING

from ..ledger.records import MEMORY_FIELDS, MESSAGE_FIELDS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_COLUMNS = {"messages": MESSAGE_FIELDS, "memories": MEMORY_FIELDS}
_BLANK = {"origins": "'[]'"}
"""Of memories; what is not named here was not said: NULL."""
_DERIVED = {
    "projections": "name VARCHAR PRIMARY KEY, version INTEGER, kinds VARCHAR, seq BIGINT",
    "projected": "projection VARCHAR, key VARCHAR, state VARCHAR, PRIMARY KEY (projection, key)",
}
"""Written while reading; in memory here."""
_CALLS = (
    "id VARCHAR, seq BIGINT, turn VARCHAR, session VARCHAR, created_at TIMESTAMP, size BIGINT, "
    "content VARCHAR"
)


def made_readable(connection: "DuckDBPyConnection") -> None:
    """Everything today's code reads is there afterwards, empty or blank where the file has none."""
    (name,) = connection.execute("SELECT current_database()").fetchall()[0]
    quoted = name.replace('"', '""')
    there = _tables(connection)
    for table, columns in _DERIVED.items():
        connection.execute(f"CREATE TEMP TABLE {table} ({columns})")
        if table in there:
            connection.execute(f'INSERT INTO temp.{table} FROM "{quoted}".main.{table}')
    if "model_calls" not in there:
        connection.execute(f"CREATE TEMP TABLE model_calls ({_CALLS})")
    with_columns(connection, there)


def with_columns(
    connection: "DuckDBPyConnection", there: "dict[str, set[str]] | None" = None
) -> None:
    """Messages and memories with the columns of today."""
    (name,) = connection.execute("SELECT current_database()").fetchall()[0]
    quoted = name.replace('"', '""')
    there = there or _tables(connection)
    for table, fields in _COLUMNS.items():
        missing = [field for field in fields if field not in there.get(table, set(fields))]
        if missing:
            blanks = ", ".join(f'{_blank(table, field)} AS "{field}"' for field in missing)
            connection.execute(
                f'CREATE TEMP VIEW {table} AS SELECT *, {blanks} FROM "{quoted}".main.{table}'
            )


def _blank(table: str, field: str) -> str:
    return _BLANK.get(field, "NULL::VARCHAR") if table == "memories" else "NULL::VARCHAR"


def _tables(connection: "DuckDBPyConnection") -> dict[str, set[str]]:
    """The columns of the file's tables."""
    found: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() "
        "WHERE database_name = current_database() AND NOT internal"
    ).fetchall():
        found.setdefault(table, set()).add(column)
    return found
