"""The second look: its signals and the learnt numbers."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from skill_agent.memory.recall.fusion import WEIGHTS, Fusion, Second, signals


def seen(count: int, pieces: int = 4, seed: int = 0) -> Second:
    chance = np.random.default_rng(seed)

    def some() -> np.ndarray:
        return chance.random(count).astype(np.float32)

    def flags() -> np.ndarray:
        return chance.random(count) > 0.5

    names = ("dense", "dense window", "lexical", "lexical window")
    beside = np.full((count, 2), -1)
    return Second(
        views={name: some() for name in names},
        before={name: some() for name in ("dense", "lexical")},
        after={name: some() for name in ("dense", "lexical")},
        beside=beside, matches=chance.random((pieces, count)).astype(np.float32),
        weights=chance.random(pieces).astype(np.float32), fused=some(), cosine=some(),
        surprise=some(), covered=some(), covered_window=some(), named=some(), time=some(),
        speaker=flags(), session=chance.integers(-1, 4, count), turn=flags(), asks=flags(),
        asked_before=flags(), digits=flags(), length=some() * 40, usual_length=12.0,
    )  # fmt: skip


def reordered(second: Second, order: np.ndarray) -> Second:
    """The same candidates in another order."""
    changed: dict[str, Any] = {}
    for field in fields(second):
        value = getattr(second, field.name)
        if isinstance(value, dict):
            changed[field.name] = {name: one[order] for name, one in value.items()}
        elif field.name == "matches":
            changed[field.name] = value[:, order]
        elif isinstance(value, np.ndarray) and field.name not in ("weights", "beside"):
            changed[field.name] = value[order]
    return replace(second, **changed)


@pytest.fixture(scope="module")
def fusion() -> Fusion:
    return Fusion()


def test_the_best_scores_one_and_none_falls_to_nothing(fusion: Fusion) -> None:
    scores = fusion.scores(seen(200))
    assert scores.max() == pytest.approx(1)
    assert 0 < scores.min() < 0.5


def test_the_order_candidates_come_in_does_not_matter(fusion: Fusion) -> None:
    second = seen(60)
    order = np.random.default_rng(3).permutation(60)
    mixed = fusion.scores(reordered(second, order))
    assert mixed == pytest.approx(fusion.scores(second)[order], rel=1e-3)


@pytest.mark.parametrize("pieces", [0, 1, 2])
@pytest.mark.parametrize("count", [1, 2])
def test_few_candidates_and_few_pieces_are_ranked_too(
    fusion: Fusion, count: int, pieces: int
) -> None:
    assert np.isfinite(fusion.scores(seen(count, pieces))).all()


def test_nothing_is_ranked_where_there_is_nothing(fusion: Fusion) -> None:
    assert fusion.scores(seen(0)).tolist() == []


def test_a_better_match_of_the_pieces_lifts(fusion: Fusion) -> None:
    second = seen(40)
    second.matches[:, 7] = 0.1
    before = np.argsort(-fusion.scores(second)).tolist().index(7)
    second.matches[:, 7] = 1.0
    assert np.argsort(-fusion.scores(second)).tolist().index(7) < before


def test_an_answer_is_helped_by_the_question_before_it() -> None:
    second = seen(10)
    found = signals(second)
    assert (found["answers words"][~second.asked_before] == 0).all()
    assert (found["answers words"] <= found["lexical before"]).all()


def test_the_numbers_are_few_and_plain(fusion: Fusion) -> None:
    assert WEIGHTS.stat().st_size < 60_000
    assert set(fusion.names) == set(signals(seen(3)))
