"""What cells mean: numbers of all countries, days in any order, names that look like numbers."""

from datetime import date, datetime

import pytest

from skill_agent.text.columns import typed, typed_table
from skill_agent.text.tables import find_table
from skill_agent.values import Cell, TypedColumn


def column(*cells: str, mark: str = ".") -> TypedColumn:
    return typed("x", cells, mark=mark)


@pytest.mark.parametrize(
    ("cells", "wanted", "unit"),
    [
        (("1", "-2", "+3"), (1, -2, 3), ""),
        (("1.5", "2"), (1.5, 2.0), ""),
        (("1,5", "2,25"), (1.5, 2.25), ""),
        (("1.234,50 €", "99,00 €"), (1234.5, 99.0), "€"),
        (("$1,234.50", "-$5"), (1234.5, -5.0), "$"),
        (("CHF 1'234.50", "CHF 7.00"), (1234.5, 7.0), "CHF"),
        (("12 %", "5.5%", "-1 %"), (12.0, 5.5, -1.0), "%"),
        (("1 234 567", "1\u00a0000"), (1234567, 1000), ""),
        (("1,234", "12,345,678"), (1234, 12345678), ""),
        (("12,34,567", "1,000"), (1234567, 1000), ""),
        (("(1,234.00)", "5.00"), (-1234.0, 5.0), ""),
        (("−5", "3"), (-5, 3), ""),
        (("12kg", "7 kg"), (12, 7), "kg"),
        (("1e3", "2.5E-2"), (1000.0, 0.025), ""),
        (("1e30", "2"), (1e30, 2.0), ""),
        ((".5", "0.125"), (0.5, 0.125), ""),
        (("120元", "80元"), (120, 80), "元"),
    ],
)
def test_numbers(cells: tuple[str, ...], wanted: tuple[Cell, ...], unit: str) -> None:
    read = column(*cells)
    assert (read.cells, read.unit) == (wanted, unit)
    assert read.kind in ("integer", "number")


@pytest.mark.parametrize(("mark", "wanted"), [(".", 1234), (",", 1.234)])
def test_what_a_column_leaves_open_the_table_decides(mark: str, wanted: float) -> None:
    assert column("1,234", "2,500", mark=mark).cells[0] == wanted


def test_another_column_shows_the_decimal_mark() -> None:
    table = find_table("Ort;Einwohner;Anteil\nBern;134.794;1,5\nBasel;173.863;2,5\nGenf;203.856;3")
    assert table is not None
    assert typed_table(table).columns[1].cells == (134794, 173863, 203856)


def test_objects_numbers_are_never_guessed() -> None:
    table = find_table('[{"a": 1.234, "b": 1}, {"a": 2.345, "b": 2}]')
    assert table is not None
    assert typed_table(table).columns[0].cells == (1.234, 2.345)


def test_empty_cells_are_nothing_in_any_kind() -> None:
    assert column("1", "", "n/a", "-", "4").cells == (1, None, None, None, 4)


@pytest.mark.parametrize(
    "cells",
    [
        ("00123", "04567"),
        ("Q1", "Q2"),
        ("1.2.3", "1.2.4"),
        ("5 €", "6 $"),
        ("123456789012345678901", "2"),
        ("1e400", "2"),
        ("12:30", "14:45"),
        ("1", "two"),
        ("A1", "A2"),
    ],
)
def test_names_stay_text(cells: tuple[str, ...]) -> None:
    assert column(*cells).kind == "text"


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (("2026-03-01", "2026/4/2"), date(2026, 3, 1)),
        (("2026-03", "2026-04"), date(2026, 3, 1)),
        (("01.03.2026", "2.4.26"), date(2026, 3, 1)),
        (("01/03/2026", "25/03/2026"), date(2026, 3, 1)),
        (("03/01/2026", "03/25/2026"), date(2026, 3, 1)),
    ],
)
def test_days(cells: tuple[str, ...], wanted: date) -> None:
    read = column(*cells)
    assert (read.kind, read.cells[0], read.note) == ("date", wanted, "")


def test_an_order_that_nothing_shows_is_said() -> None:
    read = column("01/03/2026", "02/03/2026")
    assert read.cells[0] == date(2026, 1, 3)
    assert "month first" in read.note
    assert column("01/03/2026", mark=",").cells[0] == date(2026, 3, 1)


def test_moments_are_in_utc() -> None:
    read = column("2026-01-02T10:00:00Z", "2026-01-02 12:30:15.5+02:00", "2026-01-03 09:00")
    assert read.cells == (
        datetime(2026, 1, 2, 10),
        datetime(2026, 1, 2, 10, 30, 15, 500_000),
        datetime(2026, 1, 3, 9),
    )


def test_days_that_no_calendar_has_are_text() -> None:
    assert column("2026-02-30", "2026-03-01").kind == "text"


def test_truth() -> None:
    assert column("true", "FALSE", "").cells == (True, False, None)


@pytest.mark.parametrize(
    ("last", "left_out"),
    [("Total,6,60", True), (",6,60", True), ("East,6,60", True), ("Total,6,61", False)],
)
def test_a_row_of_sums_is_no_row(last: str, left_out: bool) -> None:
    table = find_table(f"region,units,price\nNorth,1,10\nSouth,2,20\nWest,3,30\n{last}")
    assert table is not None
    read = typed_table(table)
    assert (read.total_left_out, read.rows) == (left_out, 3 if left_out else 4)


def test_one_number_that_happens_to_be_the_sum_is_a_row() -> None:
    table = find_table("name,score\nAnn,1\nBob,2\nCat,3")
    assert table is not None
    assert not typed_table(table).total_left_out
    named = find_table("Name;Punkte\nAnn;1\nBob;2\nSumme;3")
    assert named is not None
    assert typed_table(named).total_left_out
