"""The index's working set in memory: vectors, postings and facts, searched exactly.

Brute force over 100,000 vectors takes 6 ms, which no approximate index beats by enough to be
worth its misses, its build time and a second path; LanceDB keeps the rows durable.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from skill_agent.memory.recall import (
    CANDIDATES,
    Candidates,
    Views,
    best,
    chosen,
    fuse,
    rank,
    relevance,
)
from skill_agent.memory.signals import LINKED, importance, named_speakers, reason, recency
from skill_agent.memory.wording import dated_line, stems
from skill_agent.ports import RecallQuery
from skill_agent.values import Hit, IndexItem

from .columns import Columns
from .lexical import LexicalScores, Neighbourhood, Postings
from .rows import STEMS, VECTOR, item_at

if TYPE_CHECKING:
    import pyarrow as pa

_LINK_SOURCES = 10
"""Only the best hits pass relevance along their links."""
_KEPT_AT_MOST = 50


class Resident:
    """Everything recall reads; not thread-safe, its owner holds a lock."""

    def __init__(self, dimensions: int) -> None:
        self._columns = Columns()
        self._postings = Postings()
        self._vectors = np.zeros((0, dimensions), np.float32)
        self._ids: list[str] = []
        self._slots: dict[str, int] = {}
        self._items: dict[int, IndexItem] = {}
        self._stored: dict[str, pa.Array] = {}

    @classmethod
    def load(cls, table: "pa.Table", dimensions: int) -> "Resident":
        """The working set of a whole table."""
        loaded = cls(dimensions)
        if not table.num_rows:
            return loaded
        loaded._postings, lengths = Postings.load(table[STEMS])
        loaded._columns = Columns.load(table, lengths)
        flat = table[VECTOR].combine_chunks().flatten()
        loaded._vectors = np.asarray(flat, np.float32).reshape(-1, dimensions)
        loaded._ids = table["id"].to_pylist()
        loaded._slots = {name: slot for slot, name in enumerate(loaded._ids)}
        kept = table.drop_columns([STEMS, VECTOR])
        loaded._stored = {name: kept[name].combine_chunks() for name in kept.column_names}
        return loaded

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._slots

    @property
    def dead(self) -> int:
        """Slots no longer in use, freed by loading anew."""
        return self._columns.size - len(self._slots)

    @property
    def last_seq(self) -> int:
        """The highest ledger sequence among the living; 0 when empty."""
        seq = self._columns.column("seq")[self._columns.column("alive")]
        return int(seq.max(initial=0))

    def count(self, kind: str) -> int:
        """Living items of a kind."""
        wanted = self._columns.labels["kind"].find(kind)
        matching = self._columns.column("kind") == wanted
        return int(np.count_nonzero(matching & self._columns.column("alive")))

    def vector_of(self, item: IndexItem) -> np.ndarray | None:
        """The vector held for this item if its embedded line has not changed."""
        slot = self._slots.get(item.id)
        if slot is None or dated_line(self._item(slot)) != dated_line(item):
            return None
        return self._vectors[slot]

    def put(self, items: Sequence[IndexItem], vectors: np.ndarray, lines: Sequence[str]) -> None:
        """Adds or replaces; `lines` are the items' stems, space-joined."""
        placed: list[int] = []
        for item, vector, line in zip(items, vectors, lines, strict=True):
            old = self._slots.get(item.id)
            if old is not None:
                placed.append(old)
                self._columns.column("alive")[old] = False
            slot = self._columns.append(item)
            self._reserve(slot + 1)
            self._vectors[slot] = vector
            self._columns.column("length")[slot] = self._postings.append(slot, line.split())
            self._ids.append(item.id)
            self._slots[item.id] = slot
            self._items[slot] = item
            placed.append(slot)
        self._columns.relink(placed)

    def remove(self, ids: Iterable[str]) -> None:
        """Forgets items; unknown ids are ignored."""
        gone = [self._slots.pop(item_id) for item_id in ids if item_id in self._slots]
        for slot in gone:
            self._columns.column("alive")[slot] = False
            self._items.pop(slot, None)
        self._columns.relink(gone)

    def search(self, query: RecallQuery, vector: np.ndarray) -> list[Hit]:
        """The whole pipeline but the embedding; see `skill_agent.memory.recall`."""
        visible = self._columns.visible(query.scope, query.now)
        for item_id in query.scope.exclude & self._slots.keys():
            visible[self._slots[item_id]] = False
        if not visible.any():
            return []
        around = Neighbourhood(
            visible=visible,
            before=self._columns.column("before"),
            after=self._columns.column("after"),
        )
        # Not `@`: BLAS would spread it over threads that a busy machine makes it wait for.
        dense = np.vecdot(self._vectors[: self._columns.size], vector)
        lexical = self._postings.scores(stems(query.text), around, self._columns.column("length"))
        views = Views(
            dense=dense,
            dense_window=_window_mean(dense, around),
            lexical=lexical.single,
            lexical_window=lexical.window,
        )
        fused = fuse(views, visible)
        slots = best(fused, CANDIDATES)
        return self._rank(query, slots, fused, views, lexical, visible)

    def _rank(
        self,
        query: RecallQuery,
        slots: np.ndarray,
        fused: np.ndarray,
        views: Views,
        lexical: LexicalScores,
        visible: np.ndarray,
    ) -> list[Hit]:
        """Adds kept and linked items to the candidates, ranks them and explains the best."""
        slots = _with(slots, self._kept(visible))
        candidates = self._candidates(query, slots, fused, views, lexical)
        semantic, parts = relevance(candidates)
        links = self._links(slots, semantic, visible)
        if links.keys() - set(slots.tolist()):
            slots = _with(slots, np.array(list(links), np.int64))
            candidates = self._candidates(query, slots, fused, views, lexical)
            semantic, parts = relevance(candidates)
        relationship = np.array([links.get(int(slot), 0.0) for slot in slots], np.float32)
        ranked = rank(candidates, semantic, relationship, query.weights)
        signals = {
            "dense": views.dense[slots], "dense_window": views.dense_window[slots],
            "lexical": views.lexical[slots], "lexical_window": views.lexical_window[slots],
            "cosine": candidates.cosine, "covered": candidates.covered,
            "pinned": self._columns.column("pinned")[slots], **parts, **ranked.signals,
        }  # fmt: skip
        hits: list[Hit] = []
        for row in chosen(ranked, candidates.kept, query.floor)[: query.limit]:
            told = {name: round(float(value[row]), 4) for name, value in signals.items()}
            hits.append(
                Hit(
                    item=self._item(int(slots[row])),
                    score=float(min(1.0, ranked.score[row])),
                    signals=told,
                    reason=reason(told),
                )
            )
        return hits

    def _candidates(
        self,
        query: RecallQuery,
        slots: np.ndarray,
        fused: np.ndarray,
        views: Views,
        lexical: LexicalScores,
    ) -> Candidates:
        columns = self._columns
        named = np.append(named_speakers(columns.labels["speaker"].names, query.text), False)
        session = columns.column("session")[slots]
        current = columns.labels["session"].find(query.current_session or "")
        hours = (query.now.timestamp() - columns.column("created")[slots]) / 3600
        pinned = columns.column("pinned")[slots]
        disputed = columns.column("status")[slots] == columns.labels["status"].find("disputed")
        return Candidates(
            fused=fused[slots],
            cosine=views.dense[slots],
            covered=lexical.covered[slots],
            speaker=named[columns.column("speaker")[slots]],
            session=session,
            recency=recency(hours),
            importance=importance(columns.column("importance")[slots], pinned),
            continuity=(session == current).astype(np.float32),
            disputed=disputed,
            retired=columns.retired(query.now)[slots],
            kept=pinned | self._identity()[slots],
        )

    def _identity(self) -> np.ndarray:
        wanted = self._columns.labels["memory_type"].find("identity")
        return self._columns.column("memory_type") == wanted

    def _kept(self, visible: np.ndarray) -> np.ndarray:
        """Slots of visible identity and pinned memories, the most important first."""
        found = np.flatnonzero(visible & (self._columns.column("pinned") | self._identity()))
        by_importance = np.argsort(-self._columns.column("importance")[found], kind="stable")
        return found[by_importance[:_KEPT_AT_MOST]]

    def _links(
        self, slots: np.ndarray, semantic: np.ndarray, visible: np.ndarray
    ) -> dict[int, float]:
        """What the best hits pass on to the visible items they are related to."""
        passed: dict[int, float] = {}
        for row in np.argsort(-semantic, kind="stable")[:_LINK_SOURCES]:
            for target in self._item(int(slots[row])).related_to:
                slot = self._slots.get(target)
                if slot is not None and visible[slot]:
                    passed[slot] = max(passed.get(slot, 0.0), LINKED * float(semantic[row]))
        return passed

    def _item(self, slot: int) -> IndexItem:
        if slot not in self._items:
            self._items[slot] = item_at(self._stored, slot)
        return self._items[slot]

    def _reserve(self, size: int) -> None:
        room, width = self._vectors.shape
        if size > room:
            grown = np.zeros((max(size, 1024, room * 3 // 2), width), np.float32)
            grown[:room] = self._vectors
            self._vectors = grown


def _window_mean(dense: np.ndarray, around: Neighbourhood) -> np.ndarray:
    """Mean of an item's score and its visible neighbours': no window is ever embedded."""
    seen = around.visible.astype(np.float32)
    values, counts = np.append(dense * seen, np.float32(0)), np.append(seen, np.float32(0))
    total = values[:-1] + values[around.before] + values[around.after]
    return total / np.maximum(1, counts[:-1] + counts[around.before] + counts[around.after])


def _with(slots: np.ndarray, more: np.ndarray) -> np.ndarray:
    """The slots and those of `more` that are not among them."""
    return np.concatenate([slots, more[~np.isin(more, slots)]])
