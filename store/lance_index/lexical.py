"""BM25 in memory, over single items and over windows of three neighbours.

Term frequencies of a window are the sums of its members', so both views come from one set of
postings and a new item costs only its own words. Document frequencies are counted over what the
asker may see: nobody's private items colour another's ranking.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .names import Lookup

if TYPE_CHECKING:
    import pyarrow as pa

K1 = 1.2
B = 0.4
"""BM25's saturation and length penalty; recall on held-out conversations is flat around them."""
_FOLD_AT = 200_000
_MANY_ROWS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """Who may be seen and who stands beside whom; every array has one entry per slot."""

    visible: np.ndarray
    """bool"""
    before: np.ndarray
    """int32 slot of the item before it in its session, -1 for none"""
    after: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class LexicalScores:
    """One float32 per slot and view; `covered` is the share of the question's idf mass found.

    `named` is the same of its names alone, times how rare the found ones are: a name that stands
    in every item tells nothing. `known` is the share of its proper names found anywhere.
    """

    single: np.ndarray
    window: np.ndarray
    covered: np.ndarray
    window_covered: np.ndarray
    named: np.ndarray
    known: float
    idf: Mapping[str, float]
    """How rare each term is among what is visible."""


class Postings:
    """Which slot holds which stem how often: what is stored, then a sorted part and a growing tail
    in memory."""

    def __init__(self, stored: "StoredPostings | None" = None) -> None:
        self._stored = stored
        self._codes: dict[str, int] = {}
        self._starts = np.zeros(1, np.int64)
        self._slots = np.zeros(0, np.int32)
        self._counts = np.zeros(0, np.float32)
        self._tail_slots: dict[int, array[int]] = {}
        self._tail_counts: dict[int, array[float]] = {}
        self._tail_size = 0

    def extend(self, first: int, lines: "pa.ChunkedArray") -> np.ndarray:
        """Adds the rows of a column of space-joined stems from a slot on; gives their lengths."""
        if self._codes or len(lines) < _MANY_ROWS:
            return np.array(
                [
                    self.append(first + row, line.split())
                    for row, line in enumerate(lines.to_pylist())
                ],
                np.float32,
            )
        return self._load(first, lines)

    def _load(self, first: int, lines: "pa.ChunkedArray") -> np.ndarray:
        """As `extend`, of many rows at once, where there are none yet."""
        import pyarrow as pa
        import pyarrow.compute as pc

        lists = pc.split_pattern(lines.combine_chunks(), " ")  # pyright: ignore[reportAttributeAccessIssue]
        if isinstance(lists, pa.ChunkedArray):
            lists = lists.combine_chunks()
        coded = lists.flatten().dictionary_encode()
        codes = np.asarray(coded.indices).astype(np.int64)
        sizes = np.asarray(pc.list_value_length(lists)).astype(np.int64)  # pyright: ignore[reportAttributeAccessIssue]
        names = coded.dictionary.to_pylist()
        self._codes = {name: code for code, name in enumerate(names)}
        rows = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
        lengths = sizes.astype(np.float32)
        if "" in self._codes:
            # A row without stems splits into one empty string.
            blank = codes == self._codes[""]
            lengths[rows[blank]] = 0
            codes, rows = codes[~blank], rows[~blank]
        keys, counts = np.unique(codes * max(1, len(sizes)) + rows, return_counts=True)
        codes, rows = np.divmod(keys, max(1, len(sizes)))
        slots = (rows + first).astype(np.int32)
        self._settle(codes, slots, counts.astype(np.float32), len(names))
        return lengths

    def append(self, slot: int, terms: Iterable[str]) -> int:
        """Adds an item; returns its length in stems."""
        length = 0
        for term, count in Counter(terms).items():
            code = self._codes.setdefault(term, len(self._codes))
            if code not in self._tail_slots:
                self._tail_slots[code] = array("i")
                self._tail_counts[code] = array("f")
            self._tail_slots[code].append(slot)
            self._tail_counts[code].append(count)
            self._tail_size += 1
            length += count
        if self._tail_size >= max(_FOLD_AT, len(self._slots) // 4):
            self._fold()
        return length

    def scores(
        self,
        terms: Sequence[str],
        around: Neighbourhood,
        lengths: np.ndarray,
        *,
        quiet: Set[str] = frozenset(),
        names: Set[str] = frozenset(),
        proper: Set[str] = frozenset(),
    ) -> LexicalScores:
        """BM25 of every visible slot, alone and as the middle of its window.

        `quiet` terms rank, but are no part of what there is to cover.
        """
        size = len(around.visible)
        single, window, covered, window_covered, named = np.zeros((5, size), np.float32)
        seen = around.visible.astype(np.float32)
        total = max(1.0, float(seen.sum()))
        average = float(lengths @ seen) / total or 1.0
        window_lengths = _window_sums(lengths * seen, around)
        window_average = float(window_lengths @ seen) / total or 1.0
        counts = np.zeros(size, np.float32)
        mass = name_mass = unknown = 0.0
        rarity: dict[str, float] = {}
        rarest = math.log(1 + (total - 0.5) / 1.5)
        for term in dict.fromkeys(terms):
            slots, found = self._visible(term, around.visible)
            idf = math.log(1 + (total - len(slots) + 0.5) / (len(slots) + 0.5))
            rarity[term] = idf
            counted = 0.0 if term in quiet else idf
            mass += counted
            if term in names:
                name_mass += idf
                named[slots] += idf * min(1.0, idf / rarest)
            unknown += not len(slots) and term in proper
            if not len(slots):
                continue
            single[slots] += idf * found * (K1 + 1) / (found + _penalty(lengths[slots], average))
            covered[slots] += counted
            touched = _spread(counts, slots, found, around)
            held = counts[touched]
            # A slot may be touched twice: assigning from the old value keeps that harmless.
            window[touched] = window[touched] + idf * held * (K1 + 1) / (
                held + _penalty(window_lengths[touched], window_average)
            )
            window_covered[touched] = window_covered[touched] + counted
            counts[touched] = 0
        if mass:
            covered /= mass
            window_covered /= mass
        if name_mass:
            named /= name_mass
        return LexicalScores(
            single=single,
            window=window,
            covered=covered,
            window_covered=window_covered,
            named=named,
            known=1 - unknown / len(proper) if proper else 1.0,
            idf=rarity,
        )

    def slots_of(self, term: str, visible: np.ndarray) -> np.ndarray:
        """The visible slots that hold a stem."""
        return self._visible(term, visible)[0]

    def parts(self) -> tuple["StoredPostings | None", list[str], tuple[np.ndarray, ...]]:
        """What is stored, and of what is in memory the terms with their starts, slots, counts."""
        self._fold()
        return self._stored, list(self._codes), (self._starts, self._slots, self._counts)

    def _visible(self, term: str, visible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        code = self._codes.get(term, -1)
        slots, counts = self._slots[:0], self._counts[:0]
        if self._stored is not None:
            slots, counts = self._stored.of(term)
        if 0 <= code < len(self._starts) - 1:
            span = slice(self._starts[code], self._starts[code + 1])
            slots = _after(slots, self._slots[span])
            counts = _after(counts, self._counts[span])
        if code in self._tail_slots:
            slots = _after(slots, np.array(self._tail_slots[code], np.int32))
            counts = _after(counts, np.array(self._tail_counts[code], np.float32))
        keep = visible[slots]
        return slots[keep], counts[keep].astype(np.float32, copy=False)

    def _fold(self) -> None:
        """Moves the tail into the sorted base."""
        codes = [np.repeat(np.arange(len(self._starts) - 1), np.diff(self._starts))]
        slots, counts = [self._slots], [self._counts]
        for code, tail in self._tail_slots.items():
            codes.append(np.full(len(tail), code))
            slots.append(np.array(tail, np.int32))
            counts.append(np.array(self._tail_counts[code], np.float32))
        joined = np.concatenate(codes)
        order = np.argsort(joined, kind="stable")
        self._settle(
            joined[order],
            np.concatenate(slots)[order],
            np.concatenate(counts)[order],
            len(self._codes),
        )

    def _settle(self, codes: np.ndarray, slots: np.ndarray, counts: np.ndarray, terms: int) -> None:
        """Takes postings sorted by code as the new base and empties the tail."""
        self._starts = np.searchsorted(codes, np.arange(terms + 1))
        self._slots, self._counts = slots, counts
        self._tail_slots, self._tail_counts, self._tail_size = {}, {}, 0


class StoredPostings:
    """Postings of the stored slots, sorted by term; the arrays may be mapped."""

    def __init__(self, terms: Lookup, arrays: Mapping[str, np.ndarray]) -> None:
        self.terms = terms
        self.starts = arrays["starts"]
        self.slots = arrays["posted"]
        self.counts = arrays["counts"]

    def of(self, term: str) -> tuple[np.ndarray, np.ndarray]:
        """Slots and counts."""
        code = self.terms.find(term)
        span = slice(self.starts[code], self.starts[code + 1]) if code >= 0 else slice(0)
        return self.slots[span], self.counts[span]


def _after(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    return np.concatenate([one, two]) if len(one) else two


def _penalty(lengths: np.ndarray, average: float) -> np.ndarray:
    """BM25's k1·(1 - b + b·dl/avgdl), the average taken over what is visible."""
    return K1 * (1 - B + B * lengths / average)


def _window_sums(values: np.ndarray, around: Neighbourhood) -> np.ndarray:
    """Each slot's value plus those of the neighbours it has; -1 reads the added zero."""
    padded = np.append(values, np.float32(0))
    return values + padded[around.before] + padded[around.after]


def _spread(
    counts: np.ndarray, slots: np.ndarray, found: np.ndarray, around: Neighbourhood
) -> np.ndarray:
    """Adds a term's counts to every window they fall in; returns the slots touched."""
    counts[slots] += found
    touched = [slots]
    for beside in (around.before[slots], around.after[slots]):
        there = beside >= 0
        there[there] = around.visible[beside[there]]
        counts[beside[there]] += found[there]
        touched.append(beside[there])
    return np.concatenate(touched)
