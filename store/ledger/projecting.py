"""Keeping projections up with the log: each row is folded once, when first asked for after it.

Writing a note costs nothing more for being projected. What is kept carries the sequence it was
folded to, so a ledger of any age catches up by itself.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from skill_agent.ports.projections import Projection, State
from skill_agent.values import LogEntry

_AT_ONCE = 5_000
"""Rows folded in one transaction, and rows of other kinds passed by before that is noted."""

RowsAfter = Callable[[tuple[str, ...], int, int], list[LogEntry]]
"""At most so many rows of some kinds after a sequence."""


class NotKept(Exception):
    """There is no room for states; they can be folded anew whenever they are asked for."""


class KeptStates(Protocol):
    """Where states stand; blocking, on the ledger's thread. No room for a change: NotKept."""

    def place(self, name: str) -> tuple[int, int] | None:
        """Version and sequence a projection was folded to; None for an unknown one."""
        ...

    def states(self, name: str, keys: Sequence[str]) -> dict[str, State]: ...
    def put(self, projection: Projection, states: dict[str, State], seq: int) -> None:
        """Replaces these states and notes the sequence, in one transaction."""
        ...

    def drop(self, name: str) -> None: ...


class Projections:
    """Every projection of one ledger."""

    def __init__(self, kept: KeptStates, rows_after: RowsAfter) -> None:
        self._kept = kept
        self._rows_after = rows_after

    def states(self, projection: Projection, keys: Sequence[str], head: int) -> dict[str, State]:
        """The states as of `head`, the last row there is."""
        try:
            self._catch_up(projection, head)
        except NotKept:
            return self._unkept(projection, keys, head)
        return self._kept.states(projection.name, keys)

    def _unkept(self, projection: Projection, keys: Sequence[str], head: int) -> dict[str, State]:
        """The same, with nothing written down."""
        version, seq = self._kept.place(projection.name) or (projection.version, 0)
        if stale := version != projection.version or seq > head:
            seq = 0
        newer: dict[str, State] = {}
        while seq < head:
            rows = self._rows_after(projection.kinds, seq, _AT_ONCE)
            for row in rows:
                for key in projection.keys(row):
                    if key not in newer and not stale:
                        newer |= self._kept.states(projection.name, [key])
                    newer[key] = projection.step(key, newer.get(key), row)
            seq = rows[-1].seq if len(rows) == _AT_ONCE else head
        older = {} if stale else self._kept.states(projection.name, keys)
        return {key: state for key, state in {**older, **newer}.items() if key in set(keys)}

    def _catch_up(self, projection: Projection, head: int) -> None:
        version, seq = self._kept.place(projection.name) or (projection.version, 0)
        if version != projection.version or seq > head:
            self._kept.drop(projection.name)
            seq = 0
        while seq < head:
            rows = self._rows_after(projection.kinds, seq, _AT_ONCE)
            reached = rows[-1].seq if len(rows) == _AT_ONCE else head
            if rows or reached - seq >= _AT_ONCE:
                self._kept.put(projection, self._folded(projection, rows), reached)
            seq = reached

    def _folded(self, projection: Projection, rows: Sequence[LogEntry]) -> dict[str, State]:
        steps = [(key, row) for row in rows for key in projection.keys(row)]
        states = self._kept.states(projection.name, list({key for key, _ in steps}))
        for key, row in steps:
            states[key] = projection.step(key, states.get(key), row)
        return states
