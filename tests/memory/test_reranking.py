"""The second look: what it may move, and that nobody waits for it or falls with it."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from fakes import HashEmbedder, StepClock
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.store.lance_index.index import LanceIndex
from tiny_encoder import tiny_encoder

from skill_agent.errors import ModelUnavailable
from skill_agent.memory.book import MemoryBook
from skill_agent.memory.recall.projector import Projector
from skill_agent.memory.recall.reranking import Reranking
from skill_agent.models.local.encoder import LlamaReranker
from skill_agent.values import Hit, IndexItem, Search

AMPLE_S = 60.0


class Longest:
    """Prefers long texts; counts what it reads."""

    name = "longest"

    def __init__(self) -> None:
        self.read: list[int] = []

    def scores(self, question: str, texts: Sequence[str]) -> np.ndarray:
        self.read.append(len(texts))
        return np.array([len(text) for text in texts], np.float32)


class Waiting(Longest):
    """Answers when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.done = threading.Event(), threading.Event()

    def scores(self, question: str, texts: Sequence[str]) -> np.ndarray:
        assert self.go.wait(60)
        found = super().scores(question, texts)
        if len(self.read) == 2:
            self.done.set()
        return found


class Broken(Longest):
    def scores(self, question: str, texts: Sequence[str]) -> np.ndarray:
        raise ModelUnavailable("its file is gone")


def hits(*texts: str) -> list[Hit]:
    made = datetime(2026, 3, 1, tzinfo=UTC)
    return [
        Hit(
            item=IndexItem(id=text, kind="memory", seq=at, text=text, created_at=made),
            score=0.9 - at / 10,
            signals={},
            reason="",
        )
        for at, text in enumerate(texts)
    ]


def texts(found: Sequence[Hit]) -> list[str]:
    return [hit.item.text for hit in found]


async def test_the_order_is_the_rerankers_and_the_scores_stay_with_the_places() -> None:
    looking = Reranking(Longest(), AMPLE_S)
    found = await looking.ordered("q", hits("a", "bbb", "cc"))
    assert texts(found) == ["bbb", "cc", "a"] and looking.problem == ""
    assert [hit.score for hit in found] == [0.9, 0.8, pytest.approx(0.7)]


async def test_equal_scores_leave_the_order_alone() -> None:
    found = await Reranking(Longest(), AMPLE_S).ordered("q", hits("b", "a", "c"))
    assert texts(found) == ["b", "a", "c"]


async def test_one_hit_or_none_is_not_looked_at() -> None:
    model = Longest()
    looking = Reranking(model, AMPLE_S)
    assert await looking.ordered("q", []) == []
    assert texts(await looking.ordered("q", hits("a"))) == ["a"] and model.read == []


async def test_only_as_many_as_fit_are_read_and_the_others_stay_behind() -> None:
    model = Longest()
    found = await Reranking(model, AMPLE_S).ordered("q", hits(*("x" * n for n in range(1, 9))))
    assert model.read == [1, 4]  # the first call loads it
    assert [len(text) for text in texts(found)] == [4, 3, 2, 1, 5, 6, 7, 8]


async def test_a_fast_one_is_given_more_the_next_time() -> None:
    model = Longest()
    looking = Reranking(model, AMPLE_S)
    many = hits(*("x" * n for n in range(1, 9)))
    await looking.ordered("q", many)
    found = await looking.ordered("q", many)
    assert model.read[-1] == 8 and len(texts(found)[0]) == 8


async def test_a_late_one_changes_nothing_and_is_not_asked_again_meanwhile() -> None:
    model = Waiting()
    looking = Reranking(model, 0.01)
    assert texts(await looking.ordered("q", hits("a", "bb"))) == ["a", "bb"]
    assert "longer than 10 ms" in looking.problem
    assert texts(await looking.ordered("q", hits("a", "bb"))) == ["a", "bb"]
    model.go.set()
    assert await asyncio.to_thread(model.done.wait, 60)
    assert model.read == [1, 2]


async def test_one_too_slow_for_two_texts_sits_out_and_is_tried_again() -> None:
    model = Longest()
    seconds = count(step=200)
    looking = Reranking(model, AMPLE_S, clock=lambda: float(next(seconds)))
    four = hits("a", "bb", "ccc", "dddd")
    assert texts(await looking.ordered("q", four))[0] == "dddd"
    assert texts(await looking.ordered("q", four))[0] == "a"
    assert "too few for 60000 ms" in looking.problem and model.read == [1, 4]
    for _ in range(20):
        await looking.ordered("q", four)
    assert len(model.read) > 2


async def test_a_broken_one_changes_nothing_and_says_why() -> None:
    looking = Reranking(Broken(), AMPLE_S)
    assert texts(await looking.ordered("q", hits("a", "bb"))) == ["a", "bb"]
    assert "its file is gone" in looking.problem


async def test_llama_cpp_ranks_with_a_file(tmp_path: Path) -> None:
    model = LlamaReranker(tiny_encoder(tmp_path / "tiny.gguf", ranks=True), name="tiny")
    asked, known = "where is the key", ["the cat sleeps", "the key lies under the mat", "a dog"]
    scores = await asyncio.to_thread(model.scores, asked, known)
    assert scores.shape == (3,) and len(set(scores.tolist())) == 3
    alone = [await asyncio.to_thread(model.scores, asked, [text]) for text in known]
    assert np.allclose(scores, np.concatenate(alone), atol=1e-3)
    found = await Reranking(model, AMPLE_S).ordered(asked, hits(*known))
    assert texts(found) == [known[row] for row in np.argsort(-scores)]
    long = await asyncio.to_thread(model.scores, asked, ["dog " * 5000, "the cat"])
    assert np.isfinite(long).all()
    assert model.scores(asked, []).shape == (0,)


async def test_a_file_that_is_no_reranker_leaves_the_first_order(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF, they say")
    for path in (tmp_path / "bad.gguf", tmp_path / "none.gguf"):
        looking = Reranking(LlamaReranker(path, name="bad"), AMPLE_S)
        assert texts(await looking.ordered("q", hits("a", "bb"))) == ["a", "bb"]
        assert "bad" in looking.problem or "none.gguf" in looking.problem


async def test_a_search_is_put_in_order_above_the_floor_only(
    tmp_path: Path, clock: StepClock
) -> None:
    """What has nothing to do with the question stays below, however the second look likes it."""
    ledger = await DuckLedger.open(tmp_path / "ledger.duckdb", clock)
    projector = Projector(ledger, partial(LanceIndex.open, tmp_path / "index", HashEmbedder()))
    first = MemoryBook(ledger, projector, clock, "me")
    second = MemoryBook(ledger, projector, clock, "me", reranker=Longest())
    for text in (
        "The harbour key lies under the mat",
        "The harbour key, the small one of brass, was lost by Nora in the snow",
        "Nora sings in a choir on Tuesdays, which has been going on for years and years and years",
    ):
        await first.add(text)
    wanted = Search("where is the harbour key", limit=3)
    plain, anew = await first.search(wanted), await second.search(wanted)
    relevant = [one.relevant for one in plain]
    assert relevant[:2] == [True, True] and not any(relevant[2:])
    assert [one.hit.item.text for one in anew][:2] == sorted(
        (one.hit.item.text for one in plain[:2]), key=len, reverse=True
    )
    assert [one.hit.item.id for one in anew][2:] == [one.hit.item.id for one in plain][2:]
    status = await second.status()
    assert (status.reranker, status.reranking_problem) == ("longest", "")
    assert (await first.status()).reranker == ""
    await projector.close()
    await ledger.close()
