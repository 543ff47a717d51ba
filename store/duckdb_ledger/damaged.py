"""Reading a damaged ledger: table by table, and where a block is bad range by range and column by
column. Blocking; the file is opened to be read and never changed.

A second name without a write-ahead log beside it is what is opened, so that a damaged log keeps
nobody from the file; as much of the log as is whole is laid beside that name.
"""

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

LOST = object()
"""Stands where a value could not be read."""
_AT_ONCE = 2_048
"""Rows of a range: what DuckDB decodes together."""

Found = dict[str, Any]
"""A row by columns."""


class Damaged:
    """A ledger file, whatever state it is in; make one with `damaged`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: duckdb.DuckDBPyConnection | None = None
        self.problem = ""
        """Why nothing can be read of it."""
        self.columns: dict[str, list[str]] = {}
        """Its tables; empty where not even those are known."""

    def open(self) -> None:
        """Notes a problem instead of raising one."""
        import duckdb

        try:
            self._connection = _connected(self._path)
            self._look()
        except (duckdb.Error, OSError) as error:
            self.problem = str(error).strip().splitlines()[0]

    def close(self) -> None:
        import duckdb

        if self._connection is not None:
            with suppress(duckdb.Error):
                self._connection.close()
            self._connection = None

    def count(self, table: str) -> int | None:
        """How many rows there were; None where that is not known."""
        if table not in self.columns:
            return None
        rows = self._tried(f"SELECT count(*) FROM main.{table}")
        return int(rows[0][0]) if rows else None

    def rows(self, table: str) -> Iterator[Found]:
        """Every row of which something can be read, lost values marked."""
        columns = self.columns.get(table, [])
        if not columns:
            return
        whole = self._tried(_select(table, columns))
        if whole is not None:
            yield from (dict(zip(columns, row, strict=True)) for row in whole)
            return
        for first in range(0, self._last(table) + 1, _AT_ONCE):
            yield from self._range(table, columns, first)

    def _range(self, table: str, columns: Sequence[str], first: int) -> Iterator[Found]:
        where = f" WHERE rowid BETWEEN {first} AND {first + _AT_ONCE - 1}"
        if (rows := self._tried(_select(table, columns) + where)) is not None:
            yield from (dict(zip(columns, row, strict=True)) for row in rows)
            return
        found: dict[int, Found] = {}
        for column in columns:
            told = self._tried(f'SELECT rowid, "{column}" FROM main.{table}{where}')
            for place, value in told or ():
                found.setdefault(place, dict.fromkeys(columns, LOST))[column] = value
        yield from (found[place] for place in sorted(found))

    def _last(self, table: str) -> int:
        """The highest row number, or more: deleted rows leave gaps."""
        if rows := self._tried(f"SELECT max(rowid) FROM main.{table}"):
            return int(rows[0][0] or 0)
        guess = self._tried(
            "SELECT estimated_size FROM duckdb_tables() "
            f"WHERE table_name = '{table}' AND NOT temporary"
        )
        return 2 * int(guess[0][0]) + _AT_ONCE if guess else 0

    def _look(self) -> None:
        for table, column in (
            self._tried(
                "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal "
                "ORDER BY table_name, column_index"
            )
            or ()
        ):
            self.columns.setdefault(table, []).append(column)

    def _tried(self, sql: str) -> list[tuple[Any, ...]] | None:
        """None where it cannot be answered; a broken instance is made anew afterwards."""
        import duckdb

        if self._connection is None:
            return None
        try:
            return self._connection.execute(sql).fetchall()
        except (duckdb.FatalException, duckdb.InternalException):
            self.close()
            with suppress(duckdb.Error, OSError):
                self._connection = _plain(self._path)
        except (duckdb.Error, UnicodeDecodeError):
            return None
        return None


@contextmanager
def damaged(ledger: Path) -> Iterator[Damaged]:
    """The file to be read, under a second name that goes again."""
    name = ledger.with_name(ledger.name + ".reading")
    wal, beside = ledger.with_name(ledger.name + ".wal"), name.with_name(name.name + ".wal")
    for left in (name, beside):
        left.unlink(missing_ok=True)
    reading = Damaged(name)
    try:
        if not ledger.exists():
            reading.problem = "the file is not there"
        else:
            _second_name(ledger, name)
            if wal.exists() and wal.stat().st_size:
                shutil.copyfile(wal, beside)
            reading.open()
        yield reading
    finally:
        reading.close()
        for left in (name, beside):
            left.unlink(missing_ok=True)


def _second_name(file: Path, name: Path) -> None:
    try:
        os.link(file, name)
    except OSError:  # a disk without links
        shutil.copyfile(file, name)


def _connected(path: Path) -> "duckdb.DuckDBPyConnection":
    """With the whole log, else with what is whole of it, else without."""
    import duckdb

    wal = path.with_name(path.name + ".wal")
    try:
        return _plain(path)
    except duckdb.Error as error:
        if not wal.exists():
            raise
        if good := re.search(r"Corrupt WAL file: entry at byte position (\d+)", str(error)):
            os.truncate(wal, int(good[1]))
            with suppress(duckdb.Error):
                return _plain(path)
        wal.unlink()
        return _plain(path)


def _plain(path: Path) -> "duckdb.DuckDBPyConnection":
    import duckdb

    settings: dict[str, Any] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
        "threads": 1,
        "memory_limit": "768MB",
    }
    return duckdb.connect(str(path), read_only=True, config=settings)


def _select(table: str, columns: Sequence[str]) -> str:
    named = ", ".join(f'"{name}"' for name in columns)
    return f"SELECT {named} FROM main.{table}"
