"""Another embedder: the old vectors answer until the new ones are whole, through crashes too."""

import asyncio
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fakes import HashEmbedder, StepClock
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.store.embedding import WordsOnly
from skill_agent.store.lance_index.index import LanceIndex

from skill_agent.errors import ModelUnavailable
from skill_agent.memory.recall.projector import Projector
from skill_agent.values import Delta, IndexItem, Memory, MemoryChange, RecallQuery, Scope

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class OtherEmbedder(HashEmbedder):
    name = "hash-other"
    dimensions = 32


class Unloadable(HashEmbedder):
    def embed(self, texts: Any) -> Any:
        raise ModelUnavailable("its files are gone")


class Sulking(OtherEmbedder):
    """Fails until it is told otherwise."""

    name = "hash-sulking"

    def __init__(self) -> None:
        self.willing = False

    def embed(self, texts: Any) -> Any:
        if not self.willing:
            raise ModelUnavailable("not now")
        return super().embed(texts)


def both(name: str) -> HashEmbedder | None:
    """The embedders by name, as a home would find them."""
    return {"hash-64": HashEmbedder(), "hash-other": OtherEmbedder()}.get(name)


def memory(item_id: str, text: str, seq: int) -> IndexItem:
    return IndexItem(
        id=item_id, kind="memory", text=text, seq=seq, memory_type="semantic",
        created_at=NOW - timedelta(days=1),
    )  # fmt: skip


FACTS = [memory(f"m{i}", f"fact number{i}", i) for i in range(1, 101)]


def after(seq: int, items: list[IndexItem] = FACTS, limit: int = 30) -> Delta:
    """What a ledger with these items would hand over."""
    left = [item for item in items if item.seq > seq]
    part = tuple(left[:limit])
    reached = part[-1].seq if part else seq
    return Delta(items=part, removed=(), up_to=reached, behind=len(left) - len(part))


async def ids(index: LanceIndex, text: str) -> list[str]:
    hits = await index.recall(RecallQuery(text=text, scope=Scope(), now=NOW, limit=20))
    return [hit.item.id for hit in hits]


async def dense(index: LanceIndex, text: str) -> float:
    hits = await index.recall(RecallQuery(text=text, scope=Scope(), now=NOW, limit=1))
    return hits[0].signals["dense"]


@pytest.fixture
async def old(tmp_path: Path) -> Path:
    index = await LanceIndex.open(tmp_path, HashEmbedder())
    await index.apply(after(0, limit=1000))
    await index.close()
    return tmp_path


def folders(directory: Path) -> list[str]:
    return sorted(folder.parent.name for folder in directory.rglob("items.lance"))


async def test_the_old_vectors_answer_until_the_new_ones_are_whole(old: Path) -> None:
    index = await LanceIndex.open(old, OtherEmbedder(), named=both)
    seen = []
    while (state := index.rebuilding) is not None:
        seen.append((state.done, state.total))
        assert (state.old, state.new, index.embedder) == ("hash-64", "hash-other", "hash-64")
        assert await index.watermark() == 100
        assert (await ids(index, "number42"))[0] == "m42"
        assert await dense(index, "number42") > 0
        await index.grow(after(await index.rebuilt_to()))
    assert seen == [(0, 100), (30, 100), (60, 100), (90, 100)]
    assert index.embedder == "hash-other"
    assert index.problem == ""
    assert (await ids(index, "number42"))[0] == "m42"
    assert len(folders(old)) == 1
    await index.close()
    again = await LanceIndex.open(old, OtherEmbedder())
    assert again.rebuilding is None
    assert await again.watermark() == 100
    assert (await again.counts())["items"] == 100


async def test_it_goes_on_where_the_last_process_stopped(old: Path) -> None:
    index = await LanceIndex.open(old, OtherEmbedder(), named=both)
    await index.grow(after(0))
    await index.close()
    again = await LanceIndex.open(old, OtherEmbedder(), named=both)
    assert again.rebuilding is not None and again.rebuilding.done == 30
    assert await again.rebuilt_to() == 30
    assert (await again.counts())["items"] == 100


