"""From raw views to ranked candidates: score fusion, absolute evidence, the other signals.

Four views of every visible item (dense and BM25, alone and as the middle of its window) are
min-max normalised and averaged: on long conversations that finds a third more than fusing ranks.
The speaker the question names and the session of the best turns add to it. Min-max always crowns
somebody, so the sum is scaled by how much evidence there is at all; only then can a floor say
"nothing relevant". Recency, importance, continuity and links modulate relevance, never replace it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .signals import DEFAULT_WEIGHTS, session_prior

CANDIDATES = 200
"""How many of the best fused items the remaining signals look at."""
FAR_BEHIND = 0.4
"""Where a floor is asked for, hits below this share of the best one's score go too."""
SPEAKER_BOOST = 0.10
SESSION_PRIOR = 0.50
_UNRELATED = 0.1
"""Cosine of two lines that share nothing but their date."""
_COSINE_NOISE, _COSINE_SURE = 0.20, 0.60
"""Unrelated sentences reach about the first with the shipped embedder, paraphrases the second."""
_MODULATION = 0.5
"""Share of the other signals' weight that may take relevance away."""
_DISPUTED, _SUPERSEDED = 0.5, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """The four raw views, one float32 per item."""

    dense: np.ndarray
    dense_window: np.ndarray
    lexical: np.ndarray
    lexical_window: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What ranking needs of the best fused items; every array has one entry per candidate."""

    fused: np.ndarray
    """Mean of the normalised views, 0..1."""
    cosine: np.ndarray
    covered: np.ndarray
    """Share of the question's idf mass in the item itself."""
    speaker: np.ndarray
    """bool: the question names who said it."""
    session: np.ndarray
    """int code, -1 for none"""
    recency: np.ndarray
    importance: np.ndarray
    continuity: np.ndarray
    disputed: np.ndarray
    retired: np.ndarray
    """bool: superseded, archived or expired; only a search in the cold tier sees such."""
    kept: np.ndarray
    """bool: identity and pinned memories, which no floor removes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """The candidates' scores, best first in `order`, and the signals they are made of."""

    order: np.ndarray
    score: np.ndarray
    signals: Mapping[str, np.ndarray]


def fuse(views: Views, visible: np.ndarray) -> np.ndarray:
    """Mean of the four views, each normalised over what is visible; -1 for what is not."""
    fused = np.zeros(len(visible), np.float32)
    for view in (views.dense, views.dense_window, views.lexical, views.lexical_window):
        fused += _normalised(view, visible) / 4
    fused[~visible] = -1
    return fused


def best(fused: np.ndarray, count: int) -> np.ndarray:
    """Positions of the `count` highest non-negative values, highest first, ties in order."""
    if count < len(fused):
        found = np.argpartition(-fused, count)[:count]
        found.sort()
    else:
        found = np.arange(len(fused))
    found = found[fused[found] >= 0]
    return found[np.argsort(-fused[found], kind="stable")]


def relevance(candidates: Candidates) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """How well each candidate answers, 0..1 on an absolute scale, and the parts of it."""
    boosted = candidates.fused + SPEAKER_BOOST * candidates.speaker
    prior = session_prior(boosted, candidates.session)
    total = boosted + SESSION_PRIOR * prior
    # Neither alone tells an answer from small talk: generic words match, related topics are near.
    evidence = (_certainty(candidates.cosine) + candidates.covered) / 2
    top = float(total.max()) if len(total) else 0.0
    relative = total / top if top > 0 else total
    # One factor for the whole question: it decides about the floor and leaves the order alone.
    # The root spreads the low end, where short paraphrases and small talk part.
    semantic = relative * math.sqrt(float(evidence.max(initial=0.0)))
    return semantic, {
        "speaker": candidates.speaker.astype(np.float32), "session": prior, "evidence": evidence,
    }  # fmt: skip


def rank(
    candidates: Candidates,
    semantic: np.ndarray,
    relationship: np.ndarray,
    weights: Mapping[str, float],
) -> Ranked:
    """Final scores: relevance, modulated by the other signals in proportion to their weights.

    score = semantic · (1 - m + m · Σ wᵢ·sᵢ / Σ wᵢ), with m half the other signals' share of all
    weights. Disputed and retired items lose half.
    """
    chosen = {**DEFAULT_WEIGHTS, **weights}
    others = {
        "recency": candidates.recency, "importance": candidates.importance,
        "continuity": candidates.continuity, "relationship": relationship,
    }  # fmt: skip
    carried = np.maximum(semantic, relationship)
    weight = sum(chosen[name] for name in others)
    share = _MODULATION * weight / max(1e-9, weight + chosen["semantic"])
    lift = sum(chosen[name] * value for name, value in others.items()) / max(1e-9, weight)
    score = carried * (1 - share + share * lift)
    score = np.where(candidates.disputed, score * _DISPUTED, score)
    score = np.where(candidates.retired, score * _SUPERSEDED, score)
    order = np.argsort(-score, kind="stable")
    return Ranked(order=order, score=score, signals={"semantic": semantic, **others})


def chosen(ranked: Ranked, kept: np.ndarray, floor: float) -> list[int]:
    """Candidates worth showing, best first; with a floor, then those that no floor removes."""
    matching = [int(row) for row in ranked.order if ranked.score[row] > 0]
    if floor <= 0 or not len(ranked.score):
        return matching
    bar = max(floor, FAR_BEHIND * float(ranked.score.max()))
    above = [row for row in matching if ranked.score[row] >= bar]
    there = set(above)
    return above + [int(row) for row in ranked.order if kept[row] and int(row) not in there]


def _normalised(view: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """From the lowest visible value to the highest.

    The lowest is never above what unrelated text reaches: of two good matches none becomes 0.
    """
    low = float(np.min(view, where=visible, initial=_UNRELATED))
    high = float(np.max(view, where=visible, initial=0.0))
    return (view - low) / (high - low) if high > low else np.zeros_like(view)


def _certainty(cosine: np.ndarray) -> np.ndarray:
    """Cosine as evidence: 0 at the noise of unrelated sentences, 1 at a paraphrase."""
    return np.clip((cosine - _COSINE_NOISE) / (_COSINE_SURE - _COSINE_NOISE), 0.0, 1.0)
