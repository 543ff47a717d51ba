"""Tables written one row a line with a separator between the cells, told from what looks alike.

By structure alone, in any language: rows of the same width, of which a column holds numbers or
days or whose cells are short; no prose, no log, no code and no change set.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeVar

from .columns import is_nothing, is_typed

SEPARATORS = "\t;|,"
"""In this order where more than one would do: a comma may be a decimal one."""
_SAMPLE = 200
"""Rows that are looked at to tell what a table is; all are read."""
_MOST_COLUMNS = 400
_ODD_SHARE = 20
"""One line in so many may have another width and is left out."""
_WORDS = 4.0
"""Words a cell of text has on average in a table without any number; prose has more."""
_MARGIN = re.compile(r"([-*•>#]|//|--|\d+[.)])\s+\S|#|//|<|@")
"""What begins a list's item, a quotation, a comment or a tag."""
_CODE = re.compile(r"[(){}\[\]=\\]|;$|::|->")
_YEAR = re.compile(r"(19|20)\d\d")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows found in lines, and which lines they are."""

    header: tuple[str, ...]
    records: tuple[tuple[str, ...], ...]
    separator: str
    first: int
    end: int
    """The line behind the last."""
    skipped: int = 0


def delimited(lines: Sequence[str]) -> Iterator[Rows]:
    """Every table in the lines, each with the separator that fits best."""
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        runs = [_run(lines, at, one) for one in SEPARATORS if one in lines[at]]
        tables = [table for run in runs if (table := _as_table(run)) is not None]
        if tables:
            # The first of the longest: the order of the separators decides between equals.
            yield max(tables, key=lambda table: len(table.records))
        at += max((run.end - run.first for run in runs), default=1) or 1


@dataclass(frozen=True, slots=True)
class _Run:
    """Lines that fall into equally many cells at a separator."""

    records: tuple[tuple[str, ...], ...]
    separator: str
    first: int
    end: int
    skipped: int


def _run(lines: Sequence[str], first: int, separator: str) -> _Run:
    """The longest such run from a line on; quotation marks are letters where they do not pair."""
    run = _read(lines, first, separator, csv.QUOTE_MINIMAL)
    if len(run.records) < 3 and '"' in lines[first]:
        run = max(run, _read(lines, first, separator, csv.QUOTE_NONE), key=_length)
    return run


def _length(run: _Run) -> int:
    return len(run.records)


def _read(lines: Sequence[str], first: int, separator: str, quoting: Literal[0, 3]) -> _Run:
    records, odd, pending = list[tuple[str, ...]](), 0, 0
    ended = (lines[at] + "\n" for at in range(first, len(lines)))
    reader = csv.reader(ended, delimiter=separator, quoting=quoting)
    end = first
    try:
        for cells in reader:
            if not cells or (len(cells) == 1 and not cells[0].strip()):
                break
            if separator == "\t" and records:
                at_end = first + reader.line_num >= len(lines)
                records[0], cells = _unstripped(records, cells, at_end=at_end)
            if records and len(cells) != len(records[0]):
                pending += 1
                if pending > 1 or len(records) < _ODD_SHARE:
                    break
                continue
            odd, pending = odd + pending, 0
            records.append(tuple(cells))
            end = first + reader.line_num
    except csv.Error:  # a cell without end, or a stray character: what was read before stands
        pass
    return _Run(tuple(records), separator, first, max(end, first + 1), odd)


def _unstripped(
    records: Sequence[tuple[str, ...]], cells: Sequence[str], *, at_end: bool
) -> tuple[tuple[str, ...], Sequence[str]]:
    """The first record and this one with what stripping a text takes from it: the tab ahead of the
    first name, and the tabs behind the last cell."""
    head = records[0]
    if len(records) == 1 and len(cells) == len(head) + 1:
        head = ("", *head)
    if at_end and 1 < len(cells) < len(head):
        cells = [*cells, *[""] * (len(head) - len(cells))]
    return head, cells


def _as_table(run: _Run) -> Rows | None:
    """The run as a table, or None where it only looks like one."""
    records, first = run.records, run.first
    if len(records) < 3:
        return None
    while records and _is_spoken(records[0], run.separator):
        records, first = records[1:], first + 1
    records = _without_empty_sides(records)
    if len(records) < 3 or not 2 <= len(records[0]) <= _MOST_COLUMNS:
        return None
    if run.skipped * _ODD_SHARE > len(records) or _looks_like_else(records, run.separator):
        return None
    header = _header(records[:_SAMPLE], run.separator)
    rows = records[1:] if header else records
    if not _holds_data(rows[:_SAMPLE], run.separator, headed=bool(header)):
        return None
    stripped = tuple(tuple(cell.strip() for cell in row) for row in rows)
    names = tuple(name.strip() for name in header) or ("",) * len(rows[0])
    return Rows(names, stripped, run.separator, first, run.end, run.skipped)


def _is_spoken(record: tuple[str, ...], separator: str) -> bool:
    """A question or a title right above the table, or the line that names the separator."""
    text = separator.join(record).strip()
    if text.casefold() == f"sep={separator}":
        return True
    return text.endswith(("?", "？", ":")) or any(len(cell.split()) > 12 for cell in record)


def _without_empty_sides(records: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """Without columns in which nothing stands at all: a separator at the end of each line."""
    if not records:
        return records
    said = [any(cell.strip() for cell in column) for column in zip(*records, strict=True)]
    if all(said):
        return records
    return tuple(tuple(c for c, kept in zip(row, said, strict=True) if kept) for row in records)


# -- what only looks like a table ----------------------------------------------------------------


def _looks_like_else(records: Sequence[tuple[str, ...]], separator: str) -> bool:
    few = records[:_SAMPLE]
    firsts = [record[0] for record in few]
    if separator != "\t" and _most(firsts, lambda cell: cell[:1] in " \t"):
        return True
    if _most(firsts, lambda cell: bool(_MARGIN.match(cell)) or _is_change(cell)):
        return True
    if separator == "," and _most(few, _is_stamped):
        return True
    unnumbered = [[cell for cell in record if not is_typed([cell])] for record in few]
    return _most(unnumbered, lambda cells: any(_is_code(cell) for cell in cells))


def _most(items: Sequence[_T], holds: Callable[[_T], bool], share: float = 0.5) -> bool:
    return sum(1 for item in items if holds(item)) > len(items) * share


def _is_change(cell: str) -> bool:
    return cell[:1] in "+-" and not is_typed([cell]) and not is_nothing(cell)


def _is_code(cell: str) -> bool:
    """Brackets and signs of equality; a name with its unit in brackets is none."""
    return bool(_CODE.search(re.sub(r"\s?\([^()=]*\)$", "", cell.strip())))


def _is_stamped(record: tuple[str, ...]) -> bool:
    """A log's line: its time of day ends in a comma and milliseconds."""
    return bool(re.search(r":\d\d$", record[0]) and re.match(r"\d{3}\b\s*\D", record[1]))


