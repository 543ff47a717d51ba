"""One LanceDB table on disk, and a snapshot of it that opens without LanceDB.

Importing LanceDB takes a second, more than everything else a search in a new process does. So a
closing process leaves the rows that follow the base (`stored_base`: all, where there is none) as
one Arrow file beside the table, which the next one maps; any commit since makes it stale.
Blocking; one process writes. Rows are never deleted in place, for LanceDB keeps them in its files:
`places` says how they go.
"""

import hashlib
import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from .stored_base import Base

TABLE, SNAPSHOT = "items", "snapshot.arrow"
_MANY_ROWS = 32_768
"""More than these are never read at once."""
_ROWS_AT_ONCE = 8192
_SMALL_FRAGMENTS = 20
_KEEP_VERSIONS = timedelta(hours=1)
"""LanceDB must never be told 0: a reader of an older version would lose its files."""
_MARK = b"table"


class ItemTable:
    """The stored rows in one folder."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._opened: Any = None
        self._written = False

    @property
    def exists(self) -> bool:
        return (self.directory / f"{TABLE}.lance").is_dir()

    def read(self) -> "pa.Table | None":
        """Every row; None without a table or where it is torn."""
        import pyarrow as pa

        found = self.following(None)
        return pa.concat_tables(found[1]) if found else None

    def following(
        self, base: "Base | None"
    ) -> "tuple[pa.Schema, list[pa.Table] | Iterator[pa.Table]] | None":
        """The schema and the rows the base has not, from the snapshot if it is fresh, else some at
        a time; None without a table or where it is torn."""
        if not self.exists:
            return None
        stored = self._snapshot(base)
        if stored is not None:
            return stored.schema, [stored]
        try:
            table = self._table()
            if table.count_rows(_since(base)) > _MANY_ROWS:
                return table.schema, self._parts(base)
            return table.schema, [self._rows(base)]
        except PermissionError:
            raise
        except Exception:  # the wall before a library that may even panic over what it reads
            self._opened = None
            return None

    def parts(self) -> "Iterator[pa.Table]":
        """Every row, some at a time, past any snapshot."""
        return self._parts(None)

    def _parts(self, base: "Base | None") -> "Iterator[pa.Table]":
        import pyarrow as pa

        shape = self._table().schema
        for batch in self._query(base).to_batches(batch_size=_ROWS_AT_ONCE):
            yield pa.Table.from_batches([batch]).cast(shape)

    def _rows(self, base: "Base | None") -> "pa.Table":
        return self._table().to_arrow() if base is None else self._query(base).to_arrow()

    def _query(self, base: "Base | None") -> Any:
        query = self._table().search()
        return query if base is None else query.where(_since(base))

    def write(self, rows: "pa.Table", *, replacing: bool) -> None:
        """One commit, which makes the table if need be; `replacing` says that some ids may be
        there already."""
        self._written = True
        table = self._table(rows.schema)
        if not replacing:
            table.add(rows)
            return
        merge = table.merge_insert("id").when_matched_update_all()
        merge.when_not_matched_insert_all().execute(rows)

    def compact(self) -> None:
        """Merges the fragments of many small commits."""
        if self._opened is None and not self._written:
            return
        table = self._table()
        if table.stats()["fragment_stats"]["num_small_fragments"] > _SMALL_FRAGMENTS:
            table.optimize(cleanup_older_than=_KEEP_VERSIONS)

    def close(self, base: "Base | None") -> None:
        """Leaves a snapshot if LanceDB was needed; a disk that refuses costs only speed."""
        if self._opened is not None:
            with suppress(Exception):  # as when it is read
                self._keep(base)
        self._opened = None

    def _table(self, shape: "pa.Schema | None" = None) -> Any:
        """The open table; `shape` makes one where there is none."""
        if self._opened is None:
            # Its log goes straight to file descriptor 2, across whatever the terminal shows.
            os.environ.setdefault("LANCEDB_LOG", "error")
            import lancedb

            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            database = lancedb.connect(str(self.directory))
            if shape is not None and TABLE not in database.list_tables().tables:
                self._opened = database.create_table(TABLE, schema=shape)
            else:
                self._opened = database.open_table(TABLE)
        return self._opened

    @property
    def _snapshot_file(self) -> Path:
        return self.directory / SNAPSHOT

    def _snapshot(self, base: "Base | None") -> "pa.Table | None":
        """The snapshot's rows, mapped and not read; None where it is missing, stale or damaged."""
        import pyarrow as pa

        try:
            rows = pa.ipc.open_file(pa.memory_map(str(self._snapshot_file))).read_all()
        except (OSError, pa.ArrowInvalid):
            return None
        return rows if (rows.schema.metadata or {}).get(_MARK) == self._mark(base) else None

    def _keep(self, base: "Base | None") -> None:
        """Writes the snapshot beside its place and moves it there."""
        import pyarrow as pa

        mark = self._mark(base)
        rows = self._rows(base).combine_chunks()
        marked = rows.schema.with_metadata({**(rows.schema.metadata or {}), _MARK: mark})
        fresh = self._snapshot_file.with_suffix(".new")
        with pa.OSFile(str(fresh), "wb") as sink, pa.ipc.new_file(sink, marked) as writer:
            writer.write_table(rows.cast(marked))
        fresh.chmod(0o600)
        fresh.replace(self._snapshot_file)

    def _mark(self, base: "Base | None") -> bytes:
        """Digest of the table's list of versions, for every commit adds one, and of the base."""
        try:
            folder = self.directory / f"{TABLE}.lance" / "_versions"
            versions = sorted(file.name for file in folder.iterdir())
        except OSError:
            return b""
        named = [base.folder.name] if base else []
        return hashlib.sha256("\n".join(versions + named).encode()).hexdigest().encode()


def _since(base: "Base | None") -> str | None:
    """The rows that follow a base, as a filter."""
    return f"seq > {base.seq}" if base else None
