"""The signals of recall, one small function each; arrays hold one entry per candidate."""

from collections.abc import Mapping, Sequence

import numpy as np

from skill_agent.memory.words.stemming import words

DEFAULT_WEIGHTS: Mapping[str, float] = {
    "semantic": 0.35, "recency": 0.20, "importance": 0.20, "continuity": 0.15,
    "relationship": 0.10,
}  # fmt: skip
"""The weights an agent starts with (`RetrievalWeights` of its DNA)."""

DECAY_PER_HOUR = 0.01
"""Recency halves in some 69 hours."""
LINKED = 0.5
"""What one hop of `related_to` passes on of the linking item's relevance."""
_BEST_OF_SESSION = 3


def recency(age_hours: np.ndarray) -> np.ndarray:
    """exp(-0.01 · hours) since it was said, 1 for what was just said.

    Not since it was last recalled: then what is recalled once would be fresh and so recalled again,
    and old favourites would outrank new facts.
    """
    return np.exp(-DECAY_PER_HOUR * np.maximum(age_hours, 0.0))


def importance(scale: np.ndarray, pinned: np.ndarray) -> np.ndarray:
    """The 1..10 scale as 0.1..1; a pin counts as the highest importance."""
    return np.where(pinned, 1.0, scale / 10.0)


def named_speakers(speakers: Sequence[str], question: str) -> np.ndarray:
    """bool per speaker: does the question name them, wholly or by one part of their name?

    Parts shorter than three letters are ignored: too many are ordinary words.
    """
    asked = set(words(question))
    return np.array(
        [any(part in asked and len(part) > 2 for part in words(name)) for name in speakers], bool
    )


def session_prior(scores: np.ndarray, sessions: np.ndarray) -> np.ndarray:
    """Each candidate's session as good as its three best turns together; 0 without a session.

    Missing turns count as zero, so that one lucky line does not make a session.
    """
    prior = np.zeros(len(scores), np.float32)
    order = np.lexsort((-scores, sessions))
    places, grouped = np.arange(len(order)), sessions[order]
    first = np.append(True, grouped[1:] != grouped[:-1])[: len(order)]
    in_session = places - np.maximum.accumulate(np.where(first, places, 0))
    best = np.where(in_session < _BEST_OF_SESSION, scores[order], 0.0)
    group = np.cumsum(first) - 1
    level = np.bincount(group, best) / _BEST_OF_SESSION
    prior[order] = np.where(grouped == -1, 0.0, level[group])
    return prior


def reason(signals: Mapping[str, float]) -> str:
    """The signals that speak for a hit, in words, the strongest kinds first."""
    said: list[str] = []
    if signals.get("covered", 0.0) > 0:
        said.append(f"{signals['covered']:.0%} of the question's weight in words")
    if signals.get("time", 0.0) > 0:
        said.append("of the time the question names")
    if signals.get("evidence", 0.0) > signals.get("covered", 0.0):
        said.append(f"close in meaning ({signals.get('cosine', 0.0):.2f})")
    if signals.get("speaker", 0.0) > 0:
        said.append("said by whom the question names")
    if signals.get("linked", 0.0) > signals.get("evidence", 0.0):
        said.append("linked from a better hit")
    if signals.get("continuity", 0.0) > 0:
        said.append("from this conversation")
    if signals.get("pinned", 0.0) > 0:
        said.append("pinned")
    return ", ".join(said) or "its surroundings match"
