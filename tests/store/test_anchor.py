"""The anchor: a log that lost its end, a ledger that is gone or another's, is never opened as if
nothing were missing; and nothing else is taken for that."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.store.ledger.anchor import Anchors, anchor_file, reset
from skill_agent.store.ledger.chain import Head

from skill_agent.errors import LedgerBehind, StoreError
from skill_agent.files.home import Home
from skill_agent.values import MemoryFilter


async def keep(ledger: DuckLedger, make, count: int = 3) -> None:
    for _ in range(count):
        await ledger.write_memories([make.created()])


async def test_it_follows_every_commit_and_is_never_ahead(ledger, ledger_path, make):
    for _ in range(5):
        await keep(ledger, make, 1)
        await ledger.counts()  # whatever follows a commit on the ledger's thread
        anchor = Anchors(ledger_path).read()
        assert anchor is not None
        assert (anchor.seq, anchor.hash) == (ledger._journal.head.seq, ledger._journal.head.hash)
    await ledger.close()
    closed = Anchors(ledger_path).read()
    assert closed is not None
    assert closed.seq == 5
    assert anchor_file(ledger_path).stat().st_mode & 0o777 == 0o600


@pytest.fixture
async def filled(ledger, make) -> Path:
    await keep(ledger, make)
    await ledger.close()
    return ledger._database.path


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


async def refused(open_ledger, path: Path, why: str) -> None:
    """An opening says what is missing and names the ways on, and changes nothing."""
    before = content(path)
    with pytest.raises(LedgerBehind, match=why) as caught:
        await open_ledger(path)
    for way in ("ska backup restore", "--salvage", "--accept-loss"):
        assert way in caught.value.hint
    assert content(path) == before


async def test_a_missing_and_an_empty_file_are_no_new_home(filled, open_ledger):
    filled.unlink()
    await refused(open_ledger, filled, "row 3 .*is not there")
    filled.touch()
    await refused(open_ledger, filled, "row 3 .*is not there")


async def test_an_older_copy_put_back_is_noticed(filled, open_ledger, make, tmp_path):
    shutil.copy(filled, tmp_path / "older")
    ledger = await open_ledger()
    await keep(ledger, make, 2)
    await ledger.close()
    shutil.copy(tmp_path / "older", filled)
    await refused(open_ledger, filled, "ended at row 5 .* ends at row 3: 2 rows are missing")


async def test_the_ledger_of_another_home_is_noticed_though_it_is_longer(
    filled, open_ledger, make, tmp_path
):
    other = await open_ledger(tmp_path / "other" / "ledger.duckdb")
    await keep(other, make, 9)
    await other.close()
    shutil.copy(tmp_path / "other" / "ledger.duckdb", filled)
    await refused(open_ledger, filled, "another home's")


WRITER = """
import asyncio, os, sys
from datetime import UTC, datetime
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.values import Memory, MemoryChange
async def main():
    ledger = await DuckLedger.open(sys.argv[1])
    now = datetime.now(UTC)
    for n in range(3):
        memory = Memory(id=f"lost-{n}", content="x", created_at=now, updated_at=now)
        await ledger.write_memories([MemoryChange(kind="memory.created", memory=memory, actor="u")])
    await ledger.counts()
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""


@pytest.fixture
def killed(filled) -> Path:
    """Three more rows, in the write-ahead log alone."""
    subprocess.run([sys.executable, "-c", WRITER, str(filled)], check=False)
    return filled


async def test_a_lost_write_ahead_log_is_noticed(killed, open_ledger):
    filled, wal = killed, killed.with_name(killed.name + ".wal")
    kept = wal.read_bytes()
    wal.unlink()
    await refused(open_ledger, filled, "3 rows are missing")
    wal.write_bytes(kept)
    again = await open_ledger(filled)
    assert len(await again.memories(MemoryFilter(limit=100))) == 6


async def test_a_crash_between_a_commit_and_its_anchor_is_in_order(filled, open_ledger, make):
    older = anchor_file(filled).read_bytes()
    ledger = await open_ledger()
    await keep(ledger, make, 2)
    await ledger.close()
    anchor_file(filled).write_bytes(older)
    again = await open_ledger()
    assert await again.last_seq() == 5
    anchor = Anchors(filled).read()
    assert anchor is not None
    assert anchor.seq == 5


