"""The tables of projections: states by key, and how far into the log each projection is."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from skill_agent.files.refusals import is_full
from skill_agent.ports.projections import Projection, State

from ..ledger.chain import canonical
from ..ledger.projecting import NotKept
from .database import Database


class ProjectedTables:
    """`ledger.projecting.KeptStates` in a DuckDB file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def place(self, name: str) -> tuple[int, int] | None:
        row = self._database.first("SELECT version, seq FROM projections WHERE name = ?", [name])
        return (int(row[0]), int(row[1])) if row else None

    def states(self, name: str, keys: Sequence[str]) -> dict[str, State]:
        if not keys:
            return {}
        with self._database.names("wanted_keys", keys):
            rows = self._database.rows(
                "SELECT key, state FROM projected "
                "WHERE projection = ? AND key IN (SELECT name FROM wanted_keys)",
                [name],
            )
        return {key: json.loads(state) for key, state in rows}

    def put(self, projection: Projection, states: dict[str, State], seq: int) -> None:
        import pyarrow as pa

        keys, texts = list(states), [canonical(state) for state in states.values()]
        table = pa.table(
            {"key": pa.array(keys, pa.string()), "state": pa.array(texts, pa.string())}
        )
        place = [projection.name, projection.version, canonical(list(projection.kinds)), seq]
        with (
            _room(),
            self._database.transaction(),
            self._database.table("new_states", table),
        ):
            self._database.run(
                "INSERT OR REPLACE INTO projected SELECT ?, key, state FROM new_states",
                [projection.name],
            )
            self._database.run("INSERT OR REPLACE INTO projections VALUES (?, ?, ?, ?)", place)

    def drop(self, name: str) -> None:
        with _room(), self._database.transaction():
            drop_projection(self._database, name)


@contextmanager
def _room() -> Iterator[None]:
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        if is_full(error):
            raise NotKept(str(error)) from error
        raise


def drop_projection(database: Database, name: str) -> None:
    """Within a transaction; whoever asks next has it folded anew."""
    database.run("DELETE FROM projected WHERE projection = ?", [name])
    database.run("DELETE FROM projections WHERE name = ?", [name])


def drop_projections_of(database: Database, kinds: set[str]) -> None:
    """Those that were folded from rows of any of these kinds."""
    for name, folded in database.rows("SELECT name, kinds FROM projections"):
        if kinds & set(json.loads(folded)):
            drop_projection(database, name)
