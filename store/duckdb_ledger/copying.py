"""Copies of the ledger made by DuckDB beside its own thread, while that goes on writing.

A copy is one transaction over a cursor of its own, so it shows one moment. Whoever closes the file
or puts another in its place stops it first: a cursor keeps the whole database open.
"""

from concurrent.futures import Future
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from skill_agent.errors import StoreError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_LOOK_S = 0.02


class Copier:
    """At most one copy of one database at a time."""

    def __init__(self) -> None:
        self._cursor: DuckDBPyConnection | None = None
        self._stopped = False
        self._idle = Event()
        self._idle.set()

    def start(self, connection: "DuckDBPyConnection", target: Path) -> "Future[None]":
        """On the ledger's thread, so that nothing closes the file in between. The future raises
        StoreError where the copy was stopped, and whatever DuckDB raises."""
        if not self._idle.is_set():
            raise StoreError("A copy is being made already.", hint="Wait for it to end.")
        self._cursor, self._stopped = connection.cursor(), False
        self._idle.clear()
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()
        Thread(target=self._run, args=(self._cursor, target, done), name="ledger copy").start()
        return done

    def stop(self) -> None:
        """Ends a copy under way and returns once it is gone."""
        self._stopped = True
        while not self._idle.wait(_LOOK_S):
            if (cursor := self._cursor) is not None:
                cursor.interrupt()

    def _run(self, cursor: "DuckDBPyConnection", target: Path, done: "Future[None]") -> None:
        problem: BaseException | None = None
        try:
            copy_database(cursor, target)
        except BaseException as error:  # the wall between the thread and whoever waits
            problem = error
        cursor.close()
        self._cursor = None
        self._idle.set()
        if problem is None:
            done.set_result(None)
        else:
            done.set_exception(_broken_off() if self._stopped else problem)


def copy_database(connection: "DuckDBPyConnection", target: Path) -> None:
    """A consistent copy into a new file that appears only when complete."""
    if target.exists():
        raise StoreError(f"{target} exists already.", hint="Name a file that does not exist.")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    quoted = str(partial).replace("'", "''")
    try:
        connection.execute(f"ATTACH '{quoted}' AS backup_copy")
        try:
            (source,) = connection.execute("SELECT current_database()").fetchone() or ("",)
            name = str(source).replace('"', '""')
            connection.execute(f'COPY FROM DATABASE "{name}" TO backup_copy')
            connection.execute("CHECKPOINT backup_copy")
        finally:
            connection.execute("DETACH backup_copy")
        partial.chmod(0o600)
        partial.rename(target)
    except BaseException:
        for rest in (partial, partial.with_name(partial.name + ".wal")):
            rest.unlink(missing_ok=True)
        raise


def _broken_off() -> StoreError:
    return StoreError(
        "The copy was broken off: the ledger is being closed, or its file made anew.",
        hint="Begin it again.",
    )
