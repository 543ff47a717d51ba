"""kill -9 at random moments: what was acknowledged is there, and the ledger verifies."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from skill_agent.store.duckdb_ledger.ledger import DuckLedger

from skill_agent.values import MemoryFilter

pytestmark = pytest.mark.deep

ROUNDS = 12

WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from skill_agent.values import MemoryChange
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.values import Memory, Message, Session

def memory(name):
    now = datetime.now(UTC)
    return Memory(id=name, content="x" * 300, created_at=now, updated_at=now)

def said(*words):
    print(*words, flush=True)

async def single(ledger, run):
    for n in range(100_000):
        change = MemoryChange(kind="memory.created", memory=memory(f"{run}-{n}"), actor="u")
        await ledger.write_memories([change])
        said("memory", f"{run}-{n}")

async def talk(ledger, run):
    now = datetime.now(UTC)
    session = Session(id=run, title="", agent="kyra", created_at=now, updated_at=now)
    await ledger.create_session(session)
    for n in range(100_000):
        message = Message(
            id=f"{run}-m{n}", session=run, turn="t", role="user", content="hello", created_at=now
        )
        await ledger.save_message(message)
        said("message", message.id)

async def bulk(ledger, run):
    for n in range(100_000):
        rows = [memory(f"{run}-{n}-{row}") for row in range(1000)]
        await ledger.import_memories(rows, actor="u")
        said("import", f"{run}-{n}")

async def main():
    path, kind, run = sys.argv[1:]
    ledger = await DuckLedger.open(path)
    said("ready")
    await {"single": single, "talk": talk, "bulk": bulk}[kind](ledger, run)

asyncio.run(main())
"""


def killed(path: Path, kind: str, run: str, seconds: float) -> list[list[str]]:
    """Lets a writer work for a while, kills it, and returns what it had acknowledged."""
    command = [sys.executable, "-c", WRITER, str(path), kind, run]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(seconds)
        writer.kill()
        lines = writer.stdout.read().split("\n")
    # The last piece has no line end: it was never acknowledged.
    return [line.split() for line in lines[:-1]]


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[list[str]]]]:
    """One ledger that was killed again and again, and each round's acknowledgements."""
    path = tmp_path_factory.mktemp("crash") / "ledger.duckdb"
    chance = random.Random()
    kinds = ("single", "talk", "bulk")
    rounds = [
        killed(path, kinds[number % 3], f"run{number}", chance.uniform(0.01, 0.4))
        for number in range(ROUNDS)
    ]
    return path, rounds


async def test_every_acknowledged_write_survives_and_the_chain_is_whole(aftermath):
    path, rounds = aftermath
    ledger = await DuckLedger.open(path)
    memories = {m.id for m in await ledger.memories(MemoryFilter(limit=10_000_000))}
    report = await ledger.verify()
    # A write torn by the kill may be told as a warning; what was acknowledged is there.
    assert report.problems == ()
    assert report.memories == len(memories)
    for kind, name in (acknowledged for lines in rounds for acknowledged in lines):
        match kind:
            case "memory":
                assert name in memories
            case "message":
                assert await ledger.message(name) is not None
            case _:
                assert all(f"{name}-{row}" in memories for row in range(1000))
    await ledger.close()
    assert sum(map(len, rounds)) > ROUNDS


async def test_an_import_is_never_half_there(aftermath):
    path, _ = aftermath
    ledger = await DuckLedger.open(path)
    imports: dict[str, int] = {}
    for memory in await ledger.memories(MemoryFilter(limit=10_000_000)):
        if memory.id.count("-") == 2:
            run = memory.id.rsplit("-", 1)[0]
            imports[run] = imports.get(run, 0) + 1
    assert set(imports.values()) <= {1000}
    await ledger.close()
