"""How like two short texts are: by their letters, and by meaning where the embedder can tell.

An embedder that was taught English makes noise of Japanese. So it counts in a script only if, among
our own examples in it, its nearest neighbour wants the same as often as the one by letters does.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .cues import masked
from .ngrams import Postings, folded, posted

if TYPE_CHECKING:
    import numpy as np

    from skill_agent.ports import Embedder

_SHARE = 0.5
"""Of the embedder in a script it knows; the letters have the rest."""
_BEHIND = 0.05
"""By how much its neighbours may agree less often than those by letters."""
_SHARPNESS = 2.0
"""Likeness is taken to this power of e, so that one near example outweighs many distant ones."""
_SCRIPTS = {
    "kana": re.compile(r"[\u3040-\u30ff]"),
    "han": re.compile(r"[\u3400-\u9fff]"),
    "cyrillic": re.compile(r"[\u0400-\u04ff]"),
    "latin": re.compile(r"[a-z]", re.IGNORECASE),
}


def script_of(text: str) -> str:
    """The script a text is written in; one rare letter is enough, for Latin is everywhere."""
    plain = masked(text, " ")
    return next((name for name, letter in _SCRIPTS.items() if letter.search(plain)), "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """Some examples, ready to be compared with."""

    postings: Postings
    meanings: "np.ndarray | None"
    """Unit vectors of the examples, their mean taken off; None where there is no embedder."""
    mean: "np.ndarray | None"
    vectors: "np.ndarray | None"
    """The examples as the embedder gave them."""
    shares: "np.ndarray"
    """The embedder's share for each example."""
    share: Mapping[str, float]
    """The embedder's share by script."""

    def like(self, text: str, vector: "np.ndarray | None") -> "np.ndarray":
        """How like a text, with its vector, is to every example; up to 1."""
        import numpy as np

        share = self.share_of(text) if vector is not None else 0.0
        near = np.sqrt((1 - share) * (1 - self.shares)) * self.postings.like(text)
        if share and self.meanings is not None and self.mean is not None and vector is not None:
            meaning = _off(vector[None, :], self.mean)[0]
            near = near + np.sqrt(share * self.shares) * (self.meanings @ meaning)
        return np.exp(_SHARPNESS * (near - 1))

    def among(self) -> "np.ndarray":
        """How like every example is to every other."""
        import numpy as np

        root = np.sqrt(1 - self.shares)
        near = self.postings.among() * np.outer(root, root)
        if self.meanings is not None:
            root = np.sqrt(self.shares)
            near += (self.meanings @ self.meanings.T) * np.outer(root, root)
        return np.exp(_SHARPNESS * (near - 1))

    def share_of(self, text: str) -> float:
        """The embedder's share for a text; in a script without examples what it is in the
        strangest of those with."""
        return self.share.get(script_of(text), min(self.share.values(), default=0.0))


def learned(texts: Sequence[str], wants: Sequence[str], embedder: "Embedder | None") -> Likeness:
    """Makes examples comparable; `wants` says what each of them wants. Blocking."""
    import numpy as np

    postings = posted(texts)
    vectors = embedder.embed([folded(text) for text in texts]) if embedder and texts else None
    nothing = Likeness(
        postings=postings,
        meanings=None,
        mean=None,
        vectors=None,
        shares=np.zeros(len(texts), np.float32),
        share={},
    )
    if vectors is None or not vectors.any():
        return nothing
    mean = vectors.mean(axis=0)
    meanings = _off(vectors, mean)
    scripts = np.array([script_of(text) for text in texts])
    share = _shares(postings.among(), meanings @ meanings.T, scripts, np.array(wants))
    shares = np.array([share[one] for one in scripts], np.float32)
    return Likeness(
        postings=postings,
        meanings=meanings,
        mean=mean,
        vectors=vectors,
        shares=shares,
        share=share,
    )


def _shares(
    by_letters: "np.ndarray", by_meaning: "np.ndarray", scripts: "np.ndarray", wants: "np.ndarray"
) -> dict[str, float]:
    import numpy as np

    share: dict[str, float] = {}
    for script in dict.fromkeys(scripts.tolist()):
        rows = np.flatnonzero(scripts == script)
        agreeing = [
            _agreeing(one[np.ix_(rows, rows)], wants[rows]) for one in (by_letters, by_meaning)
        ]
        share[script] = _SHARE if agreeing[1] >= agreeing[0] - _BEHIND else 0.0
    return share


def _agreeing(near: "np.ndarray", wants: "np.ndarray") -> float:
    """How often an example's nearest neighbour wants the same."""
    import numpy as np

    if len(wants) < 2:
        return 0.0
    others = near - 9 * np.eye(len(near), dtype=near.dtype)
    return float((wants[others.argmax(axis=1)] == wants).mean())


def _off(vectors: "np.ndarray", mean: "np.ndarray") -> "np.ndarray":
    """Unit vectors without what all texts have in common."""
    import numpy as np

    rest = vectors - mean
    return rest / np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-6)
