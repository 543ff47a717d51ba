"""The rows of a transaction on their way into the tables, in as few statements as can be."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..ledger.chain import Entry, Head
from ..ledger.journal import Draft
from ..ledger.recent import Saved
from ..ledger.records import stored_time
from .database import Database
from .schema import MESSAGE_COLUMNS

if TYPE_CHECKING:
    import pyarrow

_ROW = f"({', '.join('?' * len(Entry._fields))})"
_MESSAGES = f"messages ({MESSAGE_COLUMNS}, nonce, seq)"
"""Its columns stand in another order, having come at different times."""
_MANY = 250
"""Rows from which on an Arrow table is the faster way in."""


class Writing:
    """What the journal asks of a database, of a DuckDB one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.rollback = database.rollback

    def begin(self) -> None:
        self._database.check_writable()
        self._database.begin()

    def commit(self) -> None:
        with self._database.explained("save"):
            self._database.commit()

    def head(self) -> Head:
        row = self._database.first("SELECT seq, hash FROM log ORDER BY seq DESC LIMIT 1")
        return Head(*row) if row else Head()

    def put_in(self, draft: Draft) -> None:
        for table in ("sessions", "messages", "mentions"):
            if rows := draft.rows.pop(table, []):
                marks = f"({', '.join('?' * len(rows[0]))})"
                values = [value for row in rows for value in row]
                into = _MESSAGES if table == "messages" else table
                self._database.run(
                    f"INSERT INTO {into} VALUES {', '.join([marks] * len(rows))}", values
                )
                if table == "messages":
                    self._count_messages(draft.saved[-len(rows) :])

    def _count_messages(self, saved: Sequence[Saved]) -> None:
        """Tells the sessions of the newest messages; the rows are in by now."""
        counts: dict[str, tuple[int, datetime]] = {}
        for one in saved:
            count, latest = counts.get(one.message.session, (0, one.at))
            counts[one.message.session] = count + 1, max(latest, one.at)
        rows = [(name, count, stored_time(at)) for name, (count, at) in counts.items()]
        if len(rows) == 1:  # at half the cost
            self._database.run(
                "UPDATE sessions SET messages = messages + ?, "
                "updated_at = greatest(updated_at, ?) WHERE id = ?",
                [rows[0][1], rows[0][2], rows[0][0]],
            )
            return
        marks = ", ".join(["(?::VARCHAR, ?::INTEGER, ?::TIMESTAMP)"] * len(rows))
        self._database.run(
            "UPDATE sessions SET messages = messages + more, "
            "updated_at = greatest(updated_at, latest) "
            f"FROM (VALUES {marks}) AS counted(name, more, latest) WHERE id = name",
            [value for row in rows for value in row],
        )

    def put_in_log(self, entries: Sequence[Entry]) -> None:
        if len(entries) > _MANY:
            with self._database.table("new_log_rows", _arrow(entries)):
                self._database.run("INSERT INTO log SELECT * FROM new_log_rows")
            return
        if entries:
            values = [v for seq, at, *rest in entries for v in (seq, stored_time(at), *rest)]
            marks = ", ".join([_ROW] * len(entries))
            self._database.run(f"INSERT INTO log VALUES {marks}", values)


def _arrow(entries: Sequence[Entry]) -> "pyarrow.Table":
    import pyarrow as pa

    seqs, moments, *texts = zip(*entries, strict=True)
    columns: dict[str, Any] = {
        "seq": pa.array(seqs, pa.int64()),
        "at": pa.array(map(stored_time, moments), pa.timestamp("us")),
    }
    for name, values in zip(Entry._fields[2:], texts, strict=True):
        columns[name] = pa.array(values, pa.string())
    return pa.table(columns)
