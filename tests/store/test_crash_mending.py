"""kill -9 at random moments of a migration and of a salvage: the home opens afterwards, whole."""

import random
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest
from skill_agent.store.duckdb_ledger.ledger import DuckLedger

from skill_agent.errors import StoreError
from skill_agent.files.home import Home
from skill_agent.values import MemoryFilter

MEMORIES = 2_000

FILLER = f"""
import asyncio, sys
from datetime import UTC, datetime
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.values import Memory
async def main():
    now = datetime.now(UTC)
    ledger = await DuckLedger.open(sys.argv[1])
    rows = [
        Memory(id=f"memory-{{n}}", content=f"{{n}} " + "x" * 200, created_at=now, updated_at=now)
        for n in range({MEMORIES})
    ]
    await ledger.import_memories(rows, actor="user")
    await ledger.close()
asyncio.run(main())
"""
OPENER = """
import asyncio, sys
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
async def main():
    print("ready", flush=True)
    ledger = await DuckLedger.open(sys.argv[1])
    await ledger.close()
    print("done", flush=True)
asyncio.run(main())
"""
MENDER = """
import sys
from pathlib import Path
from skill_agent.cli.main import run
from skill_agent.cli.surroundings import Surroundings
print("ready", flush=True)
code = run(["doctor", "--salvage", "--yes"], Surroundings(path=Path(sys.argv[1]).parent))
print("done" if code == 0 else "refused", flush=True)
"""


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    path = tmp_path / "home" / "ledger.duckdb"
    subprocess.run([sys.executable, "-c", FILLER, str(path)], check=True)
    (path.parent / "config.toml").write_text("")
    return path


def made_older(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("ALTER TABLE messages DROP COLUMN outcome")
        connection.execute("ALTER TABLE messages DROP COLUMN zone")
        connection.execute("UPDATE meta SET schema_version = 4")


def altered(path: Path) -> None:
    """So that it does not verify."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE log SET payload = '{}' WHERE seq = 7")


def killed(script: str, path: Path, seconds: float) -> str:
    """Lets it work for a while after it is ready; how far it said it came."""
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=seconds)
        process.kill()
        return "done" if b"done" in process.stdout.read() else "killed"


async def opened(path: Path) -> int:
    ledger = await DuckLedger.open(path, index=Home(path.parent).index)
    try:
        count = len(await ledger.memories(MemoryFilter(limit=100_000)))
        assert (await ledger.verify()).problems == ()
        return count
    finally:
        await ledger.close()


@pytest.mark.deep
async def test_a_migration_that_is_killed(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance, ended = random.Random(), Counter[str]()
    for _ in range(8):
        made_older(filled)
        ended[killed(OPENER, filled, chance.uniform(0.0, 1.5))] += 1
        assert await opened(filled) == MEMORIES
        assert not list(filled.parent.glob("*.migrating*"))
    with capsys.disabled():
        print(f"\n8 kills in a migration: {dict(ended)}, nothing lost")


@pytest.mark.deep
async def test_a_salvage_that_is_killed(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance, ended = random.Random(), Counter[str]()
    for _ in range(8):
        altered(filled)
        ended[killed(MENDER, filled, chance.uniform(0.5, 6.0))] += 1
        try:
            assert await opened(filled) >= MEMORIES - 1
            ended["whole"] += 1
        except (AssertionError, StoreError):  # still the damaged one: it is mended now
            assert killed(MENDER, filled, 300.0) == "done"
            assert await opened(filled) >= MEMORIES - 1
            ended["mended then"] += 1
    with capsys.disabled():
        print(f"\n8 kills in a salvage: {dict(ended)}")
