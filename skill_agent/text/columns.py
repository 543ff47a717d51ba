"""What the cells of a column are: numbers, days, moments, truth values or plain text.

A column is of a kind when every cell that says anything is; a name such as 00123 stays text.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from skill_agent.values import Cell, ColumnKind, RawTable, TypedColumn, TypedTable

from .numerals import Numeral, decimal_mark, is_code, numeral, value

_NOTHING = frozenset({"", "-", "–", "—", ".", "na", "n/a", "nan", "null", "none", "nil", "#n/a"})
"""How tables say that a cell has no value."""
_TRUTH = {"true": True, "false": False}
_ISO = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})(?!\d)|-(\d{2})$)")
_PARTED = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
_CLOCK = re.compile(
    r"(?:T|,?\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?"
)
_SUMS = frozenset({
    "total", "totals", "sum", "summe", "gesamt", "insgesamt", "somme", "suma", "totale",
    "totaal", "итого", "всего", "合計", "合计", "总计", "総計",
})  # fmt: skip
_PLAIN = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
"""What most cells of most tables look like; the short way for them."""
_LOOKED_AT = 2_000
"""Cells that have to show a column's decimal mark."""


def typed_table(table: RawTable) -> TypedTable:
    """Every column read as what it is, without a last row that only adds up the others."""
    columns, rows = _columns(table, table.rows), len(table.rows)
    if rows > 2 and _adds_up(table.rows[-1], columns):
        columns = _columns(table, table.rows[:-1])
        return TypedTable(columns=columns, rows=rows - 1, total_left_out=True)
    return TypedTable(columns=columns, rows=rows)


def _columns(table: RawTable, rows: Sequence[tuple[str, ...]]) -> tuple[TypedColumn, ...]:
    mark, width = _table_mark(table), len(table.header)
    sides = list(zip(*rows, strict=True)) if rows else [()] * width
    return tuple(
        typed(label, cells, mark=mark, sure=table.separator == "json")
        for label, cells in zip(table.header, sides, strict=True)
    )


def _table_mark(table: RawTable) -> str:
    """The decimal mark for columns whose own numbers leave it open."""
    if table.separator == "json":
        return "."
    few = table.rows[:_LOOKED_AT]
    for cells in zip(*few, strict=True):
        numerals = _numerals(cells)
        if numerals and (mark := decimal_mark(one.body for one in numerals)):
            return mark
    return "," if table.separator == ";" else "."


def typed(label: str, cells: Sequence[str], *, mark: str = ".", sure: bool = False) -> TypedColumn:
    """A column's cells as what they are. `mark` is the decimal mark where the cells leave it open,
    or whatever they look like if it is `sure`."""
    said = [cell.strip() for cell in cells if not is_nothing(cell)]
    if said:
        column = (
            _truth(label, cells, said)
            or _days(label, cells, said, mark)
            or _numbers(label, cells, said, mark, sure=sure)
        )
        if column is not None:
            return column
    return TypedColumn(
        label=label, kind="text", cells=tuple(cell.strip() or None for cell in cells)
    )


def is_nothing(cell: str) -> bool:
    """Whether a cell says that it has no value."""
    return cell.strip().casefold() in _NOTHING


def _filled(
    label: str,
    kind: ColumnKind,
    cells: Sequence[str],
    read: Callable[[str], Cell],
    *,
    unit: str = "",
    note: str = "",
) -> TypedColumn:
    values = tuple(None if is_nothing(cell) else read(cell.strip()) for cell in cells)
    return TypedColumn(label=label, kind=kind, cells=values, unit=unit, note=note)


def _truth(label: str, cells: Sequence[str], said: list[str]) -> TypedColumn | None:
    if all(cell.casefold() in _TRUTH for cell in said):
        return _filled(label, "boolean", cells, lambda cell: _TRUTH[cell.casefold()])
    return None


# -- numbers -------------------------------------------------------------------------------------


def _numbers(
    label: str, cells: Sequence[str], said: list[str], mark: str, *, sure: bool
) -> TypedColumn | None:
    """Numbers of one unit; digits that are a name are none."""
    found = _numerals(said)
    units = {one.unit for one in found} - {""}
    if not found or len(units) > 1 or any(is_code(one.body) for one in found):
        return None
    if not sure:
        mark = decimal_mark(one.body for one in found[:_LOOKED_AT]) or mark
    values = [value(one.body, mark) for one in found]
    if any(one is None for one in values):
        return None
    whole = not any({mark, "e", "E"} & {*one.body} for one in found)
    ready = map(_signed, found, values)
    return _filled(
        label,
        "integer" if whole else "number",
        cells,
        lambda _cell: (int if whole else float)(next(ready)),
        unit=units.pop() if units else "",
    )


