"""The index's working set in memory: vectors, postings and facts, searched exactly.

Brute force over 100,000 vectors takes 6 ms, which no approximate index beats by enough to be
worth its misses, its build time and a second path; LanceDB keeps the rows durable.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from skill_agent.memory.english.spelling import Dictionary, respelt, word_with
from skill_agent.memory.english.stemming import stems
from skill_agent.memory.recall.fusion import Fusion, Second
from skill_agent.memory.recall.late import NO_PIECES
from skill_agent.memory.recall.question import Question, read_question, speaks_of
from skill_agent.memory.recall.ranking import (
    CANDIDATES,
    KNOWN,
    RELEVANT,
    WITHIN_REACH,
    Candidates,
    Views,
    best,
    chosen,
    fuse,
    rank,
    relevance,
    surprise,
)
from skill_agent.memory.recall.signals import LINKED, importance, named_speakers, reason, recency
from skill_agent.memory.recall.wording import dated_line
from skill_agent.ports import Pieces
from skill_agent.values import Hit, IndexItem, RecallQuery, Scope

from .columns import Columns
from .lexical import Neighbourhood, Postings
from .rows import PACKED, STEMS, VECTOR, item_at
from .second_look import StoredPieces, View, second_look
from .similarity import Held

if TYPE_CHECKING:
    import pyarrow as pa

_LINK_SOURCES = 10
"""Only the best hits pass relevance along their links."""
_KEPT_AT_MOST = 50
_SPELT_IN = 5
"""Items looked through for a word with a stem."""
_APART = (STEMS, VECTOR, PACKED)
_READ_CLOSELY = 50
"""Only the best fused items are read for the days they speak of."""


class Resident:
    """Everything recall reads; not thread-safe, its owner holds a lock."""

    def __init__(self, dimensions: int) -> None:
        self._fusion = Fusion()
        self._columns = Columns()
        self._postings = Postings()
        self._vectors = np.zeros((0, dimensions), np.float32)
        self._ids: list[str] = []
        self._slots: dict[str, int] = {}
        self._items: dict[int, IndexItem] = {}
        self._stored: dict[str, pa.Array] = {}
        self._pieces = StoredPieces()

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
        if PACKED in table.column_names:
            loaded._pieces = StoredPieces(table[PACKED].combine_chunks())
        kept = table.select([name for name in table.column_names if name not in _APART])
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

    @property
    def unmapped(self) -> int:
        """Slots whose pieces are held in memory."""
        return self._pieces.held

    def embedded(self, item: IndexItem) -> tuple[np.ndarray, bytes] | None:
        """The vector and pieces held for this item if its embedded line has not changed."""
        slot = self._slots.get(item.id)
        if slot is None or dated_line(self._item(slot)) != dated_line(item):
            return None
        return self._vectors[slot], self._pieces.of(np.array([slot]))[0]

    def put(
        self,
        items: Sequence[IndexItem],
        vectors: np.ndarray,
        lines: Sequence[str],
        pieces: Sequence[bytes],
    ) -> None:
        """Adds or replaces; `lines` are the items' stems, space-joined, `pieces` packed ones."""
        placed: list[int] = []
        for item, vector, line, packed in zip(items, vectors, lines, pieces, strict=True):
            old = self._slots.get(item.id)
            if old is not None:
                placed.append(old)
                self._columns.column("alive")[old] = False
                self._pieces.forget(old)
            slot = self._columns.append(item)
            self._reserve(slot + 1)
            self._vectors[slot] = vector
            self._pieces.put(slot, packed)
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
            self._pieces.forget(slot)
        self._columns.relink(gone)

    def respelt(self, query: RecallQuery, known: Dictionary) -> str:
        """The question without slips of the pen, as far as what its asker may see tells."""
        visible: list[np.ndarray] = []

        def slots(stem: str) -> np.ndarray:
            if not visible:
                # A question repeats its own slips, and those of the times it was asked before.
                telling = ~self._columns.column("asks")
                visible.append(self._visible(query) & telling)
            return self._postings.slots_of(stem, visible[0])

        def word_of(stem: str) -> str:
            texts = (self._item(int(slot)).text for slot in slots(stem)[:_SPELT_IN])
            return next(filter(None, (word_with(stem, text) for text in texts)), stem)

        return respelt(query.text, used=lambda stem: len(slots(stem)), word_of=word_of, known=known)

    def _visible(self, query: RecallQuery) -> np.ndarray:
        visible = self._columns.visible(query.scope, query.now)
        for item_id in query.scope.exclude & self._slots.keys():
            visible[self._slots[item_id]] = False
        return visible

    def search(
        self, query: RecallQuery, vector: np.ndarray, pieces: Pieces = NO_PIECES
    ) -> list[Hit]:
        """The whole pipeline but the embedding; see `skill_agent.memory.recall.ranking`."""
        view = self._view(query, vector, pieces)
        return self._rank(view, best(view.fused, CANDIDATES)) if view.visible.any() else []

    def second(
        self, query: RecallQuery, vector: np.ndarray, pieces: Pieces
    ) -> tuple[list[str], Second]:
        """The candidates' ids, best first, and what the second look sees of them."""
        view = self._view(query, vector, pieces)
        slots = best(view.fused, CANDIDATES)
        return [self._ids[slot] for slot in slots], self._second(view, slots)

    def _view(self, query: RecallQuery, vector: np.ndarray, pieces: Pieces) -> View:
        visible = self._visible(query)
        around = Neighbourhood(
            visible=visible,
            before=self._columns.column("before"),
            after=self._columns.column("after"),
        )
        # Not `@`: BLAS would spread it over threads that a busy machine makes it wait for.
        dense = np.vecdot(self._vectors[: self._columns.size], vector)
        asked = read_question(query.text, query.now)
        lexical = self._postings.scores(
            asked.stems,
            around,
            self._columns.column("length"),
            quiet=asked.quiet,
            names=asked.names,
            proper=asked.proper,
        )
        views = Views(
            dense=dense,
            dense_window=_window_mean(dense, around),
            lexical=lexical.single,
            lexical_window=lexical.window,
        )
        return View(
            query=query,
            pieces=pieces,
            asked=asked,
            fused=fuse(views, visible),
            views=views,
            surprise=surprise(dense, visible & ~self._columns.column("asks")),
            lexical=lexical,
            visible=visible,
        )

    def _rank(self, view: View, slots: np.ndarray) -> list[Hit]:
        """Adds kept and linked items to the candidates, ranks them and explains the best."""
        query, views = view.query, view.views
        slots = _with(slots, self._kept(view.visible))
        candidates = self._candidates(view, slots)
        semantic, parts = relevance(candidates)
        links = self._links(slots, semantic, view.visible)
        if {slot for slot, _ in links} - set(slots.tolist()):
            slots = _with(slots, np.array([slot for slot, _ in links], np.int64))
            candidates = self._candidates(view, slots)
            semantic, parts = relevance(candidates)
        relationship, carried = _passed(links, slots, semantic, parts["evidence"])
        evidence = np.maximum(parts["evidence"], carried)
        relevant = np.ones(len(slots), np.bool_)
        if query.floor <= 0:
            relevant = evidence >= max(RELEVANT, WITHIN_REACH * float(evidence.max(initial=0.0)))
        ranked = rank(candidates, semantic, relationship, query.weights, relevant=relevant)
        signals = {
            "dense": views.dense[slots], "dense_window": views.dense_window[slots],
            "lexical": views.lexical[slots], "lexical_window": views.lexical_window[slots],
            "cosine": candidates.cosine, "surprise": candidates.surprise,
            "covered": candidates.covered, "pinned": candidates.pinned, "linked": carried, **parts,
            **ranked.signals,
        }  # fmt: skip
        rows = chosen(ranked, evidence, candidates.kept, query.floor)[: query.limit]
        told = np.round(np.array([value[rows] for value in signals.values()], np.float64), 4)
        return [
            self._hit(int(slots[row]), ranked.score[row], dict(zip(signals, values, strict=True)))
            for row, values in zip(rows, told.T.tolist(), strict=True)
        ]

    def _hit(self, slot: int, score: float, told: dict[str, float]) -> Hit:
        return Hit(
            item=self._item(slot), score=float(min(1.0, score)), signals=told, reason=reason(told)
        )

    def _candidates(self, view: View, slots: np.ndarray) -> Candidates:
        columns, query, views, lexical = self._columns, view.query, view.views, view.lexical
        seen = self._second(view, slots)
        session = columns.column("session")[slots]
        current = columns.labels["session"].find(query.current_session or "")
        hours = (query.now.timestamp() - columns.column("created")[slots]) / 3600
        pinned = columns.column("pinned")[slots]
        disputed = columns.column("status")[slots] == columns.labels["status"].find("disputed")
        return Candidates(
            fused=view.fused[slots],
            cosine=views.dense[slots],
            surprise=view.surprise[slots],
            covered=lexical.covered[slots],
            cosine_window=views.dense_window[slots],
            covered_window=lexical.window_covered[slots],
            turn=columns.column("kind")[slots] == columns.labels["kind"].find("turn"),
            time=seen.time,
            speaker=seen.speaker,
            session=session,
            # The embedder may give no pieces, or the rows be from before it did.
            second=self._fusion.scores(seen) if seen.matches.any() else None,
            recency=recency(hours),
            importance=importance(columns.column("importance")[slots], pinned),
            continuity=(session == current).astype(np.float32),
            disputed=disputed,
            retired=columns.retired(query.now)[slots],
            pinned=pinned,
            identity=self._identity()[slots],
            on_day=self._speaking(view.asked, slots) if view.asked.any_day else None,
            own=view.asked.own,
            task=view.asked.task,
            strange=lexical.known < KNOWN,
        )

    def _second(self, view: View, slots: np.ndarray) -> Second:
        return second_look(
            view,
            slots,
            stored=self._pieces.of(slots),
            columns=self._columns,
            time=self._timely(view.asked, slots),
            speaker=self._said_by_named(view, slots),
        )

    def _said_by_named(self, view: View, slots: np.ndarray) -> np.ndarray:
        """bool: by somebody the question names."""
        speakers = self._columns.labels["speaker"].names
        named = np.append(named_speakers(speakers, view.query.text), False)
        return named[self._columns.column("speaker")[slots]]

    def _timely(self, asked: Question, slots: np.ndarray) -> np.ndarray:
        """1 for what was written, or speaks of a day, within a time the question names."""
        found = np.zeros(len(slots), np.float32)
        if not asked.times:
            return found
        created = self._columns.column("created")[slots]
        for moment in asked.times:
            start, end = moment.start.timestamp(), moment.end.timestamp()
            found[(start <= created) & (created < end)] = 1
        return np.maximum(found, self._speaking(asked, slots))

    def _speaking(self, asked: Question, slots: np.ndarray) -> np.ndarray:
        """1 for what speaks of a day within a time the question names."""
        found = np.zeros(len(slots), np.float32)
        for row, slot in enumerate(slots[:_READ_CLOSELY]):
            found[row] = speaks_of(self._item(int(slot)), asked.times, asked.zone)
        return found

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
    ) -> list[tuple[int, int]]:
        """The visible items the best hits are related to, each with the row it is linked from."""
        found: list[tuple[int, int]] = []
        for row in np.argsort(-semantic, kind="stable")[:_LINK_SOURCES]:
            for target in self._item(int(slots[row])).related_to:
                slot = self._slots.get(target)
                if slot is not None and visible[slot]:
                    found.append((slot, int(row)))
        return found

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

    # -- what `similarity` compares ---------------------------------------------------------------

    def memories(self, scope: Scope, now: datetime) -> np.ndarray:
        """Slots of the memories this asker may see, in the order they were written."""
        visible = self._columns.visible(replace(scope, kinds=("memory",)), now)
        for item_id in scope.exclude & self._slots.keys():
            visible[self._slots[item_id]] = False
        return np.flatnonzero(visible)

    def shortlist(
        self, slots: np.ndarray, vector: np.ndarray, text: str, count: int
    ) -> list[IndexItem]:
        """Of these slots the `count` nearest by the held vectors and as many by shared stems."""
        visible = np.zeros(self._columns.size, np.bool_)
        visible[slots] = True
        alone = np.full(self._columns.size, -1, np.int32)
        around = Neighbourhood(visible=visible, before=alone, after=alone)
        lengths = self._columns.column("length")
        lexical = self._postings.scores(stems(text), around, lengths).single[slots]
        dense = np.vecdot(self._vectors[: self._columns.size], vector)[slots]
        found = _with(slots[best(dense, count)], slots[best(lexical, count)])
        return [self._item(int(slot)) for slot in found]

    def held(self, slots: np.ndarray) -> Held:
        """Ids, texts, prefixes and a copy of the vectors of these slots."""
        items = [self._item(int(slot)) for slot in slots]
        return Held(
            ids=[item.id for item in items],
            texts=[item.text for item in items],
            prefixes=[dated_line(replace(item, text="")) for item in items],
            vectors=self._vectors[slots],
        )


def _passed(
    links: Sequence[tuple[int, int]], slots: np.ndarray, semantic: np.ndarray, evidence: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What of its source's relevance and evidence each candidate gets through its links."""
    place = {int(slot): row for row, slot in enumerate(slots)}
    relationship, carried = np.zeros((2, len(slots)), np.float32)
    for slot, source in links:
        row = place[slot]
        relationship[row] = max(relationship[row], LINKED * semantic[source])
        carried[row] = max(carried[row], LINKED * evidence[source])
    return relationship, carried


def _window_mean(dense: np.ndarray, around: Neighbourhood) -> np.ndarray:
    """Mean of an item's score and its visible neighbours': no window is ever embedded."""
    seen = around.visible.astype(np.float32)
    values, counts = np.append(dense * seen, np.float32(0)), np.append(seen, np.float32(0))
    total = values[:-1] + values[around.before] + values[around.after]
    return total / np.maximum(1, counts[:-1] + counts[around.before] + counts[around.after])


def _with(slots: np.ndarray, more: np.ndarray) -> np.ndarray:
    """The slots and those of `more` that are not among them."""
    return np.concatenate([slots, more[~np.isin(more, slots)]])
