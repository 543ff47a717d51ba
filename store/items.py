"""The index's one LanceDB table on disk, and a snapshot of it that opens without LanceDB.

Importing LanceDB takes a second, more than everything else a search in a new process does. So a
closing process leaves the rows beside the table as one Arrow file, which the next one maps into
memory; any commit since makes it stale. Blocking; one process writes.
"""

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .rows import LAYOUT, schema

if TYPE_CHECKING:
    import pyarrow as pa

_TABLE = "items"
_SMALL_FRAGMENTS = 20
_KEEP_VERSIONS = timedelta(hours=1)
"""LanceDB must never be told 0: a reader of an older version would lose its files."""
_DELETE_AT_ONCE = 500
_MARK = b"table"


class ItemTable:
    """The stored rows; empty where layout or vector space are not the ones asked for."""

    def __init__(self, directory: Path, *, embedder: str, dimensions: int) -> None:
        self._directory = directory
        self._embedder = embedder
        self._dimensions = dimensions
        self._opened: tuple[Any, Any] | None = None

    def read(self) -> "pa.Table":
        """Every row, from the snapshot if it is fresh."""
        stored = self._snapshot()
        return self._table().to_arrow() if stored is None else stored

    def schema(self) -> "pa.Schema":
        """What `write` expects."""
        return schema(self._dimensions, self._embedder)

    def write(self, rows: "pa.Table", *, replacing: bool) -> None:
        """One commit; `replacing` says that some ids may be there already."""
        table = self._table()
        if not replacing:
            table.add(rows)
            return
        merge = table.merge_insert("id").when_matched_update_all()
        merge.when_not_matched_insert_all().execute(rows)

    def erase(self, ids: Sequence[str]) -> None:
        """Deletes rows and every trace of them: a purge is a promise.

        LanceDB keeps deleted rows in its files, so what is left moves into a new table. A crash in
        between costs a rebuild from the ledger.
        """
        table = self._table()
        for start in range(0, len(ids), _DELETE_AT_ONCE):
            batch = ids[start : start + _DELETE_AT_ONCE]
            quoted = ", ".join("'" + item_id.replace("'", "''") + "'" for item_id in batch)
            table.delete(f"id IN ({quoted})")
        self.replace(table.to_arrow())

    def replace(self, rows: "pa.Table | None" = None) -> None:
        """Drops the table with all its versions and starts a new one with these rows."""
        with suppress(FileNotFoundError):
            self._snapshot_file.unlink()
        database, _ = self._open()
        database.drop_table(_TABLE, ignore_missing=True)
        self._opened = (database, database.create_table(_TABLE, rows, schema=self.schema()))

    def compact(self) -> None:
        """Merges the fragments of many small commits."""
        table = self._table()
        if table.stats()["fragment_stats"]["num_small_fragments"] > _SMALL_FRAGMENTS:
            table.optimize(cleanup_older_than=_KEEP_VERSIONS)

    def close(self) -> None:
        """Leaves a snapshot if rows were written; a disk that refuses costs only speed."""
        if self._opened is not None:
            with suppress(OSError):
                self._keep()
        self._opened = None

    def _table(self) -> Any:
        return self._open()[1]

    def _open(self) -> tuple[Any, Any]:
        if self._opened is None:
            # Its log goes straight to file descriptor 2, across whatever the terminal shows.
            os.environ.setdefault("LANCEDB_LOG", "error")
            import lancedb

            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            database = lancedb.connect(str(self._directory))
            self._opened = (database, self._open_table(database))
        return self._opened

    def _open_table(self, database: Any) -> Any:
        if _TABLE in database.list_tables().tables:
            table = database.open_table(_TABLE)
            if self._fits(table.schema):
                return table
            database.drop_table(_TABLE)
        return database.create_table(_TABLE, schema=self.schema())

    def _fits(self, stored: "pa.Schema") -> bool:
        told = stored.metadata or {}
        wanted = {b"layout": LAYOUT.encode(), b"embedder": self._embedder.encode()}
        return all(told.get(key) == value for key, value in wanted.items())

    @property
    def _snapshot_file(self) -> Path:
        return self._directory / "snapshot.arrow"

    def _snapshot(self) -> "pa.Table | None":
        """The snapshot's rows, mapped and not read; None where it is missing, stale or foreign."""
        import pyarrow as pa

        try:
            rows = pa.ipc.open_file(pa.memory_map(str(self._snapshot_file))).read_all()
        except (OSError, pa.ArrowInvalid):
            return None
        fresh = (rows.schema.metadata or {}).get(_MARK) == self._mark()
        return rows if fresh and self._fits(rows.schema) else None

    def _keep(self) -> None:
        """Writes the snapshot beside its place and moves it there."""
        import pyarrow as pa

        mark = self._mark()
        rows = self._table().to_arrow().combine_chunks()
        marked = rows.schema.with_metadata({**(rows.schema.metadata or {}), _MARK: mark})
        fresh = self._snapshot_file.with_suffix(".new")
        with pa.OSFile(str(fresh), "wb") as sink, pa.ipc.new_file(sink, marked) as writer:
            writer.write_table(rows.cast(marked))
        fresh.chmod(0o600)
        fresh.replace(self._snapshot_file)

    def _mark(self) -> bytes:
        """Digest of the table's list of versions: every commit adds one."""
        try:
            folder = self._directory / f"{_TABLE}.lance" / "_versions"
            versions = sorted(file.name for file in folder.iterdir())
        except OSError:
            return b""
        return hashlib.sha256("\n".join(versions).encode()).hexdigest().encode()
