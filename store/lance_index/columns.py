"""The facts recall filters and ranks by, as growing numpy columns; one entry per slot.

A slot is given once and never reused: a changed or removed item leaves its slot dead.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from skill_agent.memory.recall.question import MARKS, only_asks, tells_nothing
from skill_agent.values import IndexItem, Scope

from .rows import TEXTS

if TYPE_CHECKING:
    import pyarrow as pa

_NUMBERS: Mapping[str, Any] = {
    "seq": np.int64, "position": np.int64, "created": np.float64, "expires": np.float64,
    "importance": np.float32, "pinned": np.bool_, "asks": np.bool_, "digits": np.bool_,
    "alive": np.bool_,
    "length": np.float32, "before": np.int32, "after": np.int32,
}  # fmt: skip
_TEAM_TYPES = ("shared", "user_profile")
_UNSCOPED_TYPES = ("semantic", "episodic")
_LIVE = ("active", "disputed")
_FEW_SESSIONS = 8
_DIGIT = "[0-9]"


class Labels:
    """Distinct strings as small ints; None is -1."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = list(names)
        self._codes = {name: code for code, name in enumerate(self.names)}

    def give(self, name: str | None) -> int:
        """The name's code, new if need be."""
        if name is None:
            return -1
        code = self._codes.setdefault(name, len(self.names))
        if code == len(self.names):
            self.names.append(name)
        return code

    def find(self, name: str) -> int:
        """The name's code, or -2, which no slot holds."""
        return self._codes.get(name, -2)


class Columns:
    """Columns by name; `column("session")` is the filled part of one."""

    def __init__(self) -> None:
        self.size = 0
        self.labels = {name: Labels() for name in TEXTS}
        self._held: dict[str, np.ndarray] = {
            name: np.zeros(0, kind) for name, kind in _NUMBERS.items()
        }
        self._held.update({name: np.zeros(0, np.int32) for name in TEXTS})

    @classmethod
    def load(cls, table: "pa.Table", lengths: np.ndarray) -> "Columns":
        """Columns of a whole table; slot = row."""
        import pyarrow as pa
        import pyarrow.compute as pc

        loaded = cls()
        loaded.size = table.num_rows
        for name in TEXTS:
            coded = table[name].combine_chunks().dictionary_encode()
            if isinstance(coded, pa.ChunkedArray):
                coded = coded.combine_chunks()
            loaded.labels[name] = Labels(coded.dictionary.to_pylist())
            loaded._held[name] = np.array(coded.indices.fill_null(-1), np.int32)
        held = loaded._held
        for name in ("seq", "position", "importance", "pinned"):
            held[name] = np.array(table[name]).astype(_NUMBERS[name])
        held["created"] = _epoch_seconds(table["created_at"])
        held["expires"] = _epoch_seconds(table["expires_at"])
        texts = table["text"].combine_chunks()
        asking = pc.match_substring_regex(texts, f"[{''.join(MARKS)}]")  # pyright: ignore[reportAttributeAccessIssue]
        held["digits"] = np.asarray(pc.match_substring_regex(texts, _DIGIT))  # pyright: ignore[reportAttributeAccessIssue]
        turns = held["kind"] == loaded.labels["kind"].find("turn")
        held["asks"] = turns & np.asarray(asking)
        persons = held["speaker"] == loaded.labels["speaker"].find("user")
        for slot in np.flatnonzero(turns & persons & ~held["asks"]):
            held["asks"][slot] = tells_nothing(texts[int(slot)].as_py())
        held["alive"] = np.ones(loaded.size, np.bool_)
        held["length"] = lengths.astype(np.float32)
        held["before"] = np.full(loaded.size, -1, np.int32)
        held["after"] = np.full(loaded.size, -1, np.int32)
        loaded._link(np.arange(loaded.size))
        return loaded

    def column(self, name: str) -> np.ndarray:
        """A view of the filled part; writing to it writes the column."""
        return self._held[name][: self.size]

    def append(self, item: IndexItem) -> int:
        """Takes a slot for the item; neighbours are known after `relink`."""
        slot = self.size
        self._reserve(slot + 1)
        self.size += 1
        self._held["alive"][slot] = True
        self._held["before"][slot] = self._held["after"][slot] = -1
        self.describe(slot, item)
        return slot

    def describe(self, slot: int, item: IndexItem) -> None:
        """Writes the item's facts into its slot."""
        held = self._held
        for name in TEXTS:
            held[name][slot] = self.labels[name].give(getattr(item, name))
        held["seq"][slot] = item.seq
        held["position"][slot] = item.position
        held["created"][slot] = item.created_at.timestamp()
        held["expires"][slot] = item.expires_at.timestamp() if item.expires_at else np.inf
        held["importance"][slot] = item.importance
        held["pinned"][slot] = item.pinned
        held["digits"][slot] = re.search(_DIGIT, item.text) is not None
        held["asks"][slot] = only_asks(item) or (
            item.kind == "turn" and any(mark in item.text for mark in MARKS)
        )

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


def _epoch_seconds(column: "pa.ChunkedArray") -> np.ndarray:
    """Timestamps as seconds; null is infinitely far."""
    import pyarrow as pa

    micros = column.combine_chunks().cast(pa.int64())
    missing = np.array(micros.is_null())
    seconds = np.array(micros.fill_null(0), np.float64) / 1e6
    seconds[missing] = np.inf
    return seconds
