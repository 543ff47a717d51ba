"""How what the index holds for the second look at the best candidates is gathered."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skill_agent.memory.recall.fusion import Second
from skill_agent.memory.recall.late import matches, weights
from skill_agent.memory.recall.question import Question
from skill_agent.memory.recall.ranking import Views, normalised
from skill_agent.ports import Pieces
from skill_agent.values import RecallQuery

from .columns import Columns
from .lexical import LexicalScores


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One question's scores of everything; the arrays have one entry per slot."""

    query: RecallQuery
    asked: Question
    pieces: Pieces
    fused: np.ndarray
    views: Views
    surprise: np.ndarray
    lexical: LexicalScores
    visible: np.ndarray


def second_look(
    view: View,
    slots: np.ndarray,
    *,
    stored: Sequence[bytes],
    columns: Columns,
    time: np.ndarray,
    speaker: np.ndarray,
) -> Second:
    """The signals' raw material of these slots; what stands beside them counts if it is visible."""
    views, lexical, visible = view.views, view.lexical, view.visible
    every = {
        "dense": normalised(views.dense, visible),
        "dense window": normalised(views.dense_window, visible),
        "lexical": normalised(views.lexical, visible),
        "lexical window": normalised(views.lexical_window, visible),
    }
    before, after = (_seen(columns.column(name)[slots], visible) for name in ("before", "after"))
    asks = columns.column("asks")
    length = columns.column("length")
    return Second(
        views={name: value[slots] for name, value in every.items()},
        before={name: _at(every[name], before) for name in ("dense", "lexical")},
        after={name: _at(every[name], after) for name in ("dense", "lexical")},
        beside=np.stack([_rows(slots, before), _rows(slots, after)], axis=1),
        matches=matches(view.pieces.vectors, stored),
        weights=weights(view.query.text, view.pieces.spans, lexical.idf),
        fused=view.fused[slots],
        cosine=views.dense[slots],
        surprise=view.surprise[slots],
        covered=lexical.covered[slots],
        covered_window=lexical.window_covered[slots],
        named=lexical.named[slots],
        time=time,
        speaker=speaker,
        session=columns.column("session")[slots],
        turn=columns.column("kind")[slots] == columns.labels["kind"].find("turn"),
        asks=asks[slots],
        asked_before=_at(asks, before).astype(np.bool_),
        digits=columns.column("digits")[slots],
        length=length[slots],
        usual_length=float(length @ visible) / max(1, np.count_nonzero(visible)),
    )


def _seen(beside: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """-1 instead of what the asker may not see."""
    return np.where((beside >= 0) & visible[beside], beside, -1)


def _at(values: np.ndarray, slots: np.ndarray) -> np.ndarray:
    """The values there; 0 for -1."""
    return np.where(slots >= 0, values[slots], 0)


def _rows(slots: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Which candidate each wanted slot is; -1 for none."""
    order = np.argsort(slots)
    place = np.minimum(np.searchsorted(slots[order], wanted), len(slots) - 1)
    found = order[place]
    return np.where(slots[found] == wanted, found, -1)
