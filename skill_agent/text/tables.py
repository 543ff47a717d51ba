"""The table in a text: rows with separators, Markdown, lines of JSON or an array of objects.

What is piped into a message stands behind the question, alone or in a fence; the largest table of
the text is taken, and what stands around it is given along.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from skill_agent.values import RawTable

from .delimited import delimited

_FENCE = re.compile(r"(`{3,}|~{3,})([^`]*)")
_CHANGE_SET = re.compile(r"^(diff --git |@@ -\d|--- .*\n\+\+\+ )", re.MULTILINE)
_CODE_FENCES = frozenset({
    "diff", "patch", "python", "py", "js", "javascript", "ts", "c", "cpp", "java", "go", "rust",
    "sh", "bash", "sql",
})  # fmt: skip
_RULE = re.compile(r"\|?\s*:?-+:?\s*([|+]\s*:?-+:?\s*)*\|?")
_BAR = re.compile(r"(?<!\\)\|")
_MOST_KEYS, _MOST_TRIES = 400, 100
"""Columns of a table of objects, and brackets that may open something else before no table is
looked for any more."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A table and the span of lines it takes."""

    table: RawTable
    first: int
    end: int

    @property
    def size(self) -> int:
        return len(self.table.rows) * len(self.table.header)


def find_table(text: str) -> RawTable | None:
    """The largest table of a text with the text around it; None where none is in it."""
    text = text.replace("\ufeff", "").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    fences = [*_fences(lines)]
    for fence in sorted(fences, key=lambda one: one.first - one.end):
        if fence.language not in _CODE_FENCES:
            within = lines[fence.first + 1 : fence.end]
            if (found := _largest(within)) is not None:
                return _placed(found, lines[: fence.first], lines[fence.end + 1 :])
    plain = [*lines]
    for fence in fences:
        plain[fence.first : fence.end + 1] = [""] * (fence.end + 1 - fence.first)
    found = _largest(plain)
    return _placed(found, lines[: found.first], lines[found.end :]) if found else None


@dataclass(frozen=True, slots=True)
class _Fence:
    """A block between two fences: their lines, and what the first calls it."""

    first: int
    end: int
    language: str


def _fences(lines: Sequence[str]) -> Iterator[_Fence]:
    """Every block with an end."""
    begun, mark, language = 0, "", ""
    for at, line in enumerate(lines):
        if mark and line.strip() == mark:
            yield _Fence(begun, at, language)
            mark = ""
        elif not mark and (opening := _FENCE.fullmatch(line.strip())):
            begun, mark, language = at, opening[1], opening[2].strip().casefold()


def _placed(found: _Found, before: Sequence[str], after: Sequence[str]) -> RawTable:
    table = found.table
    return RawTable(
        header=table.header,
        rows=table.rows,
        separator=table.separator,
        before="\n".join(before).strip(),
        after="\n".join(after).strip(),
        skipped=table.skipped,
    )


def _largest(lines: Sequence[str]) -> _Found | None:
    text = "\n".join(lines)
    if _CHANGE_SET.search(text):
        return None
    found = [*_objects(text, lines), *_markdown(lines)]
    # Bars and commas inside of objects and Markdown are no separators.
    found = found or [
        _Found(RawTable(header=one.header, rows=one.records, separator=one.separator,
                        skipped=one.skipped), one.first, one.end)
        for one in delimited(lines)
    ]  # fmt: skip
    return max(found, key=lambda one: one.size, default=None)


# -- Markdown ------------------------------------------------------------------------------------


def _markdown(lines: Sequence[str]) -> Iterator[_Found]:
    """A row of names, a rule under it, and rows below: with or without bars at the sides."""
    for at in range(1, len(lines)):
        if not {"-"} < {*lines[at]} & {*"-|+"} or not _is_rule(lines[at]):
            continue
        header = _bars(lines[at - 1])
        if len(header) < 2 or len(header) != len(_bars(lines[at].replace("+", "|"))):
            continue
        end = at + 1
        while end < len(lines) and _BAR.search(lines[end]):
            end += 1
        rows = [_bars(line) for line in lines[at + 1 : end] if not _is_rule(line)]
        even = tuple(row for row in rows if len(row) == len(header))
        if even:
            skipped = len(rows) - len(even)
            table = RawTable(header=header, rows=even, separator="|", skipped=skipped)
            yield _Found(table, at - 1, end)


def _is_rule(line: str) -> bool:
    return bool(_RULE.fullmatch(line.strip()))


def _bars(line: str) -> tuple[str, ...]:
    inner = line.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return tuple(_plain(cell) for cell in _BAR.split(inner))


def _plain(cell: str) -> str:
    """A cell without the marks of emphasis and code."""
    bare = cell.replace("\\|", "|").strip()
    return re.sub(r"^(\*\*|__|`|\*|_)(.+)\1$", r"\2", bare)


# -- objects -------------------------------------------------------------------------------------


def _objects(text: str, lines: Sequence[str]) -> Iterator[_Found]:
    """Objects of one kind: in an array, in one value of an object, or one a line."""
    at, offset, tries = 0, 0, 0
    while at < len(lines) and tries < _MOST_TRIES:
        used = 1
        if lines[at].lstrip().startswith(("[", "{")):
            records, used = _from(text, lines, at, offset)
            tries += not records
            if (table := _of_records(records)) is not None:
                yield _Found(table, at, at + used)
        for line in lines[at : at + used]:
            offset += len(line) + 1
        at += used


def _from(text: str, lines: Sequence[str], at: int, offset: int) -> tuple[list[Any], int]:
    """The records that begin in a line, and how many lines they take."""
    one_a_line: list[Any] = []
    for line in lines[at:]:
        value = _loaded(line)
        if not isinstance(value, dict):
            break
        one_a_line.append(value)
    if len(one_a_line) > 1:
        return one_a_line, len(one_a_line)
    start = offset + len(lines[at]) - len(lines[at].lstrip())
    try:
        value, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return [], 1
    used = text.count("\n", offset, end) + 1
    if isinstance(value, dict):
        value = max((v for v in value.values() if isinstance(v, list)), key=len, default=[])
    return value if isinstance(value, list) else [], used


def _loaded(line: str) -> Any:
    if not line.lstrip().startswith("{"):
        return None
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _of_records(records: list[Any]) -> RawTable | None:
    """Records as a table with a column a key; None where they have too little in common."""
    if len(records) < 2 or not all(isinstance(one, dict) and one for one in records):
        return None
    keys = [*dict.fromkeys(str(key) for one in records for key in one)]
    filled = sum(len(one) for one in records)
    if len(keys) > _MOST_KEYS or filled * 2 < len(keys) * len(records):
        return None
    rows = tuple(tuple(_cell(one.get(key)) for key in keys) for one in records)
    return RawTable(header=tuple(keys), rows=rows, separator="json")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
