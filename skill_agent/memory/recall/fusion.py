"""The learnt second look at the best candidates: a linear part and small trees over their signals.

The weights are plain numbers in the wheel, made by `benchmarks/memory/learn_ranking.py` on talk of
several kinds and languages. What a signal is, is written here and nowhere else; it orders only,
whether anything is relevant at all is for the evidence in `ranking` to say.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .signals import session_prior

WEIGHTS = Path(__file__).parents[2] / "bundled" / "fusion.npz"
_SPREAD = 10.0
"""By how much the learnt score falls where relevance falls to 1/e: the tenth candidate is then as
far behind the first as by the mean of the views."""
_RAREST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """What the second look sees of each candidate; one entry each unless said otherwise."""

    views: Mapping[str, np.ndarray]
    """Each view normalised over everything visible, see `ranking.normalised`."""
    before: Mapping[str, np.ndarray]
    """The single views of the item before it in its session; 0 without one"""
    after: Mapping[str, np.ndarray]
    beside: np.ndarray
    """int (n, 2): the candidates that stand before and after it, -1 for none"""
    matches: np.ndarray
    """float32 (pieces of the question, n), see `late.matches`"""
    weights: np.ndarray
    """float32 (pieces of the question,)"""
    fused: np.ndarray
    cosine: np.ndarray
    surprise: np.ndarray
    covered: np.ndarray
    covered_window: np.ndarray
    named: np.ndarray
    time: np.ndarray
    speaker: np.ndarray
    """bool: the question names who said it"""
    session: np.ndarray
    """int code, -1 for none"""
    turn: np.ndarray
    asks: np.ndarray
    """bool: it is a question"""
    asked_before: np.ndarray
    """bool: the item before it is one"""
    digits: np.ndarray
    """bool: a number stands in it"""
    length: np.ndarray
    """In stems"""
    usual_length: float
    """Of what is visible"""


def signals(seen: Second) -> dict[str, np.ndarray]:
    """float32 per candidate and signal, on scales that mean the same in every home."""
    late = _late(seen)
    views = {f"view {name}": value for name, value in seen.views.items()}
    around = {
        f"{name} {place}": value
        for place, beside in (("before", seen.before), ("after", seen.after))
        for name, value in beside.items()
    }
    before = np.append(late["late"], np.float32(0))[seen.beside[:, 0]]
    after = np.append(late["late"], np.float32(0))[seen.beside[:, 1]]
    first = seen.fused + late["late"]
    asked = seen.asked_before.astype(np.float32)
    length = np.log1p(seen.length) - math.log1p(max(0.0, seen.usual_length))
    found = {
        **views, **around, **late,
        "fused": seen.fused, "late before": before, "late after": after,
        "cosine": seen.cosine, "surprise": seen.surprise,
        "covered": seen.covered, "covered window": seen.covered_window,
        "named": seen.named, "time": seen.time, "speaker": seen.speaker,
        "asks": seen.asks, "asked before": asked, "digits": seen.digits,
        "answers words": asked * around["lexical before"],
        "answers sense": asked * around["dense before"],
        "answers late": asked * before,
        "length": length, "usual length": np.full(len(length), math.log1p(seen.usual_length)),
        "turn": seen.turn,
        "prior": session_prior(first, seen.session),
        "prior words": session_prior(seen.views["lexical"], seen.session),
        "gap": first - first.max(initial=0.0),
        "place": np.log1p(_places(first)),
        "place words": np.log1p(_places(seen.views["lexical"])),
        "place sense": np.log1p(_places(seen.views["dense"])),
        "place late": np.log1p(_places(late["late"])),
    }  # fmt: skip
    return {name: np.asarray(value, np.float32) for name, value in found.items()}


def _late(seen: Second) -> dict[str, np.ndarray]:
    """How well the pieces of the question are met, the whole of it and the rarest alone."""
    total = float(seen.weights.sum())
    mean = seen.weights @ seen.matches / total if total else np.zeros(len(seen.fused), np.float32)
    rarest = np.argsort(-seen.weights, kind="stable")[:_RAREST]
    rare = seen.matches[rarest]
    worst = rare.min(axis=0) if len(rare) else np.zeros(len(seen.fused), np.float32)
    low, high = (float(mean.min()), float(mean.max())) if len(mean) else (0.0, 0.0)
    return {
        "late": (mean - low) / (high - low) if high > low else np.zeros_like(mean),
        "late mean": mean,
        "late worst": worst,
        "late rare": rare.mean(axis=0) if len(rare) else worst,
        "late plain": seen.matches.mean(axis=0) if len(seen.matches) else worst,
    }


def _places(values: np.ndarray) -> np.ndarray:
    """0 for the highest, 1 for the next."""
    places = np.empty(len(values), np.float32)
    places[np.argsort(-values, kind="stable")] = np.arange(len(values))
    return places


class Fusion:
    """The learnt weights."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        with np.load(path) as stored:
            self.names: tuple[str, ...] = tuple(stored["names"].tolist())
            self._linear: np.ndarray = stored["linear"]
            self._tests: np.ndarray = stored["tests"]
            self._bounds: np.ndarray = stored["bounds"]
            self._leaves: np.ndarray = stored["leaves"]

    def scores(self, seen: Second) -> np.ndarray:
        """float32 per candidate, 1 for the best and falling towards 0."""
        total = self.weighed(signals(seen))
        return np.exp((total - total.max(initial=-np.inf)) / _SPREAD).astype(np.float32)

    def weighed(self, found: Mapping[str, np.ndarray]) -> np.ndarray:
        """The learnt score per candidate, on no scale of its own."""
        rows = np.stack([found[name] for name in self.names], axis=1)
        return rows @ self._linear + self._grown(rows)

    def _grown(self, rows: np.ndarray) -> np.ndarray:
        """What the trees add: all fall through all of them at once."""
        every = np.arange(len(self._tests))
        node = np.zeros((len(rows), len(every)), np.int64)
        inner = self._tests.shape[1]
        for _ in range(inner.bit_length()):
            value = np.take_along_axis(rows, self._tests[every, node], axis=1)
            node = 2 * node + 1 + (value > self._bounds[every, node])
        return self._leaves[every, node - inner].sum(axis=1)
