"""The projector over a real ledger and an index that fails: nothing is lost, everything is told."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fakes import HashEmbedder, StepClock
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.store.lance_index.index import LanceIndex

from skill_agent.errors import LedgerBehind
from skill_agent.memory.recall.projector import Projector
from skill_agent.values import Memory, MemoryChange


class Moody(HashEmbedder):
    """Breaks for texts with a bad word until it is mended."""

    mended = False

    def embed(self, texts: Any) -> Any:
        if not self.mended and any("bad" in text for text in texts):
            raise RuntimeError("no strength")
        return super().embed(texts)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[DuckLedger]:
    ledger = await DuckLedger.open(tmp_path / "ledger.duckdb", StepClock(), user="me")
    yield ledger
    await ledger.close()


@pytest.fixture
def embedder() -> Moody:
    return Moody()


@pytest.fixture
def projector(ledger: DuckLedger, tmp_path: Path, embedder: Moody) -> Projector:
    return Projector(ledger, lambda: LanceIndex.open(tmp_path / "index", embedder))


async def keep(ledger: DuckLedger, *texts: str) -> None:
    now = StepClock()()
    await ledger.write_memories(
        [
            MemoryChange(
                kind="memory.created", actor="test",
                memory=Memory(id=f"memory-{text}", content=text, created_at=now, updated_at=now),
            )
            for text in texts
        ]
    )  # fmt: skip


async def test_a_failing_index_is_told_and_catches_up_once_it_can(
    ledger: DuckLedger, projector: Projector, embedder: Moody
) -> None:
    await projector.start()
    await keep(ledger, "good one", "bad one")
    missing = await projector.settle_briefly(await ledger.last_seq(), seconds=20)
    assert missing == await projector.lag()
    status = await projector.status()
    assert (status.problem, status.lag > 0) == ("no strength", True)
    assert (await ledger.counts())["memories"] == 2
    embedder.mended = True
    await projector.settle()
    assert await projector.settle_briefly(await ledger.last_seq()) == 0
    assert (await projector.counts())["memories"] == 2
    await projector.close()


async def test_closing_with_a_failing_index_raises_nothing(
    ledger: DuckLedger, projector: Projector, tmp_path: Path
) -> None:
    await projector.settle()
    await keep(ledger, "bad one")
    await projector.close()
    assert isinstance(projector.problem, RuntimeError)
    later = Projector(ledger, lambda: LanceIndex.open(tmp_path / "index", HashEmbedder()))
    await later.settle()
    assert (await later.counts())["memories"] == 1
    await later.close()


async def test_closing_at_once_leaves_the_rest_to_the_next(
    ledger: DuckLedger, projector: Projector
) -> None:
    await projector.start()
    await keep(ledger, *(f"good number{i}" for i in range(50)))
    projector.touch()
    await projector.close()
    assert projector.problem is None


async def test_an_index_ahead_of_its_ledger_says_that_the_ledger_lost_something(
    ledger: DuckLedger, projector: Projector, tmp_path: Path, embedder: Moody
) -> None:
    await keep(ledger, *(f"good number{i}" for i in range(5)))
    await projector.settle()
    await projector.close()
    restored = await DuckLedger.open(tmp_path / "restored.duckdb", StepClock(), user="me")
    await keep(restored, "good old times")
    again = Projector(restored, lambda: LanceIndex.open(tmp_path / "index", embedder))
    with pytest.raises(LedgerBehind, match="4 rows are missing"):
        await again.settle()
    await again.close()
    await restored.close()
    kept = Projector(ledger, lambda: LanceIndex.open(tmp_path / "index", embedder))
    assert (await kept.counts())["memories"] == 5, "what is missing may stand only in the index"
    await kept.close()


async def test_scrubbing_while_following_does_not_stop_it(
    ledger: DuckLedger, projector: Projector
) -> None:
    await projector.start()
    writing = asyncio.create_task(keep(ledger, *(f"good number{i}" for i in range(30))))
    await projector.scrub()
    await writing
    await projector.settle()
    assert (await projector.counts())["memories"] == 30
    assert (await projector.status()).problem == ""
    await projector.close()


async def test_a_few_rows_are_waited_for(ledger: DuckLedger, projector: Projector) -> None:
    await keep(ledger, *(f"line {i}" for i in range(60)))
    assert await projector.settle_briefly(await ledger.last_seq()) == 0
    assert (await projector.counts())["memories"] == 60
    await projector.close()
