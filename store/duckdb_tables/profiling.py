"""What can be said of a loaded table before anything is asked: its columns, and sums by group."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from skill_agent.values import (
    ColumnProfile,
    Grouped,
    TableProfile,
    TypedColumn,
    TypedTable,
)

from .loading import TABLE

if TYPE_CHECKING:
    import duckdb

MOST_PROFILED = 40
"""Columns that are looked at; wider tables are mostly machines'."""
_SAMPLE = 20
_GROUP_SIZES = range(2, 13)
"""How many values a column has that is worth grouping by."""
_MOST_GROUPS = 24
_COMMON = 5
_MOST_MONTHS = 36
_YEARS = range(1900, 2101)
_QUANTITIES = ("integer", "number")


def profiled(
    connection: "duckdb.DuckDBPyConnection",
    table: TypedTable,
    names: tuple[str, ...],
    *,
    skipped: int = 0,
) -> TableProfile:
    """Looks at every column, then at each quantity by each group."""
    looked_at = list(zip(names, table.columns, strict=True))[:MOST_PROFILED]
    columns = tuple(_column(connection, name, one) for name, one in looked_at)
    sample = connection.execute(f"SELECT * FROM {TABLE} LIMIT {_SAMPLE}").fetchall()
    return TableProfile(
        name=TABLE,
        rows=table.rows,
        columns=columns,
        groups=tuple(_groups(connection, columns, table.rows)),
        sample=tuple(tuple(row[: len(columns)]) for row in sample),
        skipped=skipped,
        total_left_out=table.total_left_out,
    )


def _column(
    connection: "duckdb.DuckDBPyConnection", name: str, column: TypedColumn
) -> ColumnProfile:
    quoted = f'"{name}"'
    empty, distinct, least, most = _row(
        connection,
        f"SELECT count(*) - count({quoted}), count(DISTINCT {quoted}), min({quoted}), "
        f"max({quoted}) FROM {TABLE}",
    )
    profile = ColumnProfile(
        name=name,
        label=column.label,
        kind=column.kind,
        unit=column.unit,
        note=column.note,
        empty=empty,
        distinct=distinct,
        least=least,
        most=most,
    )
    if column.kind in _QUANTITIES:
        total, mean = _row(connection, f"SELECT sum({quoted}), avg({quoted}) FROM {TABLE}")
        return replace(profile, total=total, mean=mean)
    if column.kind == "text" and distinct < len(column.cells) - empty:
        rows = connection.execute(
            f"SELECT {quoted}, count(*) FROM {TABLE} WHERE {quoted} IS NOT NULL GROUP BY 1 "
            f"ORDER BY 2 DESC, 1 LIMIT {_COMMON}"
        ).fetchall()
        return replace(profile, common=tuple((str(text), int(times)) for text, times in rows))
    return profile


def _row(connection: "duckdb.DuckDBPyConnection", sql: str) -> tuple[Any, ...]:
    return connection.execute(sql).fetchall()[0]


def _groups(
    connection: "duckdb.DuckDBPyConnection", columns: tuple[ColumnProfile, ...], rows: int
) -> Iterator[Grouped]:
    """By texts, years and months; at most so many."""
    quantities = [one for one in columns if _is_quantity(one, rows)]
    made = 0
    for by in columns:
        for of in quantities:
            if made >= _MOST_GROUPS:
                return
            found = _grouped(connection, by, of, rows)
            if found is not None:
                made += 1
                yield found


def _is_quantity(column: ColumnProfile, rows: int) -> bool:
    """A number that can be added up: no year, no running number."""
    if column.kind not in _QUANTITIES or _is_year(column):
        return False
    if column.kind == "integer" and column.distinct == rows > 2:
        return int(str(column.most)) - int(str(column.least)) != rows - 1
    return True


def _is_year(column: ColumnProfile) -> bool:
    return column.kind == "integer" and column.least in _YEARS and column.most in _YEARS


def _grouped(
    connection: "duckdb.DuckDBPyConnection", by: ColumnProfile, of: ColumnProfile, rows: int
) -> Grouped | None:
    if by.kind in ("date", "moment"):
        return _by_month(connection, by, of)
    groups = by.kind in ("text", "boolean") or _is_year(by)
    if not groups or by.distinct not in _GROUP_SIZES or by.distinct >= rows:
        return None
    found = connection.execute(
        f'SELECT "{by.name}"::VARCHAR, count(*), sum("{of.name}"), avg("{of.name}") FROM {TABLE} '
        "GROUP BY 1 ORDER BY 3 DESC NULLS LAST, 1"
    ).fetchall()
    return Grouped(by=by.name, of=of.name, rows=tuple(_named(row) for row in found))


def _by_month(
    connection: "duckdb.DuckDBPyConnection", by: ColumnProfile, of: ColumnProfile
) -> Grouped | None:
    found = connection.execute(
        f'SELECT strftime("{by.name}", \'%Y-%m\'), count(*), sum("{of.name}"), '
        f'avg("{of.name}") FROM {TABLE} WHERE "{by.name}" IS NOT NULL '
        f"GROUP BY 1 ORDER BY 1 LIMIT {_MOST_MONTHS + 1}"
    ).fetchall()
    if not 1 < len(found) <= _MOST_MONTHS:
        return None
    return Grouped(by=by.name, of=of.name, monthly=True, rows=tuple(_named(row) for row in found))


def _named(row: tuple[Any, ...]) -> tuple[str, int, float | int | None, float | None]:
    value, count, total, mean = row
    return ("(empty)" if value is None else str(value), count, total, mean)
