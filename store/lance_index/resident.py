"""What a search reads: vectors, postings and facts, in memory while they are few.

Past some size all but the newest lie in mapped files (`stored_base`), and cosines are estimated
before the best are scored: four views of every item are fused, so each needs its scores, which an
index of nearest vectors does not give. LanceDB keeps the rows durable.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

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
from skill_agent.memory.words.spelling import Dictionary, respelt, word_with
from skill_agent.memory.words.stemming import stems
from skill_agent.ports import Pieces
from skill_agent.values import Hit, IndexItem, RecallQuery, Scope

from .base_writing import Parts
from .columns import Columns
from .lexical import LexicalScores, Neighbourhood, Postings
from .rows import PACKED, STEMS, vectors_of
from .second_look import View, second_look
from .similarity import Held
from .stored_base import Base
from .stored_rows import StoredRows
from .vectors import Vectors, WholeVectors

if TYPE_CHECKING:
    import pyarrow as pa

_LINK_SOURCES = 10
"""Only the best hits pass relevance along their links."""
_KEPT_AT_MOST = 50
_SPELT_IN = 5
"""Items looked through for a word with a stem."""
_POOL, _NEAREST = 1000, 300
"""How many of the best by estimates, fused and alone, are scored exactly."""
_MANY = 1 << 14
"""Scores past which the best are looked for above a bar."""
_READ_CLOSELY = 50
"""Only the best fused items are read for the days they speak of."""


class Resident:
    """Everything recall reads; not thread-safe, its owner holds a lock."""

    def __init__(self, dimensions: int, base: Base | None = None) -> None:
        self.base = base
        self._fusion = Fusion()
        self.dimensions = dimensions
        self._columns = Columns(base)
        self._postings = Postings(base.postings if base else None)
        self._vectors: Vectors = base.vectors if base else WholeVectors(dimensions)
        self._rows = StoredRows(base.parts if base else ())
        self._slots: dict[str, int] = {}
        self._living = base.size if base else 0

    def __len__(self) -> int:
        return self._living

    def __contains__(self, item_id: str) -> bool:
        return self._slot(item_id) is not None

    @property
    def dead(self) -> int:
        """Slots no longer in use, freed by writing the base anew or loading the rows again."""
        return self._columns.size - self._living

    @property
    def fresh(self) -> int:
        """Slots that are in memory only."""
        return self._columns.size - (self.base.size if self.base else 0)

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

    def embedded(self, item: IndexItem) -> tuple[np.ndarray, bytes] | None:
        """The vector and pieces held for this item if its embedded line has not changed."""
        slot = self._slot(item.id)
        if slot is None or dated_line(self._item(slot)) != dated_line(item):
            return None
        return self._vectors.of(np.array([slot]))[0], self._pieces(np.array([slot]))[0]

    def put(self, rows: "pa.Table", items: Sequence[IndexItem] = ()) -> None:
        """Adds or replaces; `items` are the rows as values, as far as they are at hand."""
        if not rows.num_rows:
            return
        first = self._columns.size
        ids = rows["id"].to_pylist()
        replaced = [slot for slot in map(self._slot, dict.fromkeys(ids)) if slot is not None]
        lengths = self._postings.extend(first, rows[STEMS])
        self._columns.extend(rows, lengths)
        self._vectors.put(first, vectors_of(rows, self.dimensions))
        self._rows.append(rows, items)
        alive = self._columns.column("alive")
        alive[replaced] = False
        for slot, item_id in enumerate(ids, first):
            if (twice := self._slots.get(item_id, -1)) >= first:
                alive[twice] = False
            self._slots[item_id] = slot
        self._living += len(dict.fromkeys(ids)) - len(replaced)
        self._columns.relink(
            np.append(np.array(replaced, np.int64), np.arange(first, first + len(ids)))
        )

    def remove(self, ids: Iterable[str]) -> None:
        """Forgets items; unknown ids are ignored."""
        found = {item_id: self._slot(item_id) for item_id in ids}
        gone = [slot for slot in found.values() if slot is not None]
        for item_id in found:
            self._slots.pop(item_id, None)
        for slot in gone:
            self._columns.column("alive")[slot] = False
            self._rows.forget(slot)
        self._living -= len(gone)
        self._columns.relink(gone)

    def take(self, column: str, slots: np.ndarray) -> list[Any]:
        """A column's values of these slots, read from where they lie: a few hundred at a time."""
        return self._rows.take(column, slots)

    def parts(self) -> Parts:
        """Everything the base is written from."""
        return Parts(
            columns=self._columns,
            postings=self._postings.parts(),
            vectors=self._vectors,
            rows=self._rows,
            dimensions=self.dimensions,
        )

    def _slot(self, item_id: str) -> int | None:
        slot = self._slots.get(item_id)
        if slot is None and self.base is not None:
            place = self.base.ids.find(item_id)
            slot = place if place >= 0 and self._columns.column("alive")[place] else None
        return slot

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
        return self._without(visible, query.scope)

    def _without(self, visible: np.ndarray, scope: Scope) -> np.ndarray:
        excluded = [slot for slot in map(self._slot, scope.exclude) if slot is not None]
        visible[excluded] = False
        return visible

    def search(
        self, query: RecallQuery, vector: np.ndarray, pieces: Pieces = NO_PIECES
    ) -> list[Hit]:
        """The whole pipeline but the embedding; see `skill_agent.memory.recall.ranking`."""
        view, slots = self._best(query, vector, pieces)
        return self._rank(view, slots) if view.visible.any() else []

    def second(
        self, query: RecallQuery, vector: np.ndarray, pieces: Pieces
    ) -> tuple[list[str], Second]:
        """The candidates' ids, best first, and what the second look sees of them."""
        view, slots = self._best(query, vector, pieces)
        return [self._rows.id(int(slot)) for slot in slots], self._second(view, slots)

    def _best(
        self, query: RecallQuery, vector: np.ndarray, pieces: Pieces
    ) -> tuple[View, np.ndarray]:
        """All scores of the first look, and the slots it puts first."""
        visible = self._visible(query)
        around = Neighbourhood(
            visible=visible,
            before=self._columns.column("before"),
            after=self._columns.column("after"),
        )
        dense = self._vectors.scores(vector, self._columns.size)
        asked = read_question(query.text, query.now)
        lexical = self._postings.scores(
            asked.stems,
            around,
            self._columns.column("length"),
            quiet=asked.quiet,
            names=asked.names,
            proper=asked.proper,
        )
        views = _views(dense, lexical, around)
        fused = fuse(views, visible)
        first = None
        if self._vectors.rough:
            first = self._pool(fused, views, visible)
            self._score_exactly(views, first, vector, around)
            fused = _fused_among(fused, views, first, visible)
        view = View(
            query=query,
            pieces=pieces,
            asked=asked,
            fused=fused,
            views=views,
            surprise=surprise(dense, visible & ~self._columns.column("asks")),
            lexical=lexical,
            visible=visible,
        )
        return view, _front(view.fused, CANDIDATES, first)

    def _pool(self, fused: np.ndarray, views: Views, visible: np.ndarray) -> np.ndarray:
        """Slots that may be among the best once they are scored exactly, and those kept anyway."""
        near = _front(np.where(visible, views.dense, -1), _NEAREST)
        return np.unique(np.concatenate([_front(fused, _POOL), near, self._kept(visible)]))

    def _score_exactly(
        self, views: Views, pool: np.ndarray, vector: np.ndarray, around: Neighbourhood
    ) -> None:
        """Replaces the estimates of these slots and their neighbours; none stands above them."""
        beside = np.concatenate([pool, around.before[pool], around.after[pool]])
        slots = np.unique(beside[beside >= 0])
        exact = np.vecdot(self._vectors.of(slots), vector)
        np.minimum(views.dense, exact.max(initial=0.0), out=views.dense)
        np.minimum(views.dense_window, exact.max(initial=0.0), out=views.dense_window)
        views.dense[slots] = exact
        views.dense_window[pool] = _window_mean_at(pool, views.dense, around)

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
            stored=self._pieces(slots),
            columns=self._columns,
            time=self._timely(view.asked, slots),
            speaker=self._said_by_named(view, slots),
        )

    def _pieces(self, slots: np.ndarray) -> list[bytes]:
        """The packed pieces of each slot; empty where there are none."""
        return [packed or b"" for packed in self._rows.take(PACKED, slots)]

    def _said_by_named(self, view: View, slots: np.ndarray) -> np.ndarray:
        """bool: by somebody the question names."""
        speakers = self._columns.labels["speaker"].every()
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
                slot = self._slot(target)
                if slot is not None and visible[slot]:
                    found.append((slot, int(row)))
        return found

    def _item(self, slot: int) -> IndexItem:
        return self._rows.item(slot)

    # -- what `similarity` compares ---------------------------------------------------------------

    def memories(self, scope: Scope, now: datetime) -> np.ndarray:
        """Slots of the memories this asker may see, in the order they were written."""
        visible = self._columns.visible(replace(scope, kinds=("memory",)), now)
        return np.flatnonzero(self._without(visible, scope))

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
        dense = self._vectors.scores(vector, self._columns.size)[slots]
        found = _with(slots[best(dense, count)], slots[best(lexical, count)])
        return [self._item(int(slot)) for slot in found]

    def held(self, slots: np.ndarray) -> Held:
        """Ids, texts, prefixes and a copy of the vectors of these slots."""
        items = [self._item(int(slot)) for slot in slots]
        return Held(
            ids=[item.id for item in items],
            texts=[item.text for item in items],
            prefixes=[dated_line(replace(item, text="")) for item in items],
            vectors=self._vectors.of(slots),
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


def _views(dense: np.ndarray, lexical: LexicalScores, around: Neighbourhood) -> Views:
    return Views(
        dense=dense,
        dense_window=_window_mean(dense, around),
        lexical=lexical.single,
        lexical_window=lexical.window,
    )


def _fused_among(
    fused: np.ndarray, views: Views, slots: np.ndarray, visible: np.ndarray
) -> np.ndarray:
    """The scores of these slots anew, normalised as among everything visible; of no other."""
    every = (views.dense, views.dense_window, views.lexical, views.lexical_window)
    lowest = [int(np.argmin(np.where(visible, view, np.inf))) for view in every]
    rows = np.append(slots, lowest)
    among = Views(
        dense=views.dense[rows],
        dense_window=views.dense_window[rows],
        lexical=views.lexical[rows],
        lexical_window=views.lexical_window[rows],
    )
    fused.fill(-1)
    fused[rows] = fuse(among, visible[rows])
    return fused


def _front(scores: np.ndarray, count: int, among: np.ndarray | None = None) -> np.ndarray:
    """As `best`, of these slots alone, or of very many without ordering them all."""
    if among is None and len(scores) > _MANY:
        sample = scores[:: len(scores) // _MANY + 1]
        reach = min(len(sample), 16 + 2 * count * len(sample) // len(scores))
        bar = np.partition(sample, -reach)[-reach]
        among = np.flatnonzero(scores >= max(0.0, float(bar)))
        among = among if len(among) >= count else None
    return best(scores, count) if among is None else among[best(scores[among], count)]


def _window_mean_at(slots: np.ndarray, dense: np.ndarray, around: Neighbourhood) -> np.ndarray:
    """As `_window_mean`, of some visible slots."""
    total, count = dense[slots].copy(), np.ones(len(slots), np.float32)
    for beside in (around.before[slots], around.after[slots]):
        seen = (beside >= 0) & around.visible[beside]
        total += np.where(seen, dense[beside], 0)
        count += seen
    return total / count


def _with(slots: np.ndarray, more: np.ndarray) -> np.ndarray:
    """The slots and those of `more` that are not among them."""
    return np.concatenate([slots, more[~np.isin(more, slots)]])
