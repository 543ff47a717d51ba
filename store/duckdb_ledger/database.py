"""One DuckDB file and its one connection: opening, transactions, errors in words, copies.

Blocking; used from the ledger's own thread. Nothing here opens the database as a file: closing
such a handle would silently drop DuckDB's lock. What the tables mean is known elsewhere.
"""

import atexit
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from stat import S_IMODE
from typing import TYPE_CHECKING, Any

from skill_agent.errors import HomeBusy, LedgerBehind, LedgerTooNew, StoreError
from skill_agent.files.refusals import disk_refusal, is_full, read_only

from ..ledger.journal import DatabaseLost
from .copying import Copier, copy_database
from .older import made_readable, with_columns
from .schema import NEWEST, check_version, migrate, stored_version

if TYPE_CHECKING:
    import duckdb
    import pyarrow

Row = tuple[Any, ...]

_PARSED, _SHORT = 256, 1_000
"""Statements whose parsing is kept, and characters up to which one is: their texts differ by how
many marks they have, and a parsed one takes some hundred times its text."""
_DAMAGED = ("corrupt", "checksum", "serializ", "could not read enough bytes", "internal error")


class Database:
    """The connection, its settings and its care.

    One thread of DuckDB's own: a home's statements are small, and a second one costs each of them a
    third more.
    """

    def __init__(
        self,
        path: Path,
        *,
        memory_limit: str = "768MB",
        threads: int = 1,
        only_reads: bool = False,
    ) -> None:
        self.path = path
        self.warnings: list[str] = []
        self.copier = Copier()
        self.kept: list[Path] = []
        """Write-ahead logs found damaged since it was made, and set aside."""
        self.only_reads = only_reads
        """The file is not written, whatever it lacks."""
        self.version = 0
        """The schema of the file that is open."""
        self._as_newest = False
        self._settings = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            # A second opening in this process gets another agent, and DuckDB refuses it: two
            # writers with a head each would fork the chain.
            "custom_user_agent": f"skill-agent-{token_hex(8)}",
            "memory_limit": memory_limit,
            "threads": threads,
        }
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._parsed: dict[str, duckdb.Statement] = {}
        # What is left of them when the interpreter ends, DuckDB's binding tells on the terminal.
        atexit.register(self._parsed.clear)

    @property
    def wal(self) -> Path:
        return self.path.with_name(self.path.name + ".wal")

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    @property
    def connection(self) -> "duckdb.DuckDBPyConnection":
        if self._connection is None:
            raise StoreError("The ledger is closed.", hint="Open it again.")
        return self._connection

    # -- opening and closing -----------------------------------------------------------------

    def open(self) -> None:
        """Connects, mends what a crash left, checks the version, and makes the tables of a new
        file; one of an older version is left as it is."""
        with self.explained("be opened"):
            if not self.only_reads:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            connection = self._connect()
            try:
                self.version = self._prepared(connection)
            except LedgerTooNew:
                connection.execute("PRAGMA disable_checkpoint_on_shutdown")
                connection.close()
                raise
            except BaseException:
                connection.close()
                raise
        self._connection = connection
        if not self.only_reads:
            self.keep_private()

    def _prepared(self, connection: "duckdb.DuckDBPyConnection") -> int:
        """The version of its schema, once everything is ready."""
        version = stored_version(connection)
        check_version(version)
        if self.only_reads:
            made_readable(connection)
            self._as_newest = version < NEWEST
        elif version == 0:
            migrate(connection, 0)
            version = stored_version(connection)
        connection.execute("SET lock_configuration = true")
        return version

    def read_as_newest(self) -> None:
        """Lays over an older file what it lacks, so that today's code reads it."""
        with_columns(self.connection)
        self._as_newest = True

    def reopen(self) -> None:
        """After a fatal error: a new instance over the same file."""
        import duckdb

        self.copier.stop()
        if self._connection is not None:
            with suppress(duckdb.Error):
                self._connection.close()
            self._connection = None
        self.open()

    def close(self) -> None:
        """Raises StoreError where the file cannot be written to its end; it is closed then, too."""
        import duckdb

        self.copier.stop()
        connection, self._connection = self._connection, None
        if connection is None:
            return
        self._parsed.clear()
        atexit.unregister(self._parsed.clear)
        try:
            if not self.only_reads and self.wal.exists():
                # Closing alone keeps a log that a crash left and nobody wrote to since.
                connection.execute("CHECKPOINT")
            connection.close()
        except (duckdb.Error, OSError) as error:
            with suppress(duckdb.Error):
                connection.close()
            # On a full disk the log waits beside the file, with all that was acknowledged.
            if not is_full(error):
                raise self.in_words(error, "be closed") from error

    def keep_private(self) -> None:
        """Takes group and others off the files; DuckDB makes a new log file after checkpoints."""
        for file in (self.path, self.wal):
            with suppress(FileNotFoundError):
                # Setting what is set already would cost the disk a write at each commit.
                if S_IMODE(file.stat().st_mode) != 0o600:
                    file.chmod(0o600)

    def _connect(self) -> "duckdb.DuckDBPyConnection":
        """Connects; keeps a crash's write-ahead log if not all of it could be used.

        DuckDB removes that file once it is open, so it is copied before.
        """
        if self.only_reads or not self.wal.exists() or not self.wal.stat().st_size:
            return self._plain()
        spare = self.wal.with_name(f"{self.wal.name}.spare")
        try:
            shutil.copyfile(self.wal, spare)
            spare.chmod(0o600)
            connection, whole = self._replayed(spare)
            if not whole:
                self._keep(spare)
            return connection
        finally:
            spare.unlink(missing_ok=True)

    def _plain(self) -> "duckdb.DuckDBPyConnection":
        import duckdb

        return duckdb.connect(str(self.path), read_only=self.only_reads, config=self._settings)

    def _replayed(self, spare: Path) -> tuple["duckdb.DuckDBPyConnection", bool]:
        """A connection, and whether the whole write-ahead log went into it."""
        import duckdb

        try:
            connection = self._plain()
        except duckdb.Error as error:
            if _is_foreign(error):
                raise
            return self._salvaged(spare, str(error)), False
        # A bad byte may also end the replay without an error; only the sizes tell.
        found, used = connection.execute(
            "SELECT format_bytes(?), wal_size FROM pragma_database_size()", [spare.stat().st_size]
        ).fetchall()[0]
        if used != "0 bytes":
            return connection, found == used
        connection.close()
        self.wal.unlink(missing_ok=True)
        return self._plain(), False

    def _salvaged(self, spare: Path, error: str) -> "duckdb.DuckDBPyConnection":
        """What was acknowledged before the first bad entry, or the state without the log."""
        import duckdb

        if good := re.search(r"Corrupt WAL file: entry at byte position (\d+)", error):
            with spare.open("rb") as damaged:
                self.wal.write_bytes(damaged.read(int(good[1])))
            with suppress(duckdb.Error):
                return self._plain()
        self.wal.unlink(missing_ok=True)
        return self._plain()

    def _keep(self, spare: Path) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        kept = spare.replace(self.wal.with_name(f"{self.wal.name}.damaged-{stamp}"))
        self.kept.append(kept)
        self.warnings.append(
            f"The ledger's write-ahead log could not be read to its end; it is kept as {kept.name}."
            " Changes that were never acknowledged may be in it, and nothing else."
        )

    # -- reading and writing -----------------------------------------------------------------

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._execute(sql, values).fetchall()

    def first(self, sql: str, values: Sequence[Any] = ()) -> Row | None:
        rows = self.rows(sql, values)
        return rows[0] if rows else None

    def run(self, sql: str, values: Sequence[Any] = ()) -> None:
        self._execute(sql, values)

    def _execute(self, sql: str, values: Sequence[Any] = ()) -> "duckdb.DuckDBPyConnection":
        """Runs SQL; a short statement is parsed once, which is a quarter of what it costs."""
        if len(sql) > _SHORT:
            return self.connection.execute(sql, list(values))
        statement = self._parsed.get(sql)
        if statement is None:
            (statement,) = self.connection.extract_statements(sql)
            if len(self._parsed) >= _PARSED:
                self._parsed.clear()
            self._parsed[sql] = statement
        return self.connection.execute(statement, list(values))

    def stream(self, sql: str, values: Sequence[Any] = (), *, batch: int = 5000) -> Iterator[Row]:
        """Rows one by one over a cursor of their own, a batch in memory at a time."""
        cursor = self.connection.cursor()
        if self._as_newest:  # what lies over a file is each connection's own
            with_columns(cursor)
        try:
            cursor.execute(sql, list(values))
            while rows := cursor.fetchmany(batch):
                yield from rows
        finally:
            cursor.close()

    @contextmanager
    def table(self, name: str, content: "pyarrow.Table") -> Iterator[None]:
        """Makes an Arrow table readable in SQL under a name."""
        self.connection.register(name, content)
        try:
            yield
        finally:
            self.connection.unregister(name)

    @contextmanager
    def names(self, table: str, names: Sequence[str]) -> Iterator[None]:
        """Makes names readable in SQL, as the column `name` of a table."""
        import pyarrow as pa

        with self.table(table, pa.table({"name": pa.array(names, pa.string())})):
            yield

    def chosen(
        self, columns: str, table: str, names: Sequence[str], *, column: str = "id"
    ) -> list[Row]:
        """The rows of a table whose column is one of many names."""
        if not names:
            return []
        with self.names("wanted_names", names):
            return self.rows(
                f"SELECT {columns} FROM {table} WHERE {column} IN (SELECT name FROM wanted_names)"
            )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """For changes that no log row stands for; all or none."""
        self.begin()
        try:
            yield
            self.commit()
        except BaseException:
            self.rollback()
            raise

    def check_writable(self) -> None:
        """Raises HomeReadOnly where the ledger was opened to be read."""
        if self.only_reads:
            raise read_only(self.path.parent, "Nothing was saved")

    def begin(self) -> None:
        self._execute("BEGIN")

    def commit(self) -> None:
        self._execute("COMMIT")
        if not self.only_reads:
            self.keep_private()

    def rollback(self) -> None:
        import duckdb

        # A failed commit has rolled back already, and an invalidated instance cannot.
        with suppress(duckdb.Error):
            self.connection.execute("ROLLBACK")

    def copy_to(self, target: Path) -> None:
        """As `copying.copy_database`."""
        copy_database(self.connection, target)

    @contextmanager
    def read_only(self) -> "Iterator[duckdb.DuckDBPyConnection]":
        """A connection that changes nothing, to a file that nobody has open."""
        import duckdb

        connection = duckdb.connect(str(self.path), read_only=True, config=self._settings)
        try:
            yield connection
        finally:
            connection.close()

    # -- errors ------------------------------------------------------------------------------

    @contextmanager
    def explained(self, action: str) -> Iterator[None]:
        """Turns DuckDB's errors into ours, naming what to do; reopens once after a fatal one."""
        import duckdb

        try:
            yield
        except (duckdb.FatalException, duckdb.InternalException) as error:
            if self._connection is None:
                raise self.in_words(error, action) from error
            self.reopen()
            raise DatabaseLost(str(error)) from error
        except (duckdb.Error, OSError) as error:
            raise self.in_words(error, action) from error
        except UnicodeEncodeError as error:
            raise StoreError(
                f"The ledger could not {action}: the text is not valid Unicode.",
                hint="Decode the input as UTF-8 before saving it.",
            ) from error

    def drop_kept(self) -> None:
        """Deletes what was set aside: everything that was acknowledged is known to be there."""
        for file in self.kept:
            file.unlink(missing_ok=True)
            self.warnings[:] = [line for line in self.warnings if file.name not in line]
        self.kept.clear()

    def in_words(self, error: Exception, action: str) -> StoreError | HomeBusy:
        """The error as one of ours: what it means and what to do."""
        text = str(error)
        low = text.lower()
        if match := re.search(r"lock is held.*?\(PID (\d+)", text):
            return HomeBusy(
                f"The ledger {self.path} is in use by process {match[1]}.",
                pid=int(match[1]),
                hint="Close that process, or work through it.",
            )
        if "different configuration than existing" in low:
            return HomeBusy(
                f"The ledger {self.path} is open in this process already.",
                pid=os.getpid(),
                hint="Use the one that is open, or close it first.",
            )
        if told := disk_refusal(error, self.path, f"The ledger could not {action}"):
            return told
        if "not a valid duckdb database" in low:
            return StoreError(
                f"{self.path} is not a ledger: it is no DuckDB database.",
                hint=LedgerBehind.ways_on,
            )
        if "newer version of duckdb" in low or "version number" in low:
            return LedgerTooNew(
                f"{self.path} was written by a newer database engine. Nothing was changed.",
                hint="Install the newer version of skill-agent that wrote it.",
            )
        detail = text.strip().splitlines()[0] if text.strip() else type(error).__name__
        if any(sign in low for sign in _DAMAGED):
            return StoreError(
                f"The ledger could not {action}: its file is damaged ({detail[:200]})",
                hint=LedgerBehind.ways_on,
            )
        return StoreError(
            f"The ledger could not {action}: {detail}",
            hint=f"If that stays so: {LedgerBehind.ways_on}",
        )


def _is_foreign(error: Exception) -> bool:
    """Whether a failed open has causes that setting the write-ahead log aside would not cure."""
    low = str(error).lower()
    signs = (
        "set lock",
        "different configuration",
        "not a valid",
        "version",
        "cannot open",
        "is a directory",
    )
    return any(sign in low for sign in signs) or disk_refusal(error, Path()) is not None
