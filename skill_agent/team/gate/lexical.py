"""How many of a message's letters stand in an agent's texts, the rarer among agents the more."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skill_agent.tools.gate.ngrams import grams

if TYPE_CHECKING:
    import numpy as np

_SHORTEST = 3
"""Runs of characters that say anything; of scripts whose words are shorter, single signs do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Which run of characters stands in whose texts."""

    size: int
    rows: "Mapping[str, np.ndarray]"
    unknown: float
    """What a run weighs that nobody has."""

    def covered(self, text: str) -> "np.ndarray":
        """By row, the weight of the runs it shares with a text, to the length of all of them."""
        import numpy as np

        found: list[np.ndarray] = []
        weights: list[float] = []
        length = 0.0
        for gram in _runs(text):
            rows = self.rows.get(gram)
            weight = self.unknown if rows is None else math.log((self.size + 1) / len(rows))
            length += weight * weight
            if rows is not None:
                found.append(rows)
                weights.append(weight)
        if not found:
            return np.zeros(self.size)
        spread = np.repeat(weights, [len(rows) for rows in found])
        return np.bincount(np.concatenate(found), spread, self.size) / (math.sqrt(length) or 1.0)


def lexicon(documents: Sequence[str]) -> Lexicon:
    """One document a row."""
    import numpy as np

    rows: dict[str, list[int]] = {}
    for row, text in enumerate(documents):
        for gram in _runs(text):
            rows.setdefault(gram, []).append(row)
    return Lexicon(
        size=len(documents),
        rows={gram: np.array(found, np.int64) for gram, found in rows.items()},
        unknown=math.log(len(documents) + 1),
    )


def _runs(text: str) -> Counter[str]:
    return Counter(
        {
            gram: count
            for gram, count in grams(text).items()
            if len(gram) >= _SHORTEST or not gram.isascii()
        }
    )
