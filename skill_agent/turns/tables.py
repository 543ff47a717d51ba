"""What code computes of a table for a model to word: one query of the model's own, and a profile.

The model never adds up anything itself. It is asked for one SELECT in a short prompt apart from
the conversation; what it wrote is run, and told back once with the error where it cannot be.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from skill_agent.errors import ModelError, ToolFailed
from skill_agent.models.reply import whole_reply
from skill_agent.ports import ChatMessage, Model, ModelRequest, Sheet, TableReader
from skill_agent.text.shaping import one_line
from skill_agent.values import (
    Cell,
    ColumnProfile,
    Grouped,
    QueryResult,
    RawTable,
    TableProfile,
)

from .fitting import LONGEST_SHARE, Tokens, window_of

_SQL_TOKENS = 160
_TRIES = 2
_SHOWN_ROWS = 3
"""Rows of the table a query is written by."""
_WHOLE_ROWS = 12
"""A table of so few rows is shown whole where no query could be run."""
_VALUES = 12
_CELL = 40
"""Characters of a cell that are shown."""
_MOST_GROUPS = 4
_LONGEST_ERROR = 300
_NOTHING_FOUND = "it found nothing; compare with values as they are shown."

_STATEMENT = re.compile(r"(?:[^;']|'[^']*(?:'|\Z))*")
"""Up to the first semicolon that stands in no text."""
_TYPES = {
    "integer": "BIGINT",
    "number": "DOUBLE",
    "date": "DATE",
    "moment": "TIMESTAMP",
    "boolean": "BOOLEAN",
    "text": "VARCHAR",
}

_INSTRUCTIONS = """\
You write one DuckDB SQL query that computes the answer to a question about a table, in whatever \
language it is asked. Reply with the query only. Use the column names and values exactly as given.
A name may stand in several rows: add them up. Select the names and the figures. Examples:
Which shop earned most? SELECT shop, SUM(earned) AS total FROM data GROUP BY shop \
ORDER BY total DESC LIMIT 1
How much in May? SELECT SUM(earned) AS total FROM data WHERE month(day) = 5
Which visit was the first? SELECT visitor, day FROM data ORDER BY day ASC LIMIT 1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Computed:
    """A query that ran, and what it gave."""

    sql: str
    result: QueryResult


async def answer_material(
    reader: TableReader, table: RawTable, question: str, model: Model, tokens: Tokens
) -> str:
    """What a reply about the table may be worded from: the result of a query for the question, and
    the part of the profile that belongs to it; the profile alone where no query could be run.

    Takes at most the share of the window a tool's result may take. Raises ToolFailed where the
    table cannot be loaded; a model that fails costs the query and no more.
    """
    async with reader.opened(table) as sheet:
        limit = window_of(model) // LONGEST_SHARE
        try:
            computed = await _computed(sheet, question, model, tokens)
        except ModelError:
            computed = None
        parts = [*_parts(sheet.profile, computed)]
    return await _within(parts, model, tokens, limit)


# -- the query -----------------------------------------------------------------------------------


