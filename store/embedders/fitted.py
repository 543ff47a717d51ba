"""An embedder as recall wants it: questions told from what answers them, and cosines on one scale.

Recall's bounds are tuned for cosines of unrelated texts around 0.1. Many embedders have theirs at
0.5 or 0.8, for all their vectors share one direction; others keep questions far from everything.
What the catalogue does not say of a model is measured when it loads, on sentences that have nothing
to do with one another.
"""

from collections.abc import Sequence
from threading import Lock

import numpy as np

from skill_agent.ports import Embedder

SPREAD = 0.08
"""Deviation of the cosines of questions and lines that have nothing in common, by the shipped
embedder."""
_ONE_SIDED = 0.2
"""Mean cosine of unrelated texts from which the direction they share is taken out."""
_LINES = (
    "The ferry to the island leaves from the northern pier.",
    "Meine Nachbarin züchtet Bienen auf dem Dach.",
    "El informe de ventas todavía no está firmado.",
    "Nous avons repeint la cuisine en vert pâle.",
    "Мой старый ноутбук больше не включается.",
    "来週の火曜日は図書館が休みです。",
    "她的儿子在学拉小提琴。",
    "The invoices are kept in the blue folder.",
    "Der Zug nach Wien hatte zwei Stunden Verspätung.",
    "Mi padre plantó tomates en el balcón.",
    "L'entraîneur a changé toute l'équipe.",
    "I sleep badly when the moon is full.",
)
_QUESTIONS = (
    "Which allergies does my aunt have?",
    "Wie heißt der Hund meines Chefs?",
    "¿Qué versión de la base de datos usamos?",
    "Quand a lieu le mariage de Claire ?",
    "Сколько стоил билет в театр?",
    "一番好きな果物は何ですか？",
    "我们什么时候搬家？",
    "Where did I park the car?",
    "Wer repariert die Heizung?",
    "What was decided about the logo?",
)


class Fitted:
    """Puts a model's prefixes before texts and questions, and its cosines on recall's scale."""

    def __init__(
        self, inner: Embedder, *, question: str = "", passage: str = "", gain: float = 0.0
    ) -> None:
        """`gain` is how far products with questions are stretched; 0 has everything measured."""
        self._inner = inner
        self._question = question
        self._passage = passage
        self._lock = Lock()
        self._gain = gain
        self._shared = np.zeros(0, np.float32)

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def dimensions(self) -> int:
        return self._inner.dimensions

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), dimensions), rows of length 1. Raises ModelUnavailable."""
        self._measure()
        return self._centred(self._read(self._passage, texts))

    def embed_questions(self, texts: Sequence[str]) -> np.ndarray:
        """Rows of the length that puts their products with lines on the common scale."""
        self._measure()
        return self._gain * self._centred(self._read(self._question, texts))

    def _read(self, prefix: str, texts: Sequence[str]) -> np.ndarray:
        return self._inner.embed([f"{prefix}{text}" for text in texts])

    def _measure(self) -> None:
        with self._lock:
            if self._gain:
                return
            lines = self._read(self._passage, _LINES)
            asked = self._read(self._question, _QUESTIONS)
            if (asked @ lines.T).mean() > _ONE_SIDED:
                self._shared = lines.mean(axis=0)
            spread = float((self._centred(asked) @ self._centred(lines).T).std())
            self._gain = SPREAD / max(spread, SPREAD / 4)

    def _centred(self, rows: np.ndarray) -> np.ndarray:
        """The rows without the direction that all lines share, of length 1 again."""
        if not self._shared.size or not len(rows):
            return rows
        rest = rows - self._shared
        return rest / np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-6)
