"""Older ledgers come to the newest schema on a copy; whatever goes wrong, the old file stays."""

import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest
from skill_agent.store.duckdb_ledger.database import Database
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.store.duckdb_ledger.migrating import bring_up, kept_copies, rotate
from skill_agent.store.duckdb_ledger.schema import MIGRATIONS, NEWEST

from skill_agent.errors import StoreError
from skill_agent.values import MemoryFilter


def made_older(path: Path) -> None:
    """The file as schema 4 had it."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("ALTER TABLE messages DROP COLUMN outcome")
        connection.execute("ALTER TABLE messages DROP COLUMN zone")
        connection.execute("UPDATE meta SET schema_version = 4")


@pytest.fixture
async def older(ledger, make, ledger_path) -> Path:
    session = await ledger.create_session(make.session())
    await ledger.save_message(make.message(session, "What was said"))
    await ledger.import_memories([make.memory() for _ in range(50)], actor="user")
    await ledger.close()
    made_older(ledger_path)
    return ledger_path


async def test_the_file_from_before_is_kept_and_all_is_there(older, open_ledger):
    before = older.read_bytes()
    ledger = await open_ledger()
    assert (await ledger.verify()).problems == ()
    assert (await ledger.counts())["memories"] == 50
    (kept,) = kept_copies(older)
    assert kept.name == f"ledger.duckdb.before-v{NEWEST}"
    assert kept.read_bytes() == before
    assert kept.stat().st_mode & 0o777 == 0o600
    names = {file.name for file in older.parent.iterdir()}
    assert not {name for name in names if "migrating" in name}
    assert ledger.warnings == ()


def broken(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("ALTER TABLE messages ADD COLUMN half_done VARCHAR")
    connection.execute("SELECT no_such_column")


def loses_rows(connection: duckdb.DuckDBPyConnection) -> None:
    MIGRATIONS[4](connection)
    connection.execute("DELETE FROM memories WHERE id = (SELECT min(id) FROM memories)")


def alters_rows(connection: duckdb.DuckDBPyConnection) -> None:
    MIGRATIONS[4](connection)
    connection.execute("UPDATE messages SET content = 'Something else'")


@pytest.mark.parametrize("step", [broken, loses_rows, alters_rows])
async def test_a_step_that_fails_leaves_the_old_file(older, open_ledger, step):
    before = older.read_bytes()
    database = Database(older)
    database.open()
    with pytest.raises(StoreError, match=r"from schema 4 to 5: .*The old file is in its place"):
        bring_up(database, (*MIGRATIONS[:4], step))
    assert database.version == 4
    database.close()
    assert older.read_bytes() == before
    assert kept_copies(older) == []
    ledger = await open_ledger()
    assert (await ledger.verify()).problems == ()


async def test_damage_from_before_is_no_fault_of_the_step(older, open_ledger):
    with duckdb.connect(str(older)) as connection:
        connection.execute("UPDATE memories SET content = 'altered' WHERE id = 'memory-000003'")
    ledger = await open_ledger()
    problems = (await ledger.verify()).problems
    assert len(problems) == 1
    assert "memory-000003" in problems[0]


KILLED = """
import os, sys
from pathlib import Path
from skill_agent.store.duckdb_ledger.database import Database
from skill_agent.store.duckdb_ledger.migrating import bring_up
from skill_agent.store.duckdb_ledger.schema import MIGRATIONS
def dies(connection):
    MIGRATIONS[4](connection)
    os.kill(os.getpid(), 9)
database = Database(Path(sys.argv[1]))
database.open()
bring_up(database, (*MIGRATIONS[:4], dies))
"""


@pytest.fixture
def killed(older) -> bytes:
    """The file's content before a process died while migrating it."""
    before = older.read_bytes()
    subprocess.run([sys.executable, "-c", KILLED, str(older)], check=False)
    return before


async def test_a_kill_in_the_middle_is_begun_anew(older, killed, open_ledger):
    before = killed
    assert older.read_bytes() == before
    ledger = await open_ledger()
    assert (await ledger.verify()).problems == ()
    assert not list(older.parent.glob("*.migrating*"))


async def test_an_older_file_can_be_read_where_it_cannot_be_migrated(older, clock):
    before = older.read_bytes()
    ledger = await DuckLedger.open(older, clock, only_reads=True)
    assert len(await ledger.memories(MemoryFilter(limit=100))) == 50
    (session,) = await ledger.sessions()
    (message,) = await ledger.messages(session.id)
    assert (message.content, message.zone) == ("What was said", "")
    assert (await ledger.verify()).problems == ()
    await ledger.close()
    assert older.read_bytes() == before


def test_only_the_newest_copy_is_kept_and_not_for_ever(tmp_path):
    ledger = tmp_path / "ledger.duckdb"
    for version in (4, 5, 11):
        ledger.with_name(f"ledger.duckdb.before-v{version}").write_text("x")
    rotate(ledger)
    assert [file.name for file in kept_copies(ledger)] == ["ledger.duckdb.before-v11"]
    os.utime(kept_copies(ledger)[0], (0, time.time() - 31 * 86_400))
    rotate(ledger)
    assert kept_copies(ledger) == []
