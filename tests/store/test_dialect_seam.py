"""Only one folder of the ledger speaks SQL, so that one on another database needs no more than its
own. Tables that are handed over have another: it keeps nothing, and knows no ledger."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

STORE = Path(__file__).resolve().parents[2] / "store"
DUCKDB = STORE / "duckdb_ledger"
TABLES = STORE / "duckdb_tables"
SQL = re.compile(
    r"\b(SELECT\b.+\bFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE"
    r"|ORDER\s+BY|GROUP\s+BY|PRAGMA|CHECKPOINT|ROLLBACK)\b",
    re.DOTALL,
)
SPOKEN_THERE = ("duckdb", "duckdb_ledger", "psycopg", "sqlite3", "sqlalchemy")


def offences(source: str) -> Iterator[str]:
    """What in a module belongs to a database of some kind."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(one.name for one in node.names)]
        elif isinstance(node, ast.Constant) and SQL.search(str(node.value)):
            yield f"{node.lineno} SQL"
        for name in names:
            if set(name.split(".")) & set(SPOKEN_THERE):
                yield f"{getattr(node, 'lineno', 0)} imports {name}"


def test_sql_stands_in_one_folder() -> None:
    others = [path for path in STORE.rglob("*.py") if not {DUCKDB, TABLES} & {*path.parents}]
    assert len(others) > 20
    assert [
        f"{path.relative_to(STORE)}:{what}"
        for path in sorted(others)
        for what in offences(path.read_text(encoding="utf-8"))
    ] == []


def test_the_test_sees_what_it_forbids() -> None:
    for path in ("database.py", "conversations.py", "purge.py"):
        assert list(offences((DUCKDB / path).read_text(encoding="utf-8")))
    assert list(offences("from ..duckdb_ledger.database import Database"))
    assert list(offences("from skill_agent.store import duckdb_ledger"))
    assert not list(offences('"""Rows that were selected from others, updated and set."""'))


def test_tables_know_no_ledger() -> None:
    known = [
        f"{path.name}: {node.module}"
        for path in TABLES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and "ledger" in (node.module or "")
    ]
    assert known == []
