"""From raw views to ranked candidates: score fusion, absolute evidence, the other signals.

Four views of every visible item (dense and BM25, alone and as the middle of its window) are
min-max normalised and averaged: on long conversations that finds a third more than fusing ranks.
The best of them are looked at again (`fusion`) where the embedder tells the pieces of a text; else
the speaker the question names and the session of the best turns add to the mean. Either always
crowns somebody, so each item has evidence of its own, on an absolute scale; only then can a floor
say "nothing relevant". Recency, importance, continuity and links modulate relevance, they never
replace it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .signals import DEFAULT_WEIGHTS, session_prior

CANDIDATES = 200
"""How many of the best fused items the remaining signals look at."""
FAR_BEHIND = 0.4
"""Where a floor is asked for, hits with less than this share of the best evidence go too."""
RELEVANT = 0.2
"""Evidence from which an item has to do with the question, where no floor is given."""
WITHIN_REACH = 0.75
"""Share of the best evidence a pin needs there, to be put before direct matches."""
SPEAKER_BOOST = 0.10
SESSION_PRIOR = 0.50
TIME_BOOST = 0.10
PINNED, IDENTITY = 0.95, 1.0
"""The least a pinned, and what an identity memory scores: in a prompt always, else if relevant."""
_UNRELATED = 0.1
"""Cosine of two lines that share nothing but their date."""
_SENSE_NOISE, _SENSE_SURE = 0.46, 1.0
"""`sense` that small talk reaches by chance, and that of a plain paraphrase."""
_AGREES_FROM, _AGREES_AT = 0.2, 0.45
"""`sense` from which shared words are believed to be meant, and at which fully."""
_SPELT_FROM, _SPELT_AT = 0.6, 0.9
"""Share of the question's words that needs no agreement: codes and names mean nothing to it."""
_WORDS = 0.7
"""Evidence of all the question's words without any sense."""
_BY_CHANCE_MEAN, _BY_CHANCE_SPREAD, _BY_CHANCE_ITEMS = 0.08, 0.09, 10
"""How cosines of unrelated lines spread, believed until so many items say otherwise."""
_NEIGHBOURS = 0.8
"""What is left of the evidence that stands in the sentences around a verbatim turn."""
KNOWN, _STRANGE = 0.5, 0.6
"""Below this share of the question's names known to anything, what is left of all evidence."""
_OWN_AFFAIRS = 0.25
"""Exponent that raises evidence where the asker's own affairs are meant; a best of 0.12 becomes
0.2, and the others with it."""
_TASK = 0.6
"""What is left of it where a task is set that needs no memory."""
_ON_THE_DAY = 0.5
"""Evidence of speaking of the time, for a question that asks for nothing else."""
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
    surprise: np.ndarray
    """How far the cosine stands out, see `surprise`."""
    covered: np.ndarray
    """Share of the question's idf mass in the item itself, its time words apart."""
    cosine_window: np.ndarray
    covered_window: np.ndarray
    turn: np.ndarray
    """bool: a verbatim turn, whose neighbours may hold what it answers to."""
    time: np.ndarray
    """1 where it was written, or speaks of a day, in the time the question names."""
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
    pinned: np.ndarray
    identity: np.ndarray
    second: np.ndarray | None = None
    """What the second look says of each, 1 for the best; None without one."""
    on_day: np.ndarray | None = None
    """1 where the text itself speaks of the time, for a question that asks for nothing else."""
    own: bool = False
    """The question is about the asker's own affairs."""
    task: bool = False
    """It asks for work on words, or what everybody may know."""
    strange: bool = False
    """Most of the names in the question stand in nothing the asker may see."""

    @property
    def kept(self) -> np.ndarray:
        """bool: identity and pinned memories, which no floor removes."""
        return self.pinned | self.identity


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
        fused += normalised(view, visible) / 4
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


def surprise(cosine: np.ndarray, telling: np.ndarray) -> np.ndarray:
    """How far each cosine stands above the others, over what the best of so many reaches by chance.

    1 is the expected maximum of as many normal draws, sqrt(2 ln n) deviations from the mean: the
    same cosine says much among few items and little among many. Questions do not count among the
    others (`telling`, bool): they are near every question.
    """
    seen = cosine[telling]
    count = len(seen) + _BY_CHANCE_ITEMS
    mean = (float(seen.sum()) + _BY_CHANCE_ITEMS * _BY_CHANCE_MEAN) / count
    off = float(((seen - mean) ** 2).sum())
    spread = math.sqrt((off + _BY_CHANCE_ITEMS * _BY_CHANCE_SPREAD**2) / count)
    return (cosine - mean) / (spread * math.sqrt(2 * math.log(count)))


