"""Opening, refusing to open, mending what a crash left, running out of disk, copying."""

import signal
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from skill_agent.store.duckdb_ledger.schema import MIGRATIONS, NEWEST, migrate, stored_version
from skill_agent.store.ledger.anchor import Anchors

from skill_agent.errors import HomeBusy, LedgerBehind, LedgerTooNew, StoreError
from skill_agent.values import MemoryFilter


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def wal_of(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


async def test_the_files_are_private_also_after_a_checkpoint(ledger, ledger_path, make):
    await ledger.write_memories([make.created()])
    assert (mode(ledger_path), mode(wal_of(ledger_path))) == (0o600, 0o600)
    await ledger._run("checkpoint", lambda: ledger._database.run("CHECKPOINT"))
    await ledger.write_memories([make.created()])
    assert (mode(ledger_path), mode(wal_of(ledger_path))) == (0o600, 0o600)
    assert mode(ledger_path.parent) == 0o700


async def test_the_engine_reaches_no_network_and_its_settings_are_locked(ledger):
    def setting(name: str) -> object:
        return ledger._database.first("SELECT current_setting(?)", [name])[0]

    assert setting("autoinstall_known_extensions") is False
    assert setting("autoload_known_extensions") is False
    assert setting("threads") == 1
    with pytest.raises(StoreError):
        await ledger._run("set", lambda: ledger._database.run("SET threads = 8"))


async def test_a_newer_schema_is_refused_and_nothing_changes(ledger, ledger_path, open_ledger):
    await ledger.close()
    with duckdb.connect(str(ledger_path)) as connection:
        connection.execute("UPDATE meta SET schema_version = 99")
    before = ledger_path.read_bytes()
    with pytest.raises(LedgerTooNew, match="99") as caught:
        await open_ledger()
    assert "newer version" in caught.value.hint
    assert ledger_path.read_bytes() == before
    assert not wal_of(ledger_path).exists()


async def test_a_foreign_database_is_refused(ledger_path, open_ledger):
    ledger_path.parent.mkdir()
    with duckdb.connect(str(ledger_path)) as connection:
        connection.execute("CREATE TABLE prices (x INTEGER)")
    with pytest.raises(StoreError, match="not a ledger"):
        await open_ledger()
    with duckdb.connect(str(ledger_path)) as connection:
        assert connection.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [
            ("prices",)
        ]


async def test_no_database_a_folder_and_a_file_in_the_way_are_explained(tmp_path, open_ledger):
    text = tmp_path / "text"
    text.write_text("Dear diary" * 1000)
    with pytest.raises(StoreError, match="not a ledger"):
        await open_ledger(text)
    assert text.read_text() == "Dear diary" * 1000
    with pytest.raises(StoreError):
        await open_ledger(tmp_path)
    with pytest.raises(StoreError):
        await open_ledger(text / "ledger.duckdb")


async def test_a_second_opening_in_this_process_is_refused(ledger, open_ledger):
    with pytest.raises(HomeBusy, match="this process"):
        await open_ledger()


@pytest.fixture
def owner(ledger_path):
    """Another process that has the database open."""
    ledger_path.parent.mkdir()
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    command = [sys.executable, "-c", code, str(ledger_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


async def test_another_process_is_named(owner, open_ledger):
    with pytest.raises(HomeBusy) as caught:
        await open_ledger()
    assert caught.value.pid == owner.pid
    owner.kill()
    owner.wait()
    await open_ledger()


def test_each_migration_is_a_transaction_of_its_own(tmp_path):
    def broken(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("CREATE TABLE half_done (x INTEGER)")
        connection.execute("SELECT no_such_column")

    def sound(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("CREATE TABLE x (y INT)")

    path = str(tmp_path / "x.duckdb")
    with pytest.raises(duckdb.Error), duckdb.connect(path) as connection:
        migrate(connection, 0, (*MIGRATIONS, broken))
    with duckdb.connect(path) as connection:
        assert stored_version(connection) == NEWEST
        tables = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        assert ("half_done",) not in tables
        migrate(connection, NEWEST, (*MIGRATIONS, sound))
        assert stored_version(connection) == NEWEST + 1


# -- a crash, and a damaged write-ahead log ------------------------------------------------------

WRITER = """
import asyncio, os, sys
from datetime import UTC, datetime
from skill_agent.values import MemoryChange
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.values import Memory
async def main():
    ledger = await DuckLedger.open(sys.argv[1])
    now = datetime.now(UTC)
    if sys.argv[2] == "first":
        await ledger._run("checkpoint", lambda: ledger._database.run("CHECKPOINT"))
    for n in range(40):
        memory = Memory(id=f"{sys.argv[2]}-{n}", content="x" * 200, created_at=now, updated_at=now)
        await ledger.write_memories([MemoryChange(kind="memory.created", memory=memory, actor="u")])
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""


def crash(path: Path) -> Path:
    """A ledger killed with 40 writes only in its write-ahead log."""
    result = subprocess.run([sys.executable, "-c", WRITER, str(path), "first"], check=False)
    assert result.returncode == -signal.SIGKILL
    return path


@pytest.fixture
def crashed(ledger_path):
    return crash(ledger_path)


@pytest.fixture
def other_crashed(tmp_path):
    return crash(tmp_path / "other.duckdb")


async def stored(ledger) -> int:
    return len(await ledger.memories(MemoryFilter(limit=1000)))


async def test_a_crash_alone_loses_nothing_and_warns_of_nothing(crashed, open_ledger):
    ledger = await open_ledger()
    assert await stored(ledger) == 40
    assert ledger.warnings == ()


@pytest.mark.parametrize("damage", ["flipped", "zeroed", "cut", "repeated"])
async def test_a_wal_damaged_midway_gives_what_it_can_and_is_kept(crashed, open_ledger, damage):
    wal = wal_of(crashed)
    content = bytearray(wal.read_bytes())
    middle = len(content) // 2
    match damage:
        case "flipped":
            content[middle] ^= 0xFF
        case "zeroed":
            content[middle:] = bytes(len(content) - middle)
        case "cut":
            del content[middle:]
        case _:
            content[middle:middle] = content[2000:6000]
    wal.write_bytes(content)
    with pytest.raises(LedgerBehind, match="rows are missing"):
        await open_ledger()
    (kept,) = crashed.parent.glob("*.wal.damaged-*")
    assert kept.read_bytes() == content
    Anchors(crashed).remove()  # as whoever takes the ledger as it is
    ledger = await open_ledger()
    assert 5 < await stored(ledger) < 25
    (warning,) = ledger.warnings
    assert kept.name in warning
    assert (await ledger.verify()).problems == ()


async def test_an_unreadable_wal_is_set_aside_and_told(crashed, open_ledger, make):
    wal_of(crashed).write_bytes(b"garbage" * 500)
    with pytest.raises(LedgerBehind, match="rows are missing"):
        await open_ledger()
    (kept,) = crashed.parent.glob("*.wal.damaged-*")
    assert kept.read_bytes() == b"garbage" * 500
    Anchors(crashed).remove()
    ledger = await open_ledger()
    assert await stored(ledger) == 0
    (warning,) = ledger.warnings
    assert kept.name in warning
    await ledger.write_memories([make.created()])
    await ledger.close()
    again = await open_ledger()
    assert await stored(again) == 1
    (warning,) = again.warnings
    assert kept.name in warning, "it stays in sight as long as it is there"
    kept.unlink()
    assert again.warnings == ()


async def test_the_wal_of_another_ledger_is_set_aside(crashed, other_crashed, open_ledger):
    wal_of(other_crashed).replace(wal_of(crashed))
    with pytest.raises(LedgerBehind, match="rows are missing"):
        await open_ledger()
    Anchors(crashed).remove()
    ledger = await open_ledger()
    assert len(ledger.warnings) == 1
    assert (await ledger.verify()).problems == ()


# -- no room ---------------------------------------------------------------------------------

FULL_DISK = """
import asyncio, resource, signal, sys
from datetime import UTC, datetime
from skill_agent.errors import StoreError
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.values import Memory, Message, Session
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
now = datetime.now(UTC)
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
def said(n, size=100_000):
    text = "x" * size
    return Message(id=f"m{n}", session="s", turn="t", role="user", content=text, created_at=now)
async def refused(call):
    try:
        await call
    except StoreError as error:
        assert "disk is full" in error.message, error.message
        assert "Make room" in error.hint
        return
    raise AssertionError("saved on a full disk")
async def main():
    ledger = await DuckLedger.open(sys.argv[1])
    session = Session(id="s", title="", agent="a", created_at=now, updated_at=now)
    await ledger.create_session(session)
    await ledger.save_message(said(0))
    before = await ledger.counts()
    limit(400_000)
    await refused(ledger.save_message(said(1, 500_000)))
    text = "y" * 5000
    many = [Memory(id=str(n), content=text, created_at=now, updated_at=now) for n in range(200)]
    await refused(ledger.import_memories(many, actor="u"))
    assert await ledger.counts() == before
    assert (await ledger.verify()).problems == ()
    await refused(ledger._run("checkpoint", lambda: ledger._database.run("CHECKPOINT")))
    limit(resource.RLIM_INFINITY)
    await ledger.save_message(said(2))
    assert (await ledger.import_memories(many, actor="u")).added == 200
    assert (await ledger.verify()).problems == ()
    await ledger.close()
    again = await DuckLedger.open(sys.argv[1])
    assert [m.id for m in await again.messages("s")] == ["m0", "m2"]
    assert (await again.verify()).problems == ()
    print(again.warnings)
    await again.close()
asyncio.run(main())
"""


def test_a_full_disk_is_explained_leaves_nothing_half_done_and_is_survived(ledger_path):
    result = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(ledger_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout == "()\n"


# -- copies ----------------------------------------------------------------------------------


async def test_a_backup_is_a_whole_ledger_of_its_own(ledger, make, tmp_path, open_ledger):
    session = await ledger.create_session(make.session())
    await ledger.save_message(make.message(session))
    await ledger.import_memories([make.memory() for _ in range(100)], actor="user")
    target = tmp_path / "it's a copy" / "backup.duckdb"
    await ledger.backup(str(target))
    await ledger.write_memories([make.created()])
    assert mode(target) == 0o600
    assert [path.name for path in target.parent.iterdir()] == ["backup.duckdb"]

    copy = await open_ledger(target)
    assert (await copy.verify()).problems == ()
    assert (await copy.counts())["memories"] == 100
    await copy.write_memories([make.created()])
    assert (await copy.verify()).problems == ()
    assert (await ledger.verify()).problems == ()


async def test_a_backup_never_replaces_a_file(ledger, tmp_path):
    target = tmp_path / "precious"
    target.write_text("mine")
    with pytest.raises(StoreError, match="exists already"):
        await ledger.backup(str(target))
    assert target.read_text() == "mine"
    assert (await ledger.counts())["log"] == 0


async def test_a_backup_that_fails_leaves_no_file(ledger, tmp_path, make):
    (tmp_path / "a file").write_text("")
    with pytest.raises(StoreError):
        await ledger.backup(str(tmp_path / "a file" / "backup.duckdb"))
    await ledger.write_memories([make.created()])
    await ledger.backup(str(tmp_path / "second.duckdb"))
