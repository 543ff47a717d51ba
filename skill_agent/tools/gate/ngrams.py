"""Likeness of short texts by the letters they share, in any script.

Every run of two to five characters counts, the rarer the more. What stands in one example only is
left out: it is mostly the name of a place or a dish, and says nothing of what is wanted.
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .cues import masked

if TYPE_CHECKING:
    import numpy as np

_SHORTEST, _LONGEST = 2, 5
_LEAST_EXAMPLES = 2
_MOST_CHARACTERS = 400
"""Of a message; what somebody wants stands at its beginning."""
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


def folded(text: str) -> str:
    """One spelling for what is the same: case, width, numbers, addresses."""
    plain = unicodedata.normalize("NFKC", masked(text[:_MOST_CHARACTERS], " urlx ")).casefold()
    return " ".join(re.sub(r"\d+", "0", plain).split())


def grams(text: str) -> Counter[str]:
    """The runs of characters of a text with their counts, word ends included."""
    words = re.findall(r"\w+", folded(text))
    padded = f" {' '.join(words)} "
    found = Counter(
        padded[start : start + size]
        for size in range(_SHORTEST, _LONGEST + 1)
        for start in range(len(padded) - size + 1)
    )
    found.update(_CJK.findall(padded))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Postings:
    """By run of characters: which examples have it, and how much it weighs in each."""

    examples: int
    weight: Mapping[str, float]
    rows: "Mapping[str, tuple[np.ndarray, np.ndarray]]"

    def like(self, text: str) -> "np.ndarray":
        """Cosine of a text to every example, from 0 to 1."""
        import numpy as np

        result = np.zeros(self.examples, np.float32)
        for gram, weight in _unit(grams(text), self.weight).items():
            rows, weights = self.rows[gram]
            result[rows] += weight * weights
        return result

    def among(self) -> "np.ndarray":
        """Cosine of every example to every other."""
        import numpy as np

        result = np.zeros((self.examples, self.examples), np.float32)
        for rows, weights in self.rows.values():
            result[np.ix_(rows, rows)] += np.outer(weights, weights)
        return result


def posted(texts: Sequence[str], *, least: int = _LEAST_EXAMPLES) -> Postings:
    """The postings of some examples; a run counts from so many of them on."""
    import numpy as np

    counts = [grams(text) for text in texts]
    spread = Counter(gram for one in counts for gram in one)
    weight = {
        gram: math.log((1 + len(texts)) / (1 + number)) + 1
        for gram, number in spread.items()
        if number >= least
    }
    rows: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for row, one in enumerate(counts):
        for gram, value in _unit(one, weight).items():
            rows[gram].append((row, value))
    return Postings(
        examples=len(texts),
        weight=weight,
        rows={
            gram: (np.array([row for row, _ in pairs]), np.array([w for _, w in pairs], np.float32))
            for gram, pairs in rows.items()
        },
    )


def _unit(counts: Mapping[str, int], weight: Mapping[str, float]) -> dict[str, float]:
    """Weights of the known runs, of length 1 together."""
    known = {
        gram: (1 + math.log(count)) * weight[gram]
        for gram, count in counts.items()
        if gram in weight
    }
    length = math.sqrt(sum(value * value for value in known.values()))
    return {gram: value / length for gram, value in known.items()}
