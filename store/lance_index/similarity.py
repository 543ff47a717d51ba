"""How alike memories are by their bare texts: exact scores for candidates found by rough ones.

The index holds vectors of dated lines, in which speaker and date weigh as much as a short text, so
they only choose what is embedded bare. No scope is applied here: the caller hands over what may be
seen.
"""

import math
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from skill_agent.errors import ModelUnavailable
from skill_agent.memory.words.stemming import stems
from skill_agent.values import IndexItem, Similar

from ..embedding import text_digest

if TYPE_CHECKING:
    from skill_agent.ports import Embedder

_KEPT_VECTORS = 20_000
_TEXTS_AT_ONCE = 1024
_PREFIX_WEIGHT = 0.5
"""How much of its prefix's vector a short dated line carries; 0.5 brings the cosine of the rest
nearest to that of the bare texts (correlation 0.87 instead of 0.60, measured with MiniLM)."""
_DENSE_MARGIN, _WORDS_MARGIN = 0.15, 0.3
"""How far below the wanted similarity the rough scores of a candidate may lie."""
_PARTNERS = 32
"""Candidates per memory and view: a thousand equal texts need no half a million pairs."""
_BLOCK_CELLS = 8_000_000
_PAIRS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the index holds of n memories, in one order."""

    ids: Sequence[str]
    texts: Sequence[str]
    prefixes: Sequence[str]
    """The dated line of each without its text."""
    vectors: np.ndarray
    """float32 (n, dimensions) of the whole dated lines"""


class TextSimilarity:
    """Compares texts; remembers the vectors of recent ones by digest, never the texts."""

    def __init__(self, embedder: "Embedder") -> None:
        self._embedder = embedder
        self._lock = Lock()
        self._kept: OrderedDict[bytes, np.ndarray] = OrderedDict()

    def vectors(self, texts: Sequence[str]) -> np.ndarray | None:
        """float32 (len(texts), dimensions); None where there is no embedder that says anything."""
        keys = [text_digest(text) for text in texts]
        with self._lock:
            found = {key: self._kept[key] for key in keys if key in self._kept}
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        wanted, missing = list(new), list(new.values())
        try:
            for start in range(0, len(missing), _TEXTS_AT_ONCE):
                part = slice(start, start + _TEXTS_AT_ONCE)
                rows = self._embedder.embed(missing[part])
                found.update(zip(wanted[part], rows, strict=True))
        except ModelUnavailable:
            return None
        self._keep({key: found[key] for key in keys})
        rows = np.stack([found[key] for key in keys]) if keys else np.zeros((0, 1), np.float32)
        return rows if rows.any() else None

    def similar(
        self, texts: Sequence[str], shortlists: Sequence[Sequence[IndexItem]], limit: int
    ) -> list[list[Similar]]:
        """For each text the best of its shortlist; cosine, or shared stems without an embedder."""
        distinct = {item.text for shortlist in shortlists for item in shortlist}
        every = list(dict.fromkeys([*texts, *sorted(distinct)]))
        vectors = self.vectors(every)
        place = {text: row for row, text in enumerate(every)}
        held = [frozenset(stems(text)) for text in every] if vectors is None else []
        ranked: list[list[Similar]] = []
        for text, shortlist in zip(texts, shortlists, strict=True):
            rows = [place[item.text] for item in shortlist]
            if vectors is None:
                scores = [_score(held, every, place[text], row) for row in rows]
            else:
                scores = (vectors[rows] @ vectors[place[text]]).tolist()
            scored = zip(shortlist, scores, strict=True)
            found = [Similar(item=item, cosine=min(1.0, score)) for item, score in scored]
            ranked.append(sorted(found, key=lambda one: -one.cosine)[:limit])
        return ranked

    def near_pairs(self, held: Held, above: float) -> list[tuple[str, str, float]]:
        """Pairs nearer than `above`, nearest first; of each the one held first comes first.

        Work grows with the square of the memories in matrix products (10 000: a second), memory
        does not; each memory names at most some 30 partners that follow it.
        """
        if len(held.ids) < 2:
            return []
        words = [frozenset(stems(text)) for text in held.texts]
        prefixes = self._prefixes(held) if held.vectors.any() else None
        if prefixes is None:
            found = twins(words, held.texts, above)
            scores = np.array([_score(words, held.texts, one, two) for one, two in found])
        else:
            rough = near(_without(held.vectors, prefixes), above - _DENSE_MARGIN)
            alike = twins(words, held.texts, max(0.3, above - _WORDS_MARGIN))
            found = np.unique(np.concatenate([rough, alike]), axis=0)
            scores = self._cosines(held.texts, found)
        order = np.argsort(-scores, kind="stable")
        return [
            (
                held.ids[int(found[row, 0])],
                held.ids[int(found[row, 1])],
                min(1.0, float(scores[row])),
            )
            for row in order[scores[order] > above]
        ]

    def _prefixes(self, held: Held) -> np.ndarray | None:
        """float32 (n, dimensions): the vector of each memory's prefix."""
        distinct = list(dict.fromkeys(held.prefixes))
        vectors = self.vectors(distinct)
        if vectors is None:
            return None
        place = {prefix: row for row, prefix in enumerate(distinct)}
        return vectors[[place[prefix] for prefix in held.prefixes]]

    def _cosines(self, texts: Sequence[str], pairs: np.ndarray) -> np.ndarray:
        """float32 per row pair: the cosine of the bare texts."""
        scores = np.zeros(len(pairs), np.float32)
        involved, place = np.unique(pairs, return_inverse=True)
        vectors = self.vectors([texts[int(row)] for row in involved])
        if vectors is None:
            return scores
        place = place.reshape(pairs.shape)
        for start in range(0, len(pairs), _PAIRS_AT_ONCE):
            part = place[start : start + _PAIRS_AT_ONCE]
            scores[start : start + len(part)] = np.vecdot(vectors[part[:, 0]], vectors[part[:, 1]])
        return scores

    def _keep(self, fresh: dict[bytes, np.ndarray]) -> None:
        with self._lock:
            for key, vector in fresh.items():
                self._kept[key] = vector
                self._kept.move_to_end(key)
            while len(self._kept) > _KEPT_VECTORS:
                self._kept.popitem(last=False)


