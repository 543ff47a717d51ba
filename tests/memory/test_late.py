"""Late interaction as plain arithmetic."""

import numpy as np
import pytest

from skill_agent.memory.recall.late import (
    AXES,
    MOST,
    NO_PIECES,
    WIDTH,
    Axes,
    matches,
    pack,
    weights,
)
from skill_agent.ports import Pieces


def pieces(*directions: int) -> Pieces:
    """Pieces along these axes."""
    return Pieces(
        vectors=np.eye(WIDTH, dtype=np.float32)[list(directions)],
        spans=np.zeros((len(directions), 2), np.int64),
    )


def test_each_piece_of_a_question_counts_its_best_match() -> None:
    stored = [pack(pieces(0, 1)), pack(pieces(1, 2)), pack(pieces(3))]
    found = matches(pieces(0, 1).vectors, stored)
    assert found == pytest.approx(np.array([[1, 0, 0], [1, 1, 0]]), abs=0.01)


def test_texts_without_pieces_match_nothing_wherever_they_stand() -> None:
    empty = pack(NO_PIECES)
    assert empty == b""
    found = matches(pieces(0).vectors, [empty, pack(pieces(0)), empty])
    assert found == pytest.approx(np.array([[0, 1, 0]]), abs=0.01)
    assert matches(pieces(0).vectors, []).shape == (1, 0)
    assert matches(NO_PIECES.vectors, [pack(pieces(0))]).shape == (0, 1)


def test_bytes_lose_next_to_nothing() -> None:
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(30, WIDTH)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    stored = pack(Pieces(vectors=rows, spans=np.zeros((30, 2), np.int64)))
    assert len(stored) == 30 * WIDTH
    assert matches(rows, [stored]) == pytest.approx(np.ones((30, 1)), abs=0.02)


def test_a_long_text_keeps_its_different_pieces_in_two_kilobytes() -> None:
    repeated = pieces(*([0] * 200), 1, 2, *([3] * 50))
    stored = pack(repeated)
    assert len(stored) == MOST * WIDTH <= 2048
    assert matches(pieces(0, 1, 2, 3).vectors, [stored]) == pytest.approx(1, abs=0.01)


def test_a_piece_weighs_what_its_whole_word_weighs() -> None:
    text = "When did Altona move?"
    spans = np.array([[0, 4], [9, 11], [11, 15], [16, 20]])
    found = weights(text, spans, {"altona": 6.0, "mov": 2.0})
    assert found.tolist() == [0.5, 6.0, 6.0, 2.0]


def test_signs_that_are_words_of_their_own_are_weighed_alone() -> None:
    found = weights("高松の海", np.array([[0, 1], [3, 4]]), {"高": 3.0, "松": 1.0, "海": 4.0})
    assert found[1] >= 3.0


def test_the_bundled_axes_are_for_the_shipped_model_alone() -> None:
    axes = Axes.of("all-minilm-l6-v2")
    assert axes is not None
    assert Axes.of("another-model") is None
    projected = axes.project(np.random.default_rng(1).normal(size=(5, 384)).astype(np.float32))
    assert projected.shape == (5, WIDTH)
    assert np.linalg.norm(projected, axis=1) == pytest.approx(1, abs=1e-4)
    assert AXES.stat().st_size < 100_000
