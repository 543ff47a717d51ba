"""How hard messages are found to be, in any language and without an embedder too."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import CountingEmbedder, HashEmbedder
from hypothesis import given
from hypothesis import strategies as st

from skill_agent.agents.tiers import TIERS
from skill_agent.errors import ModelUnavailable
from skill_agent.team.router.difficulty import Difficulty, leaning, with_attached
from skill_agent.team.router.examples import examples
from skill_agent.team.router.lately import Lately
from skill_agent.team.router.score import WEIGHTS, complexity_of, overall, tier_of
from skill_agent.team.router.scorer import SURE
from skill_agent.tools.gate.ngrams import folded
from skill_agent.values import Complexity

EASY, LEANS = complexity_of((1, 1, 0, 0, 1)), complexity_of((2, 2, 1, 8, 2))
HARD = complexity_of((9, 9, 7, 4, 9))


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("What's the capital of Norway?", "fast"),
        ("thanks a lot!", "fast"),
        ("Wie spät ist es in Lima?", "fast"),
        ("Compare renting and buying a flat if I stay about six years", "balanced"),
        ("Écris une lettre de motivation pour un poste de boulanger", "balanced"),
        ("Design a distributed lock service with leases, prove it safe and discuss failure modes",
         "powerful"),
        ("Докажи, что простых чисел вида 6k+5 бесконечно много", "powerful"),
        ("设计一个多租户支付平台的架构:服务、数据模型、一致性、迁移方案", "powerful"),
    ],
)  # fmt: skip
async def test_by_letters_alone(text: str, tier: str) -> None:
    assert tier_of(overall(await Difficulty().of(text))) == tier


async def test_without_an_embedder_it_is_less_sure() -> None:
    text = "What's the capital of Australia?"
    sure = (await Difficulty(embedder=Knowing).of(text)).sure
    assert SURE < (await Difficulty().of(text)).sure < sure


@given(text=st.text(max_size=300))
def test_any_text_has_a_score(text: str) -> None:
    found = asyncio.run(Difficulty().of(text))
    assert 0 <= overall(found) <= 10 and 0 < found.sure <= 1


@pytest.mark.parametrize("text", ["", " ", "\ud800", "a" * 100_000, "?" * 5_000, "\n" * 500])
async def test_odd_texts(text: str) -> None:
    assert 0 <= overall(await Difficulty(embedder=HashEmbedder).of(text)) <= 10


def test_what_goes_on_is_as_hard_as_what_it_goes_on_with() -> None:
    assert overall(leaning(LEANS, "and in C?", HARD)) > 6
    assert overall(leaning(LEANS, "and in C?", EASY)) < 3
    assert leaning(EASY, "thanks", HARD) == EASY
    assert leaning(LEANS, "and in C?", None) == LEANS
    assert leaning(LEANS, "a" * 500, HARD) == LEANS, "it says itself what it wants"


@given(own=st.lists(st.floats(0, 10), min_size=5, max_size=5), size=st.integers(0, 200))
def test_what_was_said_before_never_makes_a_message_easier(own: list[float], size: int) -> None:
    alone = complexity_of(own)
    for before in (EASY, LEANS, HARD):
        found = leaning(alone, "a" * size, before)
        assert overall(found) >= overall(alone) - 0.01
        assert all(0 <= getattr(found, name) <= 10 for name in WEIGHTS)


async def test_what_is_attached_has_to_be_read() -> None:
    found = Difficulty()
    bare = await found.of("Summarise this please")
    long = await found.of("Summarise this please", beside=40_000)
    assert overall(long) > overall(bare)
    assert with_attached(bare, 0) == bare
    assert with_attached(HARD, 10**9).context_dependency == 10


KNOWN = examples()


class Knowing(CountingEmbedder):
    """An embedder to whom messages that are as hard as one another mean the same."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = super().embed(texts) * 0.1
        tiers = {folded(one.text): tier_of(overall(one.complexity)) for one in KNOWN}
        for row, text in enumerate(texts):
            rows[row, TIERS.index(tiers.get(text, "balanced"))] += 3
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Unloadable(HashEmbedder):
    def embed(self, texts: Sequence[str]) -> np.ndarray:
        raise ModelUnavailable("it is not there")


async def test_an_embedder_that_cannot_be_loaded_is_done_without() -> None:
    text = "What's the capital of Australia?"
    assert await Difficulty(embedder=Unloadable).of(text) == await Difficulty().of(text)


async def test_vectors_are_computed_once_a_home(tmp_path: Path) -> None:
    file = tmp_path / "kv" / "difficulty.vectors"
    first, second = Knowing(), Knowing()
    one = await Difficulty(embedder=lambda: first, vectors=file).of("hello there")
    assert await Difficulty(embedder=lambda: second, vectors=file).of("hello there") == one
    assert first.texts > 500 and second.texts == 1
    file.write_text("damaged")
    third = Knowing()
    assert await Difficulty(embedder=lambda: third, vectors=file).of("hello there") == one


async def test_the_same_message_is_scored_once_in_five_minutes() -> None:
    now, embedder = [0.0], Knowing()
    kept = Lately[Complexity](300, clock=lambda: now[0])
    found = Difficulty(embedder=lambda: embedder, scores=kept)
    await found.of("hello there my friend")
    learned = embedder.texts
    now[0] = 299.0
    await found.of("hello there my friend")
    assert embedder.texts == learned
    now[0] = 301.0
    await found.of("hello there my friend")
    assert embedder.texts == learned + 1


def test_what_is_kept_is_bounded() -> None:
    kept = Lately[int](60, most=3, clock=lambda: 0.0)
    for number in range(5):
        kept.keep(number, number)
    assert len(kept) == 3
    assert [kept.get(number) for number in range(5)] == [None, None, 2, 3, 4]


async def test_learning_holds_nobody_up_twice() -> None:
    made: list[int] = []

    def embedder() -> HashEmbedder:
        made.append(threading.get_ident())
        return HashEmbedder()

    found = Difficulty(embedder=embedder)
    await asyncio.gather(*(found.of(f"hello {number}") for number in range(5)))
    assert len(made) == 1 and made[0] != threading.get_ident()