# -- header and data -----------------------------------------------------------------------------


def _header(records: Sequence[tuple[str, ...]], separator: str) -> tuple[str, ...]:
    """The first record where it names the columns, among them years; empty where it is a row like
    the others."""
    first, rows = records[0], records[1:]
    mark = "," if separator == ";" else "."
    named = [cell for cell in first if not is_nothing(cell)]
    if len(set(named)) < len(named) or len(named) < len(first) - 1:
        return ()
    numbers = [cell for cell in named if is_typed([cell], mark)]
    if any(not _YEAR.fullmatch(cell.strip()) for cell in numbers):
        return ()
    columns = list(zip(*rows, strict=True))
    if any(
        cell not in numbers and is_typed(column, mark)
        for cell, column in zip(first, columns, strict=True)
    ):
        return first
    if numbers:
        return first if _are_headings(numbers, rows[0]) else ()
    return () if any(c in column for c, column in zip(first, columns, strict=True) if c) else first


def _are_headings(years: list[str], below: Sequence[str]) -> bool:
    """Several years in order, and other numbers below them."""
    ordered = years in (sorted(years), sorted(years, reverse=True))
    return len(years) > 1 and ordered and not any(_YEAR.fullmatch(cell.strip()) for cell in below)


def _holds_data(rows: Sequence[tuple[str, ...]], separator: str, *, headed: bool) -> bool:
    """Whether the rows are a table's: numbers or days in a column, or short cells under names."""
    mark = "," if separator == ";" else "."
    columns = list(zip(*rows, strict=True))
    typed = [is_typed(column, mark) for column in columns]
    texts = [column for column, one in zip(columns, typed, strict=True) if not one]
    brief = _words(texts) <= _WORDS
    if separator == "\t":
        return brief or any(typed)
    if separator == "," and not headed and _split_numbers(columns):
        return False
    if separator == "|" or _are_spaced(rows):
        return any(typed) and brief
    return (any(typed) and (headed or brief)) or (headed and brief)


def _words(columns: Sequence[Sequence[str]]) -> float:
    cells = [cell for column in columns for cell in column if cell.strip()]
    return sum(len(cell.split()) for cell in cells) / len(cells) if cells else 0.0


def _are_spaced(rows: Sequence[tuple[str, ...]]) -> bool:
    """A space after the separator, as people write and programs do not."""
    return _most([cell for row in rows for cell in row[1:] if cell], lambda cell: cell[0] == " ")


def _split_numbers(columns: Sequence[Sequence[str]]) -> bool:
    """Words that end in a number, and digits behind the comma: 3,50 or 1,234 in two pieces."""
    return any(
        _most(
            list(zip(one, other, strict=True)),
            lambda pair: _ends_in_number(pair[0]) and bool(re.match(r"\d{1,3}(\D|$)", pair[1])),
            share=0.8,
        )
        for one, other in pairwise(columns)
    )


def _ends_in_number(cell: str) -> bool:
    return bool(re.search(r"\s\d{1,3}$", cell)) and any(char.isalpha() for char in cell)