async def test_new_writes_reach_both(old: Path) -> None:
    index = await LanceIndex.open(old, OtherEmbedder(), named=both)
    await index.grow(after(0, limit=1000))  # whole
    assert index.rebuilding is None
    await index.close()

    index = await LanceIndex.open(old, HashEmbedder(), named=both)
    await index.grow(after(0))
    now = [*FACTS[1:], memory("new", "a walrus came", 101), memory("m1", "changed walrus", 102)]
    await index.apply(Delta(items=tuple(now[-2:]), removed=("m50",), up_to=103))
    now = [item for item in now if item.id != "m50"]
    assert set((await ids(index, "walrus"))[:2]) == {"new", "m1"}
    while index.rebuilding is not None:
        await index.grow(after(await index.rebuilt_to(), now))
        if await index.rebuilt_to() == 102:
            await index.grow(Delta(items=(), removed=("m50",), up_to=103))
    assert index.embedder == "hash-64"
    assert set((await ids(index, "walrus"))[:2]) == {"new", "m1"}
    assert "m50" not in await ids(index, "number50")
    assert (await index.counts())["items"] == 100
    assert await index.watermark() == 103


async def test_a_third_choice_starts_over_and_the_first_one_needs_nothing(old: Path) -> None:
    index = await LanceIndex.open(old, OtherEmbedder(), named=both)
    await index.grow(after(0))
    await index.close()
    third = await LanceIndex.open(old, WordsOnly(), named=both)
    assert third.rebuilding is not None and third.rebuilding.done == 0
    await third.close()
    first = await LanceIndex.open(old, HashEmbedder(), named=both)
    assert first.rebuilding is None
    assert len(folders(old)) == 1
    assert (await first.counts())["items"] == 100


@pytest.mark.parametrize("named", [lambda _name: None, lambda _name: Unloadable()])
async def test_without_the_old_model_words_go_on_answering(
    old: Path, named: Callable[[str], Any]
) -> None:
    index = await LanceIndex.open(old, OtherEmbedder(), named=named)
    assert index.problem
    assert (await ids(index, "number42"))[0] == "m42"
    new = memory("new", "a walrus came", 101)
    await index.apply(Delta(items=(new,), removed=(), up_to=101))
    assert (await ids(index, "walrus"))[0] == "new"
    await index.close()
    # It has no vector, so it was not stored, and the ledger is asked for it again.
    again = await LanceIndex.open(old, OtherEmbedder(), named=named)
    assert await again.watermark() == 100
    await again.apply(Delta(items=(new,), removed=(), up_to=101))
    while again.rebuilding is not None:
        await again.grow(after(await again.rebuilt_to(), [*FACTS, new]))
    assert again.problem == ""
    assert (await ids(again, "walrus"))[0] == "new"
    assert (await again.counts())["items"] == 101


async def test_a_first_model_that_cannot_be_loaded_leaves_words(tmp_path: Path) -> None:
    sulking = Sulking()
    index = await LanceIndex.open(tmp_path, sulking)
    await index.apply(after(0, limit=1000))
    assert (await ids(index, "number42"))[0] == "m42"
    assert index.problem == "not now"
    await index.close()
    sulking.willing = True
    again = await LanceIndex.open(tmp_path, sulking)
    assert await again.watermark() == 0
    await again.apply(after(0, limit=1000))
    assert (await ids(again, "number42"))[0] == "m42"
    assert again.problem == ""
    await again.close()
    assert await (await LanceIndex.open(tmp_path, sulking)).watermark() == 100


async def test_reset_gives_up_what_was_being_built(old: Path) -> None:
    index = await LanceIndex.open(old, OtherEmbedder(), named=both)
    await index.grow(after(0))
    await index.reset()
    assert index.rebuilding is None
    assert (index.embedder, await index.watermark()) == ("hash-other", 0)
    await index.apply(after(0, limit=1000))
    await index.close()
    again = await LanceIndex.open(old, OtherEmbedder())
    assert (await ids(again, "number42"))[0] == "m42"
    assert len(folders(old)) == 1


