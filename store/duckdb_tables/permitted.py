"""Which queries may run: one SELECT over the one table, with functions that are known to be tame.

A list of what is allowed, not of what is forbidden: some of DuckDB's functions read files or
settings, and some take gigabytes that no memory limit counts and no interrupt reaches.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from skill_agent.errors import ToolFailed

if TYPE_CHECKING:
    import duckdb

LONGEST_QUERY = 2_000
_GROWTH = 8
"""Arguments of functions that make texts longer, over the whole query: with more, a text could be
doubled again and again. None makes one text of many rows."""

AGGREGATES = frozenset({
    "count", "count_star", "count_if", "sum", "avg", "mean", "min", "max", "median", "mode",
    "stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop", "corr",
    "covar_samp", "covar_pop", "quantile", "quantile_cont", "quantile_disc", "percentile_cont",
    "percentile_disc", "any_value", "first", "last", "arg_min", "arg_max", "argmin", "argmax",
    "min_by", "max_by", "bool_and", "bool_or", "product", "regr_slope", "regr_intercept",
    "regr_r2", "approx_count_distinct",
})  # fmt: skip
WINDOWS = frozenset({
    "row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead",
    "first_value", "last_value", "nth_value",
})  # fmt: skip
NUMBERS = frozenset({
    "+", "-", "*", "/", "//", "%", "^", "**", "@", "abs", "add", "subtract", "multiply",
    "divide", "mod", "fmod", "fdiv", "round", "ceil", "ceiling", "floor", "trunc", "sign",
    "sqrt", "cbrt", "power", "pow", "exp", "ln", "log", "log2", "log10", "greatest", "least",
    "isnan", "isinf", "isfinite", "nullif", "ifnull", "coalesce", "if",
})  # fmt: skip
TEXTS = frozenset({
    "||", "concat", "concat_ws", "lower", "lcase", "upper", "ucase", "length", "len", "strlen",
    "char_length", "trim", "ltrim", "rtrim", "substring", "substr", "left", "right", "contains",
    "starts_with", "prefix", "ends_with", "suffix", "position", "strpos", "instr", "split_part",
    "regexp_matches", "regexp_full_match", "regexp_extract", "strip_accents", "~~", "!~~",
    "~~*", "!~~*", "~", "!~", "like_escape", "not_like_escape", "ilike_escape",
    "not_ilike_escape", "typeof",
})  # fmt: skip
DAYS = frozenset({
    "year", "month", "day", "hour", "minute", "second", "quarter", "week", "weekofyear",
    "dayofweek", "isodow", "dayofmonth", "dayofyear", "dayname", "monthname", "last_day",
    "date_trunc", "datetrunc", "date_part", "datepart", "date_diff", "datediff", "date_sub",
    "date_add", "make_date", "strftime", "strptime", "try_strptime", "epoch", "century",
    "decade", "days_in_month", "to_days", "to_weeks", "to_months", "to_years", "today",
    "current_date", "now", "get_current_timestamp", "yearweek", "era", "isoyear", "age",
})  # fmt: skip
FUNCTIONS = AGGREGATES | WINDOWS | NUMBERS | TEXTS | DAYS
_GROWING = frozenset({"||", "concat", "concat_ws"})
_TYPES = frozenset({
    "TINYINT", "SMALLINT", "INTEGER", "INT", "BIGINT", "HUGEINT", "FLOAT", "REAL", "DOUBLE",
    "DECIMAL", "NUMERIC", "VARCHAR", "TEXT", "STRING", "CHAR", "DATE", "TIME", "TIMESTAMP",
    "DATETIME", "BOOLEAN", "BOOL", "INTERVAL", "INT4", "INT8", "LONG",
})  # fmt: skip
_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE"})
_SOURCES = frozenset({"BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST"})
_CLASSES = frozenset({
    "COLUMN_REF", "CONSTANT", "FUNCTION", "OPERATOR", "COMPARISON", "CONJUNCTION", "CASE",
    "CAST", "TYPE", "SUBQUERY", "STAR", "BETWEEN", "WINDOW", "COLLATE",
})  # fmt: skip
_OPERATORS = frozenset({
    "OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_COALESCE",
    "OPERATOR_NULLIF", "OPERATOR_TRY", "COMPARE_IN", "COMPARE_NOT_IN", "GROUPING_FUNCTION",
})  # fmt: skip

_VIEWS = ("duckdb_", "pg_", "pragma_", "sqlite_", "information_schema")
"""How the database's own views begin."""

