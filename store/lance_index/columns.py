"""The facts recall filters and ranks by, as growing numpy columns; one entry per slot.

A slot is given once and never reused: a changed or removed item leaves its slot dead.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from skill_agent.memory.recall.question import MARKS, tells_nothing
from skill_agent.values import Scope

from .names import Names
from .rows import TEXTS
from .stored_base import KINDS

if TYPE_CHECKING:
    import pyarrow as pa

    from .stored_base import Base

_TEAM_TYPES = ("shared", "user_profile")
_UNSCOPED_TYPES = ("semantic", "episodic")
_LIVE = ("active", "disputed")
_FEW_SESSIONS = 8
_FEW_ROWS = 16


class Columns:
    """Columns by name; `column("session")` is the filled part of one."""

    def __init__(self, base: "Base | None" = None) -> None:
        self.size = base.size if base else 0
        self.labels = {name: Names(base.names[name] if base else None) for name in TEXTS}
        self._held: dict[str, np.ndarray] = {
            name: base.arrays[name] if base else np.zeros(0, kind) for name, kind in KINDS.items()
        }

    def column(self, name: str) -> np.ndarray:
        """A view of the filled part; writing to it writes the column."""
        return self._held[name][: self.size]

    def extend(self, table: "pa.Table", lengths: np.ndarray) -> int:
        """Takes a slot for each row and gives the first; neighbours are known after `relink`."""
        first = self.size
        self._reserve(first + table.num_rows)
        self.size += table.num_rows
        held = {name: column[first : self.size] for name, column in self._held.items()}
        for name in TEXTS:
            held[name][:] = self._coded(name, table[name])
        for name in ("seq", "position", "importance", "pinned"):
            held[name][:] = np.asarray(table[name])
        held["created"][:] = _epoch_seconds(table["created_at"])
        held["expires"][:] = _epoch_seconds(table["expires_at"])
        held["asks"][:] = self._asking(table["text"], held)
        held["digits"][:] = _matching(table["text"], "[0-9]")
        held["alive"][:] = True
        held["length"][:] = lengths
        held["before"][:] = held["after"][:] = -1
        return first

    def _coded(self, name: str, texts: "pa.ChunkedArray") -> np.ndarray:
        give = self.labels[name].give
        if len(texts) <= _FEW_ROWS:
            return np.array([give(one) for one in texts.to_pylist()], np.int32)
        coded = texts.combine_chunks().dictionary_encode()
        codes = np.array([give(one) for one in coded.dictionary.to_pylist()])
        # None has no place in the dictionary: the last entry stands for it.
        return np.append(codes, -1).astype(np.int32)[np.asarray(coded.indices.fill_null(-1))]

    def _asking(self, texts: "pa.ChunkedArray", held: Mapping[str, np.ndarray]) -> np.ndarray:
        """bool per row: a turn that asks, as far as its words tell."""
        turns = held["kind"] == self.labels["kind"].find("turn")
        asking = turns & _matching(texts, f"[{''.join(MARKS)}]")
        persons = held["speaker"] == self.labels["speaker"].find("user")
        for row in np.flatnonzero(turns & persons & ~asking):
            asking[row] = tells_nothing(texts[int(row)].as_py())
        return asking

    def relink(self, slots: Iterable[int]) -> None:
        """Finds the neighbours anew in every session these slots belong to."""
        session, alive = self.column("session"), self.column("alive")
        touched = {int(session[slot]) for slot in slots} - {-1}
        if len(touched) > _FEW_SESSIONS:
            self._link(np.flatnonzero(alive & np.isin(session, list(touched))))
            return
        for code in touched:
            self._link(np.flatnonzero(alive & (session == code)))

    def visible(self, scope: Scope, now: datetime) -> np.ndarray:
        """bool per slot: what this asker may see; the rules are the product's privacy."""
        seen = self.column("alive").copy()
        user = self.column("user")
        seen &= (user == -1) | (user == self.labels["user"].find(scope.user))
        memory = self._is("kind", "memory")
        if scope.kinds != ("memory", "turn"):
            seen &= self._any("kind", scope.kinds)
        if scope.agent is not None:
            seen &= self._open_to(scope.agent, memory)
        if scope.memory_types:
            seen &= ~memory | self._any("memory_type", scope.memory_types)
        if scope.session is not None:
            seen &= self._is("session", scope.session)
        if not scope.include_cold:
            seen &= ~self.retired(now) & ~self._is("tier", "cold")
        return seen

    def retired(self, now: datetime) -> np.ndarray:
        """bool per slot: superseded, archived or expired."""
        return ~self._any("status", _LIVE) | (self.column("expires") <= now.timestamp())

    def _open_to(self, agent: str, memory: np.ndarray) -> np.ndarray:
        owner = self.column("agent")
        own, unowned = owner == self.labels["agent"].find(agent), owner == -1
        team = memory & self._any("memory_type", _TEAM_TYPES)
        unscoped = unowned & self._any("memory_type", _UNSCOPED_TYPES)
        return own | team | unscoped | (~memory & unowned)

    def _is(self, name: str, text: str) -> np.ndarray:
        return self.column(name) == self.labels[name].find(text)

    def _any(self, name: str, texts: Iterable[str]) -> np.ndarray:
        found = np.zeros(self.size, np.bool_)
        for text in texts:
            found |= self._is(name, text)
        return found

    def _link(self, slots: np.ndarray) -> None:
        """Chains the slots of each session and kind in order of position, time and sequence."""
        slots = slots[self.column("session")[slots] >= 0]
        keys = ("seq", "created", "position", "kind", "session")
        order = slots[np.lexsort([self.column(name)[slots] for name in keys])]
        before, after = self.column("before"), self.column("after")
        before[order] = after[order] = -1
        kind, session = self.column("kind")[order], self.column("session")[order]
        beside = (kind[1:] == kind[:-1]) & (session[1:] == session[:-1])
        before[order[1:][beside]] = order[:-1][beside]
        after[order[:-1][beside]] = order[1:][beside]

    def _reserve(self, size: int) -> None:
        room = len(self._held["alive"])
        if size <= room:
            return
        grown = max(size, 1024, room * 3 // 2)
        for name, column in self._held.items():
            self._held[name] = np.concatenate([column, np.zeros(grown - room, column.dtype)])


def _matching(texts: "pa.ChunkedArray", pattern: str) -> np.ndarray:
    """bool per row: whether the pattern is found in its text."""
    import pyarrow.compute as pc

    return np.asarray(pc.match_substring_regex(texts, pattern))  # pyright: ignore[reportAttributeAccessIssue]


def _epoch_seconds(column: "pa.ChunkedArray") -> np.ndarray:
    """Timestamps as seconds; null is infinitely far."""
    moments = column.to_numpy()
    missing = np.isnat(moments)
    seconds = moments.astype("datetime64[us]").astype(np.int64) / 1e6
    seconds[missing] = np.inf
    return seconds
