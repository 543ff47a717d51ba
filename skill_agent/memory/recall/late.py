"""Late interaction: how well each piece of a question is met anywhere in a text (ColBERT, 2020).

An embedder that averages its word pieces throws away what tells two lines of one subject apart.
Here every piece keeps a vector of its own, centred, projected to a few dimensions and stored as
bytes. A text is as good as the best match of each piece of the question, rare words weighing more.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from skill_agent.memory.words.stemming import stems
from skill_agent.ports import Pieces

AXES = Path(__file__).parents[2] / "bundled" / "late.npz"
VERSION = 1
"""Of the axes and of the packing; stored bytes of another one cannot be compared."""
WIDTH = 32
"""Dimensions of a piece: recall with 64, or with all 384, is within noise of it."""
MOST = 64
"""Pieces kept of one text, two kilobytes."""
_SCALE = 127
_LITTLE_WORD = 0.5
"""Weight of a piece of a stop word, where a rare word weighs 5 to 8."""


NO_PIECES = Pieces(vectors=np.zeros((0, WIDTH), np.float32), spans=np.zeros((0, 2), np.int64))


class Axes:
    """The mean piece of a model and the directions in which its pieces differ most."""

    def __init__(self, mean: np.ndarray, axes: np.ndarray) -> None:
        self._mean = mean
        self._axes = axes

    @classmethod
    def of(cls, model: str, path: Path = AXES) -> "Axes | None":
        """Those that come with the product; None for any other model."""
        with np.load(path) as stored:
            if str(stored["model"]) != model:
                return None
            return cls(stored["mean"], stored["axes"])

    def project(self, states: np.ndarray) -> np.ndarray:
        """float32 (n, WIDTH) of the hidden states of n pieces."""
        return _unit(_unit(states - self._mean) @ self._axes)


def pack(pieces: Pieces) -> bytes:
    """The pieces as they are stored, at most `MOST`: of a longer text those that repeat another
    the closest go first."""
    vectors = pieces.vectors
    if len(vectors) > MOST:
        alike = vectors @ vectors.T
        alike[np.triu_indices(len(alike))] = -1
        kept = np.sort(np.argsort(alike.max(axis=1), kind="stable")[:MOST])
        vectors = vectors[kept]
    return np.round(vectors * _SCALE).astype(np.int8).tobytes()


def weights(text: str, spans: np.ndarray, idf: Mapping[str, float]) -> np.ndarray:
    """float32 per piece of a question: how rare the word is that it belongs to."""
    return np.array([_weight(_word_at(text, *span), idf) for span in spans.tolist()], np.float32)


def matches(question: np.ndarray, stored: Sequence[bytes]) -> np.ndarray:
    """float32 (pieces, texts): the best match of each piece of the question in each text.

    0 where a text has no pieces.
    """
    found = np.zeros((len(question), len(stored)), np.float32)
    lengths = np.array([len(one) // WIDTH for one in stored], np.int64)
    there = np.flatnonzero(lengths)
    if not len(there) or not len(question):
        return found
    flat = np.frombuffer(b"".join(stored), np.int8).reshape(-1, WIDTH)
    products = (question / _SCALE).astype(np.float32) @ flat.astype(np.float32).T
    starts = np.cumsum(lengths[there]) - lengths[there]
    found[:, there] = np.maximum.reduceat(products, starts, axis=1)
    return found


def _weight(word: str, idf: Mapping[str, float]) -> float:
    return max((idf.get(stem, _LITTLE_WORD) for stem in stems(word)), default=_LITTLE_WORD)


def _word_at(text: str, start: int, end: int) -> str:
    """The whole word around a piece of it."""
    while start and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return text[start:end]


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.maximum(lengths, 1e-6)).astype(np.float32)