async def test_rows_of_an_older_layout_answer_until_they_are_projected_anew(old: Path) -> None:
    rewrite(old, layout=b"0.9")
    index = await LanceIndex.open(old, HashEmbedder(), named=both)
    assert (await ids(index, "number42"))[0] == "m42"
    while index.rebuilding is not None:
        await index.grow(after(await index.rebuilt_to()))
    await index.close()
    again = await LanceIndex.open(old, HashEmbedder())
    assert (again.rebuilding, (await again.counts())["items"]) == (None, 100)


async def test_rows_that_cannot_be_read_start_anew(old: Path) -> None:
    rewrite(old, layout=b"0.1", dropped="stems")
    index = await LanceIndex.open(old, HashEmbedder(), named=both)
    assert (index.rebuilding, await index.watermark()) == (None, 0)
    await index.apply(after(0, limit=1000))
    await index.close()
    again = await LanceIndex.open(old, HashEmbedder())
    assert (await again.counts())["items"] == 100


async def test_a_torn_table_starts_anew(old: Path) -> None:
    tear(old)
    index = await LanceIndex.open(old, HashEmbedder())
    assert await index.watermark() == 0
    await index.apply(after(0, limit=1000))
    assert (await ids(index, "number42"))[0] == "m42"


def tear(directory: Path) -> None:
    for file in (*directory.rglob("*.manifest"), *directory.rglob("snapshot.arrow")):
        file.write_bytes(b"torn")


def rewrite(directory: Path, *, layout: bytes, dropped: str = "") -> None:
    """Makes the stored table one of another layout."""
    import lancedb

    database = lancedb.connect(str(directory))
    rows: pa.Table = database.open_table("items").to_arrow()
    if dropped:
        rows = rows.drop_columns([dropped])
    rows = rows.replace_schema_metadata({**(rows.schema.metadata or {}), b"layout": layout})
    database.drop_table("items")
    database.create_table("items", rows, schema=rows.schema)