async def test_a_damaged_anchor_is_no_alarm_and_made_anew(filled, open_ledger):
    whole = anchor_file(filled).read_bytes()
    for place in range(0, len(whole), 37):
        broken = bytearray(whole)
        broken[place] ^= 0x15
        anchor_file(filled).write_bytes(broken)
        ledger = await open_ledger()
        assert await ledger.last_seq() == 3
        await ledger.close()
    for content in (b"", b"\0" * 600, b'{"seq": 99}\n'):
        anchor_file(filled).write_bytes(content)
        ledger = await open_ledger()
        await ledger.close()
        anchor = Anchors(filled).read()
        assert anchor is not None
        assert anchor.seq == 3


async def test_an_anchor_that_cannot_be_written_stops_nobody(filled, open_ledger, make):
    anchor_file(filled).unlink()
    anchor_file(filled).mkdir()
    ledger = await open_ledger()
    await keep(ledger, make, 2)
    await ledger.close()
    again = await open_ledger()
    assert await again.last_seq() == 5


async def test_the_index_vouches_for_a_ledger_whose_anchor_is_gone(filled, clock, tmp_path):
    index = tmp_path / "memory.lance"
    (index / "items.lance").mkdir(parents=True)
    ledger = await DuckLedger.open(filled, clock, index=index)
    await ledger.close()
    anchor_file(filled).unlink()
    filled.unlink()
    with pytest.raises(LedgerBehind, match="row 3"):
        await DuckLedger.open(filled, clock, index=index)
    (index / "ledger.anchor").unlink()
    with pytest.raises(LedgerBehind, match="search index beside it is full"):
        await DuckLedger.open(filled, clock, index=index)
    assert not filled.exists()


async def test_what_is_lost_can_be_accepted_and_the_log_says_so(filled, clock, make, tmp_path):
    index = tmp_path / "memory.lance"
    (index / "items.lance").mkdir(parents=True)
    filled.unlink()
    ledger = await DuckLedger.open(filled, clock, index=index, as_it_is=True)
    await ledger.accept_loss({"log_ended_at": 3})
    await ledger.close()
    again = await DuckLedger.open(filled, clock, index=index)
    (row,) = await again.log(kinds=("ledger.loss_accepted",))
    assert row.new == {"log_ended_at": 3}
    assert (await again.verify()).problems == ()
    assert not index.exists(), "it knows more than the ledger, and lies aside"
    (warning,) = again.warnings
    assert "kept aside" in warning
    await again.close()


async def test_whoever_puts_a_ledger_in_place_says_where_it_ends(filled, open_ledger, make):
    home = Home(filled.parent)
    reset(home, 99, "f" * 64, at="2026-11-20T09:00:00Z")
    await refused(open_ledger, filled, "row 99")
    ledger = await DuckLedger.open(filled.with_name("x.duckdb"))
    await ledger.close()
    head = Head(3, (await _hash(filled)))
    reset(home, head.seq, head.hash, at="2026-11-20T09:00:00Z")
    await open_ledger()


async def _hash(path: Path) -> str:
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute("SELECT hash FROM log ORDER BY seq DESC LIMIT 1").fetchall()[0][0]


async def test_a_ledger_is_read_where_nothing_may_be_written(filled, clock, make):
    before = {file.name: file.read_bytes() for file in filled.parent.iterdir()}
    ledger = await DuckLedger.open(filled, clock, only_reads=True)
    assert len(await ledger.memories(MemoryFilter(limit=10))) == 3
    assert (await ledger.verify()).problems == ()
    with pytest.raises(StoreError, match="read-only"):
        await ledger.write_memories([make.created()])
    with pytest.raises(StoreError, match="read-only"):
        await ledger.save_calls((), seen=0, before=clock(), most_bytes=1)
    await ledger.close()
    assert {file.name: file.read_bytes() for file in filled.parent.iterdir()} == before
