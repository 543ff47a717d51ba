"""Which memories say nearly the same: bare texts, visibility, pairs, with and without a model."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import HashEmbedder
from model_files import minilm_dir
from skill_agent.store.embedding import OnnxEmbedder, WordsOnly
from skill_agent.store.lance_index.index import LanceIndex

from skill_agent.errors import ModelUnavailable
from skill_agent.values import Delta, IndexItem, Scope, Similar

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def memory(item_id: str, text: str, seq: int = 1, **fields: Any) -> IndexItem:
    facts: dict[str, Any] = {"memory_type": "semantic", "created_at": NOW - timedelta(days=seq)}
    return IndexItem(id=item_id, kind="memory", text=text, seq=seq, **(facts | fields))


async def filled(directory: Path, embedder: Any, *items: IndexItem) -> LanceIndex:
    index = await LanceIndex.open(directory, embedder, lambda: NOW)
    await index.apply(Delta(items=items, removed=(), up_to=len(items)))
    return index


def told(found: list[Similar]) -> list[tuple[str, float]]:
    return [(one.item.id, round(one.cosine, 3)) for one in found]


EMBEDDERS = pytest.mark.parametrize("embedder", [HashEmbedder(), WordsOnly()])


@EMBEDDERS
class TestSimilar:
    async def test_speaker_and_date_do_not_count(self, tmp_path: Path, embedder: Any) -> None:
        index = await filled(
            tmp_path, embedder,
            memory("same", "Ana drinks green tea", 1, speaker="Ana"),
            memory("near", "Ana drinks black tea", 2, speaker="kyra"),
            memory("far", "the bridge is closed", 3),
        )  # fmt: skip
        [tea, other] = await index.similar(
            ["Ana drinks green tea", "quantum mechanics"], scope=Scope()
        )
        assert told(tea)[0] == ("same", 1.0)
        assert tea[1].item.id == "near" and 0.5 <= tea[1].cosine < 0.9
        assert all(one.cosine < 0.6 for one in other)

    async def test_only_visible_memories_are_compared(self, tmp_path: Path, embedder: Any) -> None:
        text = "the falcon flies at dawn"
        turn = IndexItem(id="turn", kind="turn", text=text, seq=1, created_at=NOW, session="s")
        index = await filled(
            tmp_path, embedder, turn,
            memory("mine", text, 2),
            memory("kyra", text, 3, agent="kyra", memory_type="agent_private"),
            memory("sage", text, 4, agent="sage", memory_type="agent_private"),
            memory("bob", text, 5, user="bob", memory_type="user_profile"),
            memory("old", text, 6, status="superseded"),
            memory("expired", text, 7, expires_at=NOW - timedelta(hours=1)),
            memory("cold", text, 8, tier="cold"),
        )  # fmt: skip

        async def seen(**scope: Any) -> set[str]:
            [found] = await index.similar([text], scope=Scope(**scope))
            pairs = await index.near_pairs(above=0.9, scope=Scope(**scope))
            ids = {one.item.id for one in found}
            assert {name for pair in pairs for name in pair[:2]} == (ids if len(ids) > 1 else set())
            return ids

        assert await seen(agent="kyra") == {"mine", "kyra"}
        assert await seen() == {"mine", "kyra", "sage"}
        assert await seen(include_cold=True) >= {"old", "expired", "cold", "mine"}
        assert await seen(exclude=frozenset({"mine"})) == {"kyra", "sage"}
        assert await seen(memory_types=("agent_private",)) == {"kyra", "sage"}

    async def test_nothing_gives_nothing(self, tmp_path: Path, embedder: Any) -> None:
        index = await filled(tmp_path, embedder)
        assert await index.similar([], scope=Scope()) == []
        assert await index.similar(["tea"], scope=Scope()) == [[]]
        assert await index.near_pairs(above=0.5, scope=Scope()) == []

    async def test_the_limit_holds_and_the_best_come_first(
        self, tmp_path: Path, embedder: Any
    ) -> None:
        items = [memory(f"m{i}", f"Ana drinks tea number{i}", i) for i in range(1, 40)]
        index = await filled(tmp_path, embedder, *items)
        [found] = await index.similar(["Ana drinks tea number7"], scope=Scope(), limit=5)
        assert len(found) == 5
        assert told(found)[0] == ("m7", 1.0)


@EMBEDDERS
class TestNearPairs:
    async def test_pairs_come_nearest_first_older_first(
        self, tmp_path: Path, embedder: Any
    ) -> None:
        index = await filled(
            tmp_path, embedder,
            memory("a", "the kitchen budget is 8000 euros for new cupboards", 1, speaker="Ana"),
            memory("b", "the kitchen budget is 8000 euros for old cupboards", 2),
            memory("c", "the kitchen budget is 8000 euros for new cupboards", 30, speaker="kyra"),
            memory("d", "Max plays chess on Sundays", 4),
        )  # fmt: skip
        pairs = await index.near_pairs(above=0.6, scope=Scope())
        assert pairs[0][:2] == ("a", "c")
        assert {pair[:2] for pair in pairs} == {("a", "c"), ("a", "b"), ("b", "c")}
        assert pairs[0][2] == pytest.approx(1.0)
        assert [p[:2] for p in await index.near_pairs(above=0.99, scope=Scope())] == [("a", "c")]

    async def test_many_equal_memories_stay_bounded_and_connected(
        self, tmp_path: Path, embedder: Any
    ) -> None:
        items = [memory(f"m{i}", "Ana drinks tea", i) for i in range(1, 301)]
        index = await filled(tmp_path, embedder, *items)
        pairs = await index.near_pairs(above=0.9, scope=Scope())
        assert 299 <= len(pairs) < 300 * 80
        assert {name for pair in pairs for name in pair[:2]} == {item.id for item in items}


async def test_without_a_working_model_words_are_compared(tmp_path: Path) -> None:
    class Breaking(HashEmbedder):
        broken = False

        def embed(self, texts: Any) -> Any:
            if self.broken:
                raise ModelUnavailable("the files are gone")
            return super().embed(texts)

    embedder = Breaking()
    index = await filled(
        tmp_path, embedder, memory("a", "Ana drinks tea", 1), memory("b", "Ana drinks tea", 2)
    )
    embedder.broken = True
    [found] = await index.similar(["Ana drinks coffee"], scope=Scope())
    assert told(found) == [("a", 0.5), ("b", 0.5)]
    assert await index.near_pairs(above=0.9, scope=Scope()) == [("a", "b", 1.0)]


async def test_the_shipped_model_tells_a_paraphrase_from_a_neighbour(tmp_path: Path) -> None:
    index = await filled(
        tmp_path, OnnxEmbedder(minilm_dir()),
        memory("a", "The user lives in Lisbon", 400, speaker="user"),
        memory("b", "The user is living in Lisbon", 1, speaker="kyra"),
        memory("c", "The team meets on Mondays at 9", 900, speaker="Ana"),
        memory("d", "The team meets every Monday at 9 am", 2),
        memory("e", "The user visited Lisbon once", 3, speaker="user"),
    )  # fmt: skip
    pairs = await index.near_pairs(above=0.92, scope=Scope())
    assert {pair[:2] for pair in pairs} == {("a", "b"), ("c", "d")} or {
        frozenset(pair[:2]) for pair in pairs
    } == {frozenset("ab"), frozenset("cd")}
    [found] = await index.similar(["User lives in Lisbon"], scope=Scope(), limit=2)
    assert {one.item.id for one in found} == {"a", "b"}
    assert found[0].cosine > 0.95
