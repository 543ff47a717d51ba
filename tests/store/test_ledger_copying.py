"""A copy is made beside the ledger's thread: of one moment, and in nobody's way."""

import asyncio
from pathlib import Path

import pytest
from skill_agent.store.duckdb_ledger.copies import DuckCopies
from skill_agent.store.duckdb_ledger.schema import NEWEST

from skill_agent.errors import LedgerTooNew, StoreError
from skill_agent.values import Purge


async def filled(ledger, make, many: int = 20_000):
    await ledger.import_memories([make.memory() for _ in range(many)], actor="user")


@pytest.mark.deep
async def test_what_is_written_meanwhile_waits_for_nothing(ledger, make, tmp_path, open_ledger):
    await filled(ledger, make)
    session = await ledger.create_session(make.session())
    before = await ledger.last_seq()
    copying = asyncio.create_task(ledger.backup(str(tmp_path / "copy.duckdb")))
    written = 0
    while not copying.done():
        await ledger.save_message(make.message(session))
        written += 1
    await copying
    assert written > 1
    copy = await open_ledger(tmp_path / "copy.duckdb")
    assert (await copy.verify()).problems == ()
    assert before <= await copy.last_seq() <= await ledger.last_seq() == before + written
    assert (await ledger.verify()).problems == ()


async def test_one_copy_at_a_time(ledger, make, tmp_path):
    await filled(ledger, make)
    first = asyncio.create_task(ledger.backup(str(tmp_path / "1.duckdb")))
    second = asyncio.create_task(ledger.backup(str(tmp_path / "2.duckdb")))
    done = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(one) for one in done] == [type(None), StoreError]


@pytest.mark.deep
@pytest.mark.parametrize("how", ["closed", "purged"])
async def test_a_copy_ends_with_its_ledger_and_before_a_purge(ledger, make, tmp_path, how):
    await filled(ledger, make)
    memory = (await ledger.write_memories([make.created()]))[0]
    copying = asyncio.create_task(ledger.backup(str(tmp_path / "copy.duckdb")))
    await asyncio.sleep(0)  # it is begun, on the ledger's thread, before anything below
    if how == "closed":
        await ledger.close()
    else:
        done = await ledger.purge(Purge(memories=(memory.id,), actor="person"))
        assert not done.problem and done.memories == 1
    with pytest.raises(StoreError, match="broken off"):
        await copying
    assert [one.name for one in tmp_path.iterdir()] == ["store"]


async def test_a_caller_that_leaves_leaves_nothing(ledger, make, tmp_path):
    await filled(ledger, make)
    copying = asyncio.create_task(ledger.backup(str(tmp_path / "copy.duckdb")))
    await asyncio.sleep(0)
    copying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying
    assert [one.name for one in tmp_path.iterdir()] == ["store"]
    await ledger.write_memories([make.created()])
    await ledger.backup(str(tmp_path / "again.duckdb"))


async def test_a_look_at_a_copy_changes_nothing(ledger, make, tmp_path):
    await ledger.write_memories([make.created()])
    target = tmp_path / "copy.duckdb"
    await ledger.backup(str(target))
    before = target.read_bytes()
    copies = DuckCopies()
    head = copies.head(target)
    assert (head.seq, head.schema) == (1, NEWEST) and len(head.hash) == 64
    assert target.read_bytes() == before and {one.name for one in tmp_path.iterdir()} == {
        "store",
        "copy.duckdb",
    }
    report = await asyncio.to_thread(copies.verify, target)
    assert (report.rows, report.problems) == (1, ())


async def test_a_copy_of_a_newer_version_is_refused(ledger, tmp_path):
    target = tmp_path / "copy.duckdb"
    await ledger.backup(str(target))
    set_schema(target, NEWEST + 1)
    assert DuckCopies().head(target).schema == NEWEST + 1
    with pytest.raises(LedgerTooNew):
        await asyncio.to_thread(DuckCopies().verify, target)


def test_what_is_no_ledger_is_told(tmp_path):
    (tmp_path / "x.duckdb").write_text("not a database" * 1000)
    with pytest.raises(StoreError):
        DuckCopies().head(tmp_path / "x.duckdb")


def set_schema(file: Path, version: int) -> None:
    import duckdb

    with duckdb.connect(str(file)) as connection:
        connection.execute("UPDATE meta SET schema_version = ?", [version])
