"""A small learner of orders: a linear part, then boosted trees, under one loss over whole lists.

The loss is the cross entropy between the share each right candidate should have of its question
and the softmax of the scores (ListNet). Newton steps for the linear part, second-order boosting
with histograms for the trees; plain numpy, and the same result on every run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 48
DEPTH = 3
RIDGE, LEAF_RIDGE = 30.0, 4.0
MIN_WEIGHT = 2.0


@dataclass(frozen=True, kw_only=True)
class Lists:
    """Questions one after the other; `starts` says where each begins in `rows`."""

    rows: np.ndarray
    """float32 (candidates of all questions, signals)"""
    right: np.ndarray
    """bool per row"""
    starts: np.ndarray
    weight: np.ndarray
    """Per question"""

    @property
    def sizes(self) -> np.ndarray:
        return np.diff(np.append(self.starts, len(self.rows)))

    def softmax(self, scores: np.ndarray) -> np.ndarray:
        """Each row's share of its question."""
        top = np.repeat(np.maximum.reduceat(scores, self.starts), self.sizes)
        powers = np.exp(scores - top)
        return powers / np.repeat(np.add.reduceat(powers, self.starts), self.sizes)

    def target(self) -> np.ndarray:
        """The share each row should have."""
        right = self.right.astype(np.float64)
        count = np.repeat(np.add.reduceat(right, self.starts), self.sizes)
        return right / np.maximum(count, 1)


def join(questions: Sequence[tuple[np.ndarray, np.ndarray, float]]) -> Lists:
    """Lists of (rows, right, weight) per question; those without a right row teach nothing."""
    told = [one for one in questions if one[1].any()]
    sizes = [len(one[0]) for one in told]
    return Lists(
        rows=np.concatenate([one[0] for one in told]),
        right=np.concatenate([one[1] for one in told]),
        starts=np.cumsum([0, *sizes[:-1]]),
        weight=np.array([one[2] for one in told]),
    )


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """What `skill_agent.memory.recall.fusion.Fusion` holds, by the same names."""

    linear: np.ndarray
    tests: np.ndarray
    """int (trees, 2**DEPTH - 1): the signal each inner node asks for"""
    bounds: np.ndarray
    """float32 of the same shape: higher goes right"""
    leaves: np.ndarray
    """float32 (trees, 2**DEPTH)"""

    def scores(self, rows: np.ndarray) -> np.ndarray:
        scores = rows @ self.linear
        for tests, bounds, leaves in zip(self.tests, self.bounds, self.leaves, strict=True):
            scores = scores + leaves[_fall(rows, tests, bounds)]
        return scores


def learn(lists: Lists, *, trees: int = 60, rate: float = 0.1) -> Learnt:
    """Both parts, one after the other."""
    linear = _linear(lists)
    scores = lists.rows @ linear
    edges, binned = _binned(lists.rows)
    weight = np.repeat(lists.weight, lists.sizes)
    target = lists.target()
    grown: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for _ in range(trees):
        share = lists.softmax(scores)
        slope, curve = weight * (target - share), weight * share * (1 - share) + 1e-9
        tests, places, leaves, leaf = _tree(binned, slope, curve)
        grown.append((tests, edges[tests, places].astype(np.float32), rate * leaves))
        scores = scores + rate * leaves[leaf]
    inner = 2**DEPTH - 1
    return Learnt(
        linear=linear.astype(np.float32),
        tests=np.array([one[0] for one in grown], np.int16).reshape(-1, inner),
        bounds=np.array([one[1] for one in grown], np.float32).reshape(-1, inner),
        leaves=np.array([one[2] for one in grown], np.float32).reshape(-1, inner + 1),
    )