Node = dict[str, Any]


def checked(connection: "duckdb.DuckDBPyConnection", sql: str, table: str) -> str:
    """The one statement, as it may be run; raises ToolFailed with what is wrong with it."""
    import duckdb

    text = sql.strip().rstrip(";").strip()
    if not text:
        raise ToolFailed("the query is empty")
    if len(text) > LONGEST_QUERY:
        raise ToolFailed(f"the query is longer than {LONGEST_QUERY} characters")
    try:
        statements = connection.extract_statements(text)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise ToolFailed("only one SELECT statement is allowed")
        row = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchone()
    except (duckdb.Error, UnicodeError) as error:
        raise ToolFailed(first_lines(str(error))) from None
    tree = _tree(row[0] if row else "")
    _check(tree, table)
    return text


def first_lines(error: str) -> str:
    """An error of DuckDB's in the words a model can act on, without the picture of the place."""
    for behind in ("\n\nLINE ", "\n\tCandidate functions"):
        error = error.partition(behind)[0]
    return error.strip()[:400]


def _tree(serialized: str) -> Node:
    try:
        tree = json.loads(serialized)
    except (ValueError, RecursionError):
        raise ToolFailed("the query is nested too deeply") from None
    if tree.get("error"):
        raise ToolFailed("only one SELECT statement is allowed")
    return tree


def _nodes(tree: Node) -> Iterator[Node]:
    """Every object in the tree, without recursion: the tree may be deep."""
    waiting: list[Any] = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _check(tree: Node, table: str) -> None:
    named = {table.casefold()} | _named_within(tree)
    growth = 0
    for node in _nodes(tree):
        kind = str(node.get("type", ""))
        if "class" in node:
            _check_expression(node, kind)
            growth += _grows(node)
        elif kind.endswith("_NODE"):
            if kind not in _NODES:
                raise ToolFailed("a recursive query is not allowed")
        elif "sample" in node:  # what every source of rows has, and a part of a query
            _check_source(node, kind, named)
    if growth > _GROWTH:
        raise ToolFailed("too many texts are joined in this query")


def _named_within(tree: Node) -> set[str]:
    """Names the query gives to parts of itself. One that the database has a view of is refused:
    outside of its part it would mean the view."""
    names = {
        str(entry["key"]).casefold()
        for node in _nodes(tree)
        if isinstance(node.get("map"), list)
        for entry in node["map"]
        if isinstance(entry, dict) and "key" in entry
    }
    if taken := sorted(name for name in names if not name.replace("_", "").isalnum()
                       or name.startswith(_VIEWS)):  # fmt: skip
        raise ToolFailed(f"no part of a query may be called {taken[0]!r}")
    return names


def _check_expression(node: Node, kind: str) -> None:
    sort = node["class"]
    if sort not in _CLASSES:
        raise ToolFailed(f"{sort.lower()} expressions are not allowed")
    if sort in ("FUNCTION", "WINDOW"):
        name = _function(node)
        if name not in FUNCTIONS:
            raise ToolFailed(f"the function {name} is not allowed")
    if sort == "OPERATOR" and kind not in _OPERATORS:
        raise ToolFailed("lists, structs and other nested values are not allowed")
    if sort == "TYPE" and str(node.get("type_name", "")).upper() not in _TYPES:
        raise ToolFailed(f"the type {node.get('type_name')} is not allowed")


def _function(node: Node) -> str:
    """A function's name; with its schema in front where one was given, which no list has."""
    path = node.get("qualified_name", {}).get("path") or [node.get("function_name", "")]
    return ".".join(str(part) for part in path).casefold()


def _grows(node: Node) -> int:
    if node["class"] != "FUNCTION" or _function(node) not in _GROWING:
        return 0
    return max(2, len(node.get("arguments") or ()))


def _check_source(node: Node, kind: str, named: set[str]) -> None:
    if kind not in _SOURCES:
        raise ToolFailed("only the given table can be read")
    if kind == "BASE_TABLE":
        path = node.get("qualified_name", {}).get("path") or [node.get("table_name", "")]
        if len(path) != 1 or str(path[0]).casefold() not in named:
            name = ".".join(str(part) for part in path)
            raise ToolFailed(f"there is no table {name!r} here, only the given one")