async def _computed(sheet: Sheet, question: str, model: Model, tokens: Tokens) -> _Computed | None:
    """A query of the model's that ran and gave something, in two tries."""
    schema = await tokens.clip(model, described(sheet.profile), window_of(model) // 4)
    asked = await tokens.clip(model, question, window_of(model) // LONGEST_SHARE)
    named = ", ".join(one.name for one in sheet.profile.columns)
    prompt, last = f"{schema}\n\nQuestion: {asked}", None
    for _ in range(_TRIES):
        sql = query_in(await whole_reply(model, _request(prompt)))
        try:
            last = _Computed(sql=sql, result=await sheet.query(sql))
            wrong = "" if _says_something(last.result) else _NOTHING_FOUND
        except ToolFailed as problem:
            wrong = one_line(problem.message, _LONGEST_ERROR)
        if not wrong:
            return last
        # The failed query is not shown: a small model would write it once more.
        prompt += f"\nA first query failed: {wrong}\nThere are no columns but {named}."
    return last


def _request(prompt: str) -> ModelRequest:
    return ModelRequest(
        messages=(
            ChatMessage(role="system", content=_INSTRUCTIONS),
            ChatMessage(role="user", content=prompt),
        ),
        temperature=0.0,
        max_tokens=_SQL_TOKENS,
        purpose="table",
    )


def _says_something(result: QueryResult) -> bool:
    return any(cell is not None for row in result.rows for cell in row)


def query_in(reply: str) -> str:
    """The query in a reply: what a code block holds, or everything from the first SELECT on."""
    fenced = re.search(r"```\w*\s*(.*?)(?:```|\Z)", reply, re.DOTALL)
    text = fenced[1] if fenced else reply
    begun = re.search(r"\b(SELECT|WITH|FROM)\b", text, re.IGNORECASE)
    rest = text[begun.start() :] if begun else text
    ended = _STATEMENT.match(rest)
    return (ended[0] if ended else rest).strip()


def described(profile: TableProfile) -> str:
    """The table as whoever writes a query has to know it."""
    columns = "\n".join(f"  {_column(one)}" for one in profile.columns)
    few = profile.sample[:_SHOWN_ROWS]
    head = " | ".join(one.name for one in profile.columns)
    rows = "\n".join(" | ".join(shown(cell) for cell in row) for row in few)
    return (
        f"CREATE TABLE {profile.name} (\n{columns}\n);\n"
        f"The first {len(few)} of {profile.rows} rows:\n{head}\n{rows}"
    )


def _column(column: ColumnProfile) -> str:
    return f"{column.name} {_TYPES[column.kind]}, -- {_remark(column)}"


def _remark(column: ColumnProfile) -> str:
    """What the column is called, and what stands in it."""
    said = [f'"{column.label}"'] if column.label else []
    if column.unit:
        said.append(f"in {column.unit}")
    if column.common:
        values = ", ".join(f"'{one_line(text, _CELL)}'" for text, _ in column.common)
        said.append(values + (", …" if column.distinct > len(column.common) else ""))
    elif column.least is not None and column.kind != "boolean":
        said.append(f"{shown(column.least)} to {shown(column.most)}")
    return ", ".join(said)


# -- the material --------------------------------------------------------------------------------


def _parts(profile: TableProfile, computed: _Computed | None) -> Iterable[str]:
    """What is worth telling, the most important first."""
    rows = f"{profile.rows:,} rows"
    if computed is not None:
        yield f"Computed from the table ({rows}):\n{computed.sql}\n→\n{_result(computed.result)}"
    else:
        yield f"Computed from the table ({rows}):"
    yield from _remarks(profile)
    named = {*re.findall(r"\w+", computed.sql.casefold())} if computed else set()
    columns = [one for one in profile.columns if one.name in named] or [*profile.columns]
    if computed is None and profile.rows <= _WHOLE_ROWS:
        yield _grid([one.name for one in profile.columns], profile.sample)
    lines = [line for one in columns if (line := _figures(one))]
    if lines:
        yield "Columns:\n" + "\n".join(lines)
    told = [one for one in profile.groups if not named or {one.by, one.of} <= named]
    yield from (_group(one) for one in _in_turn(told)[:_MOST_GROUPS])


def _in_turn(groups: Sequence[Grouped]) -> list[Grouped]:
    """Each column that parts the rows once, then each a second time: none takes all the room."""
    seen: Counter[str] = Counter()
    ranks: list[int] = []
    for one in groups:
        ranks.append(seen[one.by])
        seen[one.by] += 1
    return [one for _, _, one in sorted(zip(ranks, range(len(ranks)), groups, strict=True))]


def _remarks(profile: TableProfile) -> Iterable[str]:
    """What a reader of the figures has to know."""
    if profile.skipped:
        lines = "line does" if profile.skipped == 1 else "lines do"
        were = "was" if profile.skipped == 1 else "were"
        yield f"{profile.skipped} {lines} not fit the table and {were} left out."
    if profile.total_left_out:
        yield "The table's last row, a total, was left out."
    noted = [f"{one.label or one.name}: {one.note}" for one in profile.columns if one.note]
    if noted:
        yield "; ".join(noted)


def _result(result: QueryResult) -> str:
    if not result.rows:
        return "(no rows)"
    more = "\n(more rows were left out)" if result.more else ""
    return _grid(result.columns, result.rows) + more


def _grid(names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    lines = [" | ".join(names), *(" | ".join(shown(cell) for cell in row) for row in rows)]
    return "\n".join(lines)


def _figures(column: ColumnProfile) -> str:
    """One column's figures in a line; empty where there is nothing to count."""
    name = column.label or column.name
    unit = f" {column.unit}" if column.unit else ""
    empty = f", {column.empty} empty" if column.empty else ""
    if column.total is not None:
        return (
            f"- {name}: sum {shown(column.total)}{unit}, mean {shown(column.mean)}{unit}, "
            f"smallest {shown(column.least)}{unit}, largest {shown(column.most)}{unit}{empty}"
        )
    if column.kind in ("date", "moment"):
        return f"- {name}: from {shown(column.least)} to {shown(column.most)}{empty}"
    if column.common:
        counts = ", ".join(f"{one_line(text, _CELL)} {times}×" for text, times in column.common)
        return f"- {name}: {column.distinct} different, {counts}{empty}"
    return ""


def _group(group: Grouped) -> str:
    by = f"month of {group.by}" if group.monthly else group.by
    rows = "\n".join(
        f"{one_line(value, _CELL)}: sum {shown(total)}, mean {shown(mean)}, rows {count}"
        for value, count, total, mean in group.rows
    )
    return f"{group.of} by {by}:\n{rows}"


def shown(cell: Cell) -> str:
    """A cell as a model reads it: no digits beyond what anybody would say."""
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case float():
            digits = 2 if abs(cell) >= 100 else 4 if abs(cell) >= 1 else 6
            return f"{cell:.{digits}f}".rstrip("0").rstrip(".")
        case datetime() | date():
            return str(cell)
        case int():
            return str(cell)
    return one_line(cell, _CELL)


async def _within(parts: Sequence[str], model: Model, tokens: Tokens, limit: int) -> str:
    """As many of the parts as fit, in their order; the first in any case, shortened if need be."""
    told = await tokens.clip(model, parts[0], limit)
    for part in parts[1:]:
        longer = f"{told}\n\n{part}"
        if await tokens.count(model, longer) > limit:
            break
        told = longer
    return told