def _linear(lists: Lists) -> np.ndarray:
    """Newton's method with a ridge on standardised signals, folded back to raw ones."""
    spread = lists.rows.std(axis=0)
    scale = np.where(spread > 1e-6, 1 / np.maximum(spread, 1e-6), 0.0)
    rows = (lists.rows * scale).astype(np.float32)
    weight, target = np.repeat(lists.weight, lists.sizes), lists.target()
    found = np.zeros(rows.shape[1])
    loss = _loss(lists, rows @ found, found)
    for _ in range(15):
        share = lists.softmax(rows @ found)
        slope = rows.T @ (weight * (target - share)) - RIDGE * found
        means = np.add.reduceat(rows * share[:, None], lists.starts)
        curve = (rows * (weight * share)[:, None]).T @ rows
        curve -= (means * lists.weight[:, None]).T @ means
        step = np.linalg.solve(curve + RIDGE * np.eye(len(found)), slope)
        size = 1.0
        while (tried := _loss(lists, rows @ (found + size * step), found + size * step)) > loss:
            size /= 2
            if size < 1e-3:
                return found * scale
        found = found + size * step
        if loss - tried < 1e-4 * abs(loss):
            break
        loss = tried
    return found * scale


def _loss(lists: Lists, scores: np.ndarray, found: np.ndarray) -> float:
    share = lists.softmax(scores.astype(np.float64))
    weight = np.repeat(lists.weight, lists.sizes)
    told = float(weight @ (lists.target() * np.log(np.maximum(share, 1e-12))))
    return RIDGE / 2 * float(found @ found) - told


def _binned(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges (signals, BINS) between equally full bins, and each value's bin."""
    edges = np.quantile(rows, np.linspace(0, 1, BINS + 1)[1:], axis=0).T.astype(np.float32)
    binned = np.stack(
        [np.searchsorted(edge[:-1], rows[:, j], side="left") for j, edge in enumerate(edges)]
    )
    return edges, binned.astype(np.int16)


def _tree(
    binned: np.ndarray, slope: np.ndarray, curve: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One tree level by level: tests, bins, leaf values and each row's leaf."""
    tests, places = np.zeros((2, 2**DEPTH - 1), np.int64)
    places[:] = BINS - 1
    node = np.zeros(binned.shape[1], np.int64)
    for level in range(DEPTH):
        first, count = 2**level - 1, 2**level
        gain = _gains(binned, node - first, count, slope, curve)
        for one in range(count):
            signal, place = np.unravel_index(int(gain[:, one].argmax()), gain[:, one].shape)
            if gain[signal, one, place] > 0:
                tests[first + one], places[first + one] = signal, place
        went = binned[tests[node], np.arange(len(node))] > places[node]
        node = 2 * node + 1 + went
    leaf = node - (2**DEPTH - 1)
    slopes = np.bincount(leaf, slope, 2**DEPTH)
    leaves = slopes / (np.bincount(leaf, curve, 2**DEPTH) + LEAF_RIDGE)
    return tests, places, leaves, leaf


def _gains(
    binned: np.ndarray, node: np.ndarray, count: int, slope: np.ndarray, curve: np.ndarray
) -> np.ndarray:
    """float (signals, nodes, BINS): what a split after each bin wins."""
    gains = np.zeros((len(binned), count, BINS))
    for signal, bins in enumerate(binned):
        key = node * BINS + bins
        left = np.bincount(key, slope, count * BINS).reshape(count, BINS).cumsum(axis=1)
        under = np.bincount(key, curve, count * BINS).reshape(count, BINS).cumsum(axis=1)
        whole, over = left[:, -1:], under[:, -1:]
        won = left**2 / (under + LEAF_RIDGE) + (whole - left) ** 2 / (over - under + LEAF_RIDGE)
        won -= whole**2 / (over + LEAF_RIDGE)
        won[(under < MIN_WEIGHT) | (over - under < MIN_WEIGHT)] = 0
        gains[signal] = won
    return gains


def _fall(rows: np.ndarray, tests: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """The leaf each row falls into."""
    node = np.zeros(len(rows), np.int64)
    for _ in range(DEPTH):
        node = 2 * node + 1 + (rows[np.arange(len(rows)), tests[node]] > bounds[node])
    return node - (2**DEPTH - 1)
