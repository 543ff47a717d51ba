"""Making the ledger's file anew, so that nothing of what was erased stays in its bytes.

DuckDB leaves old bytes in freed blocks and in the write-ahead log. A marker beside the file says
that a rewriting is owed; it is set before the purge is durable and goes only with the last trace.
What the disk itself keeps of files that are gone is beyond us.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from skill_agent.errors import StoreError

from .database import Database
from .placing import drop_aside


def owe(database: Database) -> None:
    """Marks the file, durably: whoever opens it next has to make it anew."""
    marker = _marker(database)
    handle = os.open(marker, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    _sync_folder(marker.parent)


def owed(database: Database) -> bool:
    return _marker(database).exists()


def rewrite(database: Database) -> None:
    """Copies what there is into a new file and puts that in the old one's place.

    A crash at any point leaves the old file whole or the new one, and the marker. Raises
    StoreError (the database is open again, the marker stays) where the disk refuses.
    """
    fresh = database.path.with_name(database.path.name + ".anew")
    _drop(fresh, _log_of(fresh))
    database.copy_to(fresh)
    # Closing alone keeps a log that a crash left and nobody wrote to since.
    database.run("CHECKPOINT")
    database.close()
    try:
        if database.wal.exists() and database.wal.stat().st_size:
            # It belongs to the old file; beside the new one it would be replayed into it.
            raise StoreError(
                "The write-ahead log could not be closed.",
                hint="Close the home (ska down) and open it again.",
            )
        fresh.replace(database.path)
        _sync_folder(fresh.parent)
    except BaseException:
        _drop(fresh)
        raise
    finally:
        database.open()
    _drop_leftovers(database)
    _marker(database).unlink(missing_ok=True)
    _sync_folder(fresh.parent)


def _drop_leftovers(database: Database) -> None:
    """What crashes and spills left beside the file may hold what was erased."""
    name, folder = database.path.name, database.path.parent
    for pattern in (".wal.spare", "*.damaged-*", ".before-v*", ".anew*", ".partial*"):
        for left in folder.glob(name + pattern):
            drop_aside(left)
    with suppress(FileNotFoundError):
        shutil.rmtree(folder / f"{name}.tmp")


def _marker(database: Database) -> Path:
    return database.path.with_name(database.path.name + ".erasing")


def _log_of(file: Path) -> Path:
    return file.with_name(file.name + ".wal")


def _drop(*files: Path) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Makes names durable; Windows knows no such thing."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
