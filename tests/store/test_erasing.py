"""What is removed from the index leaves no byte behind: in no file, in no version of a table."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import lancedb
import pytest
from fakes import HashEmbedder
from skill_agent.store.embedding import WordsOnly
from skill_agent.store.lance_index.index import LanceIndex

from skill_agent.values import Delta, IndexItem, RecallQuery, Scope

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class OtherEmbedder(HashEmbedder):
    name = "hash-other"
    dimensions = 32


def memory(item_id: str, text: str, seq: int) -> IndexItem:
    return IndexItem(
        id=item_id, kind="memory", text=text, seq=seq, memory_type="semantic",
        subject=f"user.{text.split()[-1]}", created_at=NOW - timedelta(days=1),
    )  # fmt: skip


def delta(*items: IndexItem, removed: tuple[str, ...] = (), up_to: int) -> Delta:
    return Delta(items=items, removed=removed, up_to=up_to)


def traces(folder: Path, word: str) -> list[str]:
    """Files with the word in their bytes or name, and tables with it in any version's rows."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    found = [str(f) for f in files if word.encode() in f.read_bytes() or word in f.name]
    for place in {file.parent for file in folder.rglob("*.lance") if file.is_dir()}:
        table = lancedb.connect(str(place)).open_table("items")
        for version in table.list_versions():
            table.checkout(version["version"])
            if word in str(table.to_arrow().drop_columns(["vector"]).to_pydict()):
                found.append(f"{place} version {version['version']}")
    return found


async def ids(index: LanceIndex, text: str) -> list[str]:
    hits = await index.recall(RecallQuery(text=text, scope=Scope(), now=NOW, limit=20))
    return [hit.item.id for hit in hits]


async def filled(directory: Path, embedder: Any, secret: str) -> LanceIndex:
    index = await LanceIndex.open(directory, embedder)
    some = [memory(f"m{i}", f"plain fact number{i}", i) for i in range(1, 40)]
    await index.apply(delta(*some, memory("gone", f"the word is {secret}", 40), up_to=40))
    return index


@pytest.fixture
def secret() -> str:
    return f"zq{secrets.token_hex(8)}"


async def test_a_removal_is_complete_once_applied(tmp_path: Path, secret: str) -> None:
    index = await filled(tmp_path, HashEmbedder(), secret)
    await index.tend()
    await index.close()
    assert traces(tmp_path, secret)
    again = await LanceIndex.open(tmp_path, HashEmbedder())
    await again.apply(delta(removed=("gone",), up_to=41))
    assert traces(tmp_path, secret) == []
    assert "gone" not in await ids(again, secret)
    assert (await again.counts())["items"] == 39
    await again.close()
    assert traces(tmp_path, secret) == []
    last = await LanceIndex.open(tmp_path, HashEmbedder())
    assert (await last.counts())["items"] == 39
    assert (await ids(last, "number7"))[0] == "m7"


async def test_scrubbing_takes_what_was_only_replaced(tmp_path: Path, secret: str) -> None:
    index = await filled(tmp_path, HashEmbedder(), secret)
    await index.tend()
    await index.apply(delta(memory("gone", "nothing to see", 41), up_to=41))
    await index.tend()
    assert traces(tmp_path, secret)
    await index.scrub()
    assert traces(tmp_path, secret) == []
    assert (await ids(index, "nothing to see"))[0] == "gone"
    await index.apply(delta(memory("new", "after the scrubbing", 42), up_to=42))
    assert (await ids(index, "scrubbing"))[0] == "new"
    await index.close()
    again = await LanceIndex.open(tmp_path, HashEmbedder())
    assert await again.watermark() == 42
    assert (await again.counts())["items"] == 41


async def test_scrubbing_an_empty_index_is_harmless(tmp_path: Path) -> None:
    index = await LanceIndex.open(tmp_path, HashEmbedder())
    await index.scrub()
    await index.apply(delta(memory("m1", "red apple", 1), up_to=1))
    assert await ids(index, "apple") == ["m1"]


@pytest.mark.parametrize("reopened", [False, True])
async def test_a_space_being_built_forgets_too(tmp_path: Path, secret: str, reopened: bool) -> None:
    await (await filled(tmp_path, WordsOnly(), secret)).close()
    index = await LanceIndex.open(tmp_path, OtherEmbedder())
    half = [memory("gone", f"the word is {secret}", 40), memory("m1", "plain fact number1", 1)]
    await index.grow(Delta(items=tuple(half), removed=(), up_to=40, behind=1))
    if reopened:
        await index.close()
        index = await LanceIndex.open(tmp_path, OtherEmbedder())
    assert len(traces(tmp_path, secret)) >= 2
    await index.apply(delta(removed=("gone",), up_to=41))
    assert traces(tmp_path, secret) == []
    await index.scrub()
    assert index.rebuilding is not None
    assert index.rebuilding.done == 1
    assert (await index.counts())["items"] == 39


async def test_what_a_crash_leaves_of_an_old_table_goes_with_the_next_opening(
    tmp_path: Path, secret: str
) -> None:
    index = await filled(tmp_path, HashEmbedder(), secret)
    await index.apply(delta(removed=("gone",), up_to=41))
    orphan = tmp_path / "space-77"
    await (await filled(orphan, HashEmbedder(), secret)).close()
    assert traces(tmp_path, secret)
    again = await LanceIndex.open(tmp_path, HashEmbedder())
    assert traces(tmp_path, secret) == []
    assert (await again.counts())["items"] == 39
