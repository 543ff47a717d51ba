"""Two embedders seen as one: the vectors stand side by side, so a product is the sum of both.

One knows few languages and knows them better; the other knows many. Of a text in a language that
the first does not know only the second view is taken, for there the first finds everything alike.
"""

from collections.abc import Collection, Sequence

import numpy as np

from skill_agent.memory.recall.late import NO_PIECES
from skill_agent.memory.words.spelling import Dictionary
from skill_agent.ports import Embedder, PieceEmbedder, Pieces
from skill_agent.text.language import language_of

from ..embedding import as_questions

_FEW = 0.5
"""Share of the first view where it has one. More finds a little more in its own languages, and
less across languages (benchmarks/memory/embedders.py)."""


class TwoViews:
    """`few` for its `languages`, beside `many` for all."""

    def __init__(self, few: Embedder, many: Embedder, languages: Collection[str]) -> None:
        self._few = few
        self._many = many
        self._languages = languages

    @property
    def name(self) -> str:
        return f"{self._few.name}+{self._many.name}"

    @property
    def dimensions(self) -> int:
        return self._few.dimensions + self._many.dimensions

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), dimensions), rows of length 1."""
        known = self._known(texts)
        return self._joined(known, self._few.embed(_taken(texts, known)), self._many.embed(texts))

    def embed_questions(self, texts: Sequence[str]) -> np.ndarray:
        """Each view reads them as its own kind of question."""
        known = self._known(texts)
        few = as_questions(self._few, _taken(texts, known))
        return self._joined(known, few, as_questions(self._many, texts))

    def embed_pieces(self, texts: Sequence[str]) -> tuple[np.ndarray, list[Pieces]]:
        """The pieces are the first view's, of the texts in its languages."""
        known = self._known(texts)
        taken = _taken(texts, known)
        if isinstance(self._few, PieceEmbedder):
            few, pieces = self._few.embed_pieces(taken)
        else:
            few, pieces = self._few.embed(taken), [NO_PIECES] * len(taken)
        found = iter(pieces)
        rows = self._joined(known, few, self._many.embed(texts))
        return rows, [next(found) if one else NO_PIECES for one in known]

    def knows(self, word: str) -> bool:
        """Whether either view has it among its own words."""
        views = (self._few, self._many)
        return any(isinstance(view, Dictionary) and view.knows(word) for view in views)

    def _known(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([language_of(text) in self._languages for text in texts], np.bool_)

    def _joined(self, known: np.ndarray, few: np.ndarray, many: np.ndarray) -> np.ndarray:
        rows = np.zeros((len(known), self.dimensions), np.float32)
        width = self._few.dimensions
        rows[known, :width] = few * _FEW**0.5
        rows[:, width:] = many
        rows[known, width:] *= (1 - _FEW) ** 0.5
        return rows


def _taken(texts: Sequence[str], known: np.ndarray) -> list[str]:
    return [text for text, taken in zip(texts, known, strict=True) if taken]