def near(vectors: np.ndarray, above: float) -> np.ndarray:
    """int32 (pairs, 2): rows i < j of unit vectors with a cosine over `above`, block by block."""
    count = len(vectors)
    height = max(1, _BLOCK_CELLS // count)
    found = [np.zeros((0, 2), np.int32)]
    for start in range(0, count, height):
        scores = vectors[start : start + height] @ vectors[start:].T
        scores[np.tril_indices(len(scores), 0, scores.shape[1])] = -1
        for row in np.flatnonzero((scores > above).any(axis=1)):
            hits = np.flatnonzero(scores[row] > above)
            if len(hits) > _PARTNERS:
                hits = hits[np.argpartition(-scores[row, hits], _PARTNERS)[:_PARTNERS]]
            beside = np.full(len(hits), start + row)
            found.append(np.stack([beside, start + hits], axis=1).astype(np.int32))
    return np.concatenate(found)


def twins(words: Sequence[frozenset[str]], texts: Sequence[str], above: float) -> np.ndarray:
    """int32 (pairs, 2): rows i < j whose word sets overlap by more than `above` (Jaccard), or
    whose texts are equal.

    Sets that overlap so far share one of their rarest members (prefix filtering, Chaudhuri et al.
    2006), so only those are compared.
    """
    often = Counter(word for row in words for word in row)
    shelves: defaultdict[str, list[int]] = defaultdict(list)
    found: list[tuple[int, int]] = []
    for row, held in enumerate(words):
        needed = len(held) - math.ceil(above * len(held)) + 1
        keys = sorted(held, key=lambda word: (often[word], word))[:needed] or [texts[row]]
        seen: set[int] = set()
        for key in keys:
            seen.update(shelves[key][-_PARTNERS:])
            shelves[key].append(row)
        fitting = (one for one in sorted(seen) if _score(words, texts, one, row) > above)
        found += [(one, row) for one in islice(fitting, _PARTNERS)]
    return np.array(found, np.int32).reshape(-1, 2)


def _score(words: Sequence[frozenset[str]], texts: Sequence[str], one: int, two: int) -> float:
    return 1.0 if texts[one] == texts[two] else _overlap(words[one], words[two])


def _overlap(one: frozenset[str], two: frozenset[str]) -> float:
    """Jaccard's share of common members."""
    common = len(one & two)
    return common / (len(one) + len(two) - common) if common else 0.0


def _without(vectors: np.ndarray, prefixes: np.ndarray) -> np.ndarray:
    """Unit vectors of the lines with their prefixes taken out as far as that can be done."""
    rest = vectors - _PREFIX_WEIGHT * prefixes
    return rest / np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-6)