def evidence(candidates: Candidates) -> np.ndarray:
    """What each candidate itself has to do with the question, 0..1 on an absolute scale.

    Sense is enough. Shared words count as far as sense agrees, for any two texts share some, or as
    far as they are nearly all of the question.
    """
    own = _evidence(candidates.cosine, candidates.surprise, candidates.covered)
    around = _evidence(candidates.cosine_window, candidates.surprise, candidates.covered_window)
    return np.where(candidates.turn, np.maximum(own, _NEIGHBOURS * around), own)


def relevance(candidates: Candidates) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """How well each candidate answers, 0..1, and the parts of it."""
    own = evidence(candidates)
    if candidates.own and (top := float(own.max(initial=0.0))) > 0:
        own = own * top**-_OWN_AFFAIRS
    if candidates.task:
        own = own * _TASK
    if candidates.on_day is not None:
        own = np.maximum(own, _ON_THE_DAY * candidates.on_day)
    total = candidates.second
    if first := total is None:
        boosted = (
            candidates.fused + SPEAKER_BOOST * candidates.speaker + TIME_BOOST * candidates.time
        )
        total = boosted + SESSION_PRIOR * session_prior(boosted, candidates.session)
    own = own * _STRANGE if candidates.strange else own
    top = float(total.max()) if len(total) else 0.0
    relative = total / top if top > 0 else total
    # One factor for the whole question leaves the order alone; the root spreads the low end.
    semantic = relative * math.sqrt(max(0.01, float(own.max(initial=0.0))))
    return semantic, {
        "speaker": candidates.speaker.astype(np.float32), "evidence": own,
        "time": candidates.time, "second": np.zeros_like(total) if first else total,
    }  # fmt: skip


def rank(
    candidates: Candidates,
    semantic: np.ndarray,
    relationship: np.ndarray,
    weights: Mapping[str, float],
    *,
    relevant: np.ndarray,
) -> Ranked:
    """Final scores: relevance, modulated by the other signals in proportion to their weights.

    score = semantic · (1 - m + m · Σ wᵢ·sᵢ / Σ wᵢ), with m half the other signals' share of all
    weights. Of what is `relevant` (bool), pins then reach at least 0.95, in the order of their
    relevance, and identity 1. Disputed and retired items lose half.
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
    score = np.minimum(1.0, carried * (1 - share + share * lift))
    lifted = PINNED + (IDENTITY - PINNED) * 0.99 * np.minimum(1.0, carried)
    score = np.where(candidates.pinned & relevant, np.maximum(score, lifted), score)
    score = np.where(candidates.identity & relevant, IDENTITY, score)
    score = np.where(candidates.disputed, score * _DISPUTED, score)
    score = np.where(candidates.retired, score * _SUPERSEDED, score)
    order = np.argsort(-score, kind="stable")
    return Ranked(order=order, score=score, signals={"semantic": semantic, **others})


def chosen(ranked: Ranked, evidence: np.ndarray, kept: np.ndarray, floor: float) -> list[int]:
    """Candidates worth showing, best first; with a floor, those with evidence, then the kept."""
    matching = [int(row) for row in ranked.order if ranked.score[row] > 0]
    if floor <= 0 or not len(ranked.score):
        return matching
    bar = max(floor, FAR_BEHIND * float(evidence.max()))
    above = [row for row in matching if evidence[row] >= bar]
    there = set(above)
    return above + [int(row) for row in ranked.order if kept[row] and int(row) not in there]


def normalised(view: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """From the lowest visible value to the highest.

    The lowest is never above what unrelated text reaches: of two good matches none becomes 0.
    """
    low = float(np.min(view, where=visible, initial=_UNRELATED))
    high = float(np.max(view, where=visible, initial=0.0))
    return (view - low) / (high - low) if high > low else np.zeros_like(view)


def _evidence(cosine: np.ndarray, outstanding: np.ndarray, covered: np.ndarray) -> np.ndarray:
    sense = np.sqrt(np.maximum(cosine, 0.0) * np.maximum(outstanding, 0.0))
    meaning = _rising(sense, _SENSE_NOISE, _SENSE_SURE)
    # Without an embedder there is no sense to ask, and words are all there is.
    agrees = _rising(sense, _AGREES_FROM, _AGREES_AT) if cosine.any() else np.ones_like(sense)
    believed = covered * np.maximum(agrees, _rising(covered, _SPELT_FROM, _SPELT_AT))
    return meaning + (1 - meaning) * _WORDS * believed


def _rising(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 up to the low end, 1 from the high one, straight between."""
    return np.clip((value - low) / (high - low), 0.0, 1.0)
