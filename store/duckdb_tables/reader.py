"""Tables loaded into a database of their own in memory, which can reach nothing else.

No file, no network, no extension, no setting that could be changed; queries are checked before
they run, and end after a while whatever they do.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from skill_agent.errors import ToolFailed
from skill_agent.text.columns import typed_table
from skill_agent.values import Cell, QueryResult, RawTable, TableProfile

from .loading import TABLE, load
from .permitted import checked, first_lines
from .profiling import profiled

if TYPE_CHECKING:
    import duckdb

MOST_ROWS, MOST_CHARACTERS, LONGEST_CELL = 50, 4_000, 200
"""What a query may give back."""
TIME_LIMIT_S = 3.0
MEMORY_LIMIT = "256MB"
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
    "temp_directory": "",
    "threads": 1,
}

_T = TypeVar("_T")


class DuckTables:
    """Reads tables with DuckDB; nothing stays of one when its context ends."""

    def __init__(
        self, *, time_limit_s: float = TIME_LIMIT_S, memory_limit: str = MEMORY_LIMIT
    ) -> None:
        self._time_limit_s = time_limit_s
        self._memory_limit = memory_limit

    @asynccontextmanager
    async def opened(self, table: RawTable) -> AsyncIterator["DuckSheet"]:
        """The table loaded and looked at. Raises ToolFailed where it is too large."""
        import duckdb

        settings = {**_SETTINGS, "memory_limit": self._memory_limit}
        connection = duckdb.connect(":memory:", config=settings)
        try:
            profile = await _aside(connection, lambda: _loaded(connection, table))
            yield DuckSheet(connection, profile, self._time_limit_s)
        finally:
            connection.close()


def _loaded(connection: "duckdb.DuckDBPyConnection", table: RawTable) -> TableProfile:
    import duckdb

    typed = typed_table(table)
    try:
        names = load(connection, typed)
        connection.execute("SET lock_configuration = true")
        return profiled(connection, typed, names, skipped=table.skipped)
    except duckdb.OutOfMemoryException:
        raise ToolFailed("the table takes more memory than a table may") from None


class DuckSheet:
    """One loaded table. One query at a time."""

    def __init__(
        self, connection: "duckdb.DuckDBPyConnection", profile: TableProfile, time_limit_s: float
    ) -> None:
        self._connection = connection
        self._profile = profile
        self._time_limit_s = time_limit_s

    @property
    def profile(self) -> TableProfile:
        return self._profile

    async def query(self, sql: str) -> QueryResult:
        """One SELECT over the table, within limits of time, memory, rows and characters.

        Raises ToolFailed for anything else, in words a model can act on.
        """
        return await _aside(self._connection, lambda: self._run(sql), self._time_limit_s)

    def _run(self, sql: str) -> QueryResult:
        import duckdb

        try:
            cursor = self._connection.execute(checked(self._connection, sql, TABLE))
            columns = tuple(str(one[0]) for one in cursor.description or ())
            rows = cursor.fetchmany(MOST_ROWS + 1)
        except duckdb.InterruptException:
            raise ToolFailed(f"the query took longer than {self._time_limit_s:g} s") from None
        except duckdb.OutOfMemoryException:
            raise ToolFailed("the query takes more memory than a query may") from None
        except duckdb.Error as error:
            raise ToolFailed(first_lines(str(error))) from None
        return _bounded(columns, rows)


async def _aside(
    connection: "duckdb.DuckDBPyConnection", work: Callable[[], _T], limit_s: float | None = None
) -> _T:
    """Runs blocking work in a thread. What takes too long, or is no longer wanted, is interrupted
    and waited for: the connection is closed next."""
    running = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        await asyncio.wait([running], timeout=limit_s)
    finally:
        while not running.done():
            connection.interrupt()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([running], timeout=0.1)
        running.exception()  # somebody has looked at it, also where the task is being cancelled
    try:
        return running.result()
    finally:
        del running  # an error's traceback would hold this frame, and the frame the error


def _bounded(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> QueryResult:
    kept, size = list[tuple[Cell, ...]](), 0
    for row in rows[:MOST_ROWS]:
        cells = tuple(_cell(one) for one in row)
        size += sum(len(str(one)) + 3 for one in cells)
        if size > MOST_CHARACTERS:
            break
        kept.append(cells)
    return QueryResult(columns=columns, rows=tuple(kept), more=len(kept) < len(rows))


def _cell(value: Any) -> Cell:
    """A value as one of ours: no fractions of infinite size, no nested values, no long texts."""
    match value:
        case None | bool() | int() | datetime() | date():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
    text = str(value)
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"