class TestProjector:
    """The ledger feeds both, over as many processes as it takes."""

    @pytest.fixture
    async def ledger(self, tmp_path: Path) -> Any:
        ledger = await DuckLedger.open(tmp_path / "ledger.duckdb", StepClock(), user="me")
        yield ledger
        await ledger.close()

    def projector(self, ledger: Any, folder: Path, embedder: Any) -> Projector:
        return Projector(ledger, lambda: LanceIndex.open(folder, embedder, named=both))

    async def write(self, ledger: Any, count: int, first: int = 0) -> None:
        changes = [
            MemoryChange(
                kind="memory.created", actor="test",
                memory=Memory(id=f"memory-{i}", content=f"fact number{i}", created_at=NOW,
                              updated_at=NOW, user="me"),
            )
            for i in range(first, first + count)
        ]  # fmt: skip
        await ledger.write_memories(changes)

    async def test_a_small_home_is_embedded_anew_by_the_next_search(
        self, tmp_path: Path, ledger: Any
    ) -> None:
        await self.write(ledger, 100)
        words = self.projector(ledger, tmp_path / "i", WordsOnly())
        await words.settle()
        await words.close()
        pulled = self.projector(ledger, tmp_path / "i", HashEmbedder())
        await pulled.settle()
        status = await pulled.status()
        assert (status.embedder, status.rebuilding, status.problem) == ("hash-64", None, "")
        await pulled.close()

    async def test_a_short_process_does_a_slice_and_the_next_goes_on(
        self, tmp_path: Path, ledger: Any
    ) -> None:
        await self.write(ledger, 700)
        first = self.projector(ledger, tmp_path / "i", HashEmbedder())
        await first.settle()
        await first.close()
        done = []
        for _ in range(5):
            other = self.projector(ledger, tmp_path / "i", OtherEmbedder())
            await other.settle()
            state = (await other.status()).rebuilding
            done.append(state.done if state else None)
            assert (await other.counts())["items"] == 700
            await other.close()
        assert done == [0, 256, None, None, None]  # 188 are few enough to wait for

    async def test_the_background_finishes_while_writes_go_on(
        self, tmp_path: Path, ledger: Any
    ) -> None:
        await self.write(ledger, 300)
        first = self.projector(ledger, tmp_path / "i", HashEmbedder())
        await first.settle()
        await first.close()
        other = self.projector(ledger, tmp_path / "i", OtherEmbedder())
        await other.start()
        written = 300
        while (await other.status()).rebuilding is not None:
            await self.write(ledger, 1, written)
            written += 1
            await other.settle_briefly(await ledger.last_seq(), seconds=30)
            assert (await other.counts())["items"] == written
            await asyncio.sleep(0.05)
        status = await other.status()
        assert (status.embedder, status.lag, status.problem) == ("hash-other", 0, "")
        assert (await other.counts())["items"] == written
        await other.close()

    async def test_a_new_model_that_fails_is_told_and_the_old_one_serves(
        self, tmp_path: Path, ledger: Any
    ) -> None:
        await self.write(ledger, 50)
        first = self.projector(ledger, tmp_path / "i", HashEmbedder())
        await first.settle()
        await first.close()
        sulking = Sulking()
        other = self.projector(ledger, tmp_path / "i", sulking)
        await self.write(ledger, 1, 50)
        await other.settle()
        status = await other.status()
        assert (status.embedder, status.lag) == ("hash-64", 0)
        assert "not now" in status.problem
        sulking.willing = True
        await other.settle()
        assert (await other.status()).embedder == "hash-sulking"
        await other.close()

    async def test_scrubbing_follows_a_purge(self, tmp_path: Path, ledger: Any) -> None:
        await self.write(ledger, 20)
        projector = self.projector(ledger, tmp_path / "i", HashEmbedder())
        await projector.start()
        await projector.settle()
        await projector.scrub()
        assert (await projector.counts())["items"] == 20
        await self.write(ledger, 1, 20)
        await projector.settle()
        assert (await projector.counts())["items"] == 21
        await projector.close()


BUILDER = """
    import asyncio, sys
    from pathlib import Path
    sys.path[:0] = {paths!r}
    from test_reembedding import OtherEmbedder, after, both, ids
    from skill_agent.store.lance_index.index import LanceIndex

    async def main():
        index = await LanceIndex.open(Path({folder!r}), OtherEmbedder(), named=both)
        print("open", flush=True)
        while index.rebuilding is not None:
            await index.grow(after(await index.rebuilt_to(), limit=7))
            print("slice", flush=True)
            assert (await ids(index, "number42"))[0] == "m42"
        print("whole", flush=True)
        await asyncio.sleep(60)

    asyncio.run(main())
"""


def killed_after(lines: int, directory: Path) -> list[str]:
    """What a process that embeds anew told before it was killed."""
    here = Path(__file__).parent
    script = BUILDER.format(paths=[str(here), str(here.parent)], folder=str(directory))
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        told = [child.stdout.readline().strip() for _ in range(lines)]
        child.kill()
    return told


@pytest.mark.deep
@pytest.mark.parametrize("lines", [1, 4, 15, 16])
async def test_a_kill_at_any_moment_costs_neither_service_nor_what_was_done(
    old: Path, lines: int
) -> None:
    told = await asyncio.to_thread(killed_after, lines, old)
    index = await LanceIndex.open(old, OtherEmbedder(), named=both)
    assert (await index.counts())["items"] == 100
    assert (await ids(index, "number42"))[0] == "m42"
    done = 7 * told.count("slice")
    # It may have got further, even have finished, before the kill reached it.
    assert index.rebuilding is None or done <= await index.rebuilt_to()
    while index.rebuilding is not None:
        await index.grow(after(await index.rebuilt_to()))
        assert (await ids(index, "number42"))[0] == "m42"
    assert (index.embedder, (await index.counts())["items"]) == ("hash-other", 100)
    assert len(folders(old)) == 1