def _signed(one: Numeral, number: Decimal | None) -> Decimal:
    return -(number or Decimal()) if one.negative else (number or Decimal())


def _numerals(cells: Iterable[str]) -> list[Numeral]:
    """Every cell that says something as a number; nothing where one is none."""
    found: list[Numeral] = []
    for cell in cells:
        if _PLAIN.fullmatch(cell):
            found.append(Numeral(cell, ""))
        elif not is_nothing(cell):
            one = numeral(cell)
            if one is None:
                return []
            found.append(one)
    return found


# -- days and moments ----------------------------------------------------------------------------


def _days(label: str, cells: Sequence[str], said: list[str], mark: str) -> TypedColumn | None:
    """Days, or moments where a time of day follows."""
    if not any(pattern.match(said[0]) for pattern in (_ISO, _PARTED)):
        return None
    order, note = _order(said, mark)
    moments = [_moment(cell, order) for cell in said]
    if any(one is None for one in moments):
        return None
    timed = any(_CLOCK.search(cell) for cell in said)
    ready = iter(moments)

    def read(_cell: str) -> Cell:
        moment = next(ready)
        return moment if timed or moment is None else moment.date()

    return _filled(label, "moment" if timed else "date", cells, read, note=note)


def _order(said: Sequence[str], mark: str) -> tuple[str, str]:
    """Whether the day or the month comes first, and what is worth saying of it."""
    parts = [found for cell in said if (found := _PARTED.match(cell))]
    if not parts or any(found[2] == "." for found in parts):
        return "day", ""
    if any(int(found[1]) > 12 for found in parts):
        return "day", ""
    if any(int(found[3]) > 12 for found in parts):
        return "month", ""
    order = "day" if mark == "," else "month"
    return order, f"read with the {order} first"


def _moment(cell: str, order: str) -> datetime | None:
    found = _ISO.match(cell) or _PARTED.match(cell)
    if found is None:
        return None
    if found.re is _ISO:
        year, month, day = int(found[1]), int(found[3] or found[5]), int(found[4] or 1)
    else:
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        day, month = (first, second) if order == "day" else (second, first)
        year += 0 if year > 99 else (2000 if year < 70 else 1900)
    try:
        return _at(datetime(year, month, day), cell[found.end() :])
    except ValueError:
        return None


def _at(day: datetime, rest: str) -> datetime | None:
    """The day at the time of day the rest names, in UTC where it names an offset."""
    if not rest.strip():
        return day
    clock = _CLOCK.fullmatch(rest)
    if clock is None:
        return None
    part = int((clock[4] or "0")[:6].ljust(6, "0"))
    moment = day.replace(
        hour=int(clock[1]), minute=int(clock[2]), second=int(clock[3] or 0), microsecond=part
    )
    if not clock[5] or clock[5] == "Z":
        return moment
    offset = datetime.strptime(clock[5].replace(":", ""), "%z").tzinfo
    return moment.replace(tzinfo=offset).astimezone(UTC).replace(tzinfo=None)


# -- a row of sums -------------------------------------------------------------------------------


def _adds_up(last: tuple[str, ...], columns: Sequence[TypedColumn]) -> bool:
    """Whether a last row only sums up what is above it: by its numbers, and by its name or by
    having more than one such number."""
    matched, named = 0, False
    for cell, column in zip(last, columns, strict=True):
        if is_nothing(cell):
            continue
        if column.kind not in ("integer", "number"):
            named = named or cell.strip(" :*").casefold().split(" ")[0] in _SUMS
            continue
        *above, one = (x if isinstance(x, int | float) else 0 for x in column.cells)
        if abs(one - sum(above)) > abs(one) * 1e-6 + 1e-9:
            return False
        matched += 1
    return matched > 1 or (matched == 1 and named)


def is_typed(cells: Sequence[str], mark: str = ".") -> bool:
    """Whether cells are anything else than text."""
    return typed("", cells, mark=mark).kind != "text"
