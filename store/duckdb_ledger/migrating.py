"""From an older schema to the newest, on a copy: the file stays as it is until that is whole.

The copy is migrated, verified and compared; only then it takes the file's place, and the file stays
beside it under a name of its own. What fails, or is killed, leaves the old file where it was.
"""

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from skill_agent.errors import StoreError
from skill_agent.files.refusals import free_text, is_full

from ..ledger.verify import verify
from .contents import StoredContents
from .database import Database
from .schema import MIGRATIONS, Migration, migrate

KEPT_DAYS = 30
"""How long the file from before a migration is kept."""
_MARGIN = 16_000_000
_NO_COUNT = ("meta", "projections", "projected")
"""Tables a step may empty: they follow from the log."""


def bring_up(database: Database, steps: tuple[Migration, ...] = MIGRATIONS) -> Path:
    """Brings an open ledger to the schema of the last step and leaves it open; gives where the file
    from before is kept. Raises StoreError, the old file being open and as it was."""
    copy = database.path.with_name(database.path.name + ".migrating")
    _drop(copy, _wal(copy))
    _check_room(database)
    try:
        database.copy_to(copy)
        _migrated(copy, database, steps)
        kept = _swapped(database, copy, len(steps))
    except BaseException as error:
        _drop(copy, _wal(copy))
        if not isinstance(error, Exception):
            raise
        raise _failed(database, error, len(steps)) from error
    database.open()
    return kept


def kept_copies(ledger: Path) -> list[Path]:
    """Files from before a migration, the newest schema last."""
    found = ledger.parent.glob(f"{ledger.name}.before-v*")
    numbered = [(one.name.rpartition("-v")[2], one) for one in found]
    return [one for _, one in sorted((int(n), one) for n, one in numbered if n.isdigit())]


def rotate(ledger: Path, days: float = KEPT_DAYS) -> None:
    """Drops all but the newest of them, and that too once it is old."""
    *older, newest = kept_copies(ledger) or [ledger]
    if newest == ledger:
        return
    with suppress(OSError):
        if time.time() - newest.stat().st_mtime > days * 86_400:
            older.append(newest)
        _drop(*older)


def _migrated(copy: Path, old: Database, steps: tuple[Migration, ...]) -> None:
    """Migrates the copy and holds it against the file it was made of."""
    counted, before = _counts(old), _problems_of_older(copy)
    fresh = Database(copy)
    fresh.open()
    try:
        migrate(fresh.connection, fresh.version, steps)
        after = _counts(fresh)
        if lost := [name for name, count in counted.items() if after.get(name) != count]:
            raise StoreError(f"{', '.join(lost)} would not have as many rows as before")
        problems = [one for one in verify(StoredContents(fresh)).problems if one not in before]
        if problems:
            raise StoreError(f"it would not verify: {problems[0]}")
        fresh.run("CHECKPOINT")
    finally:
        fresh.close()


def _problems_of_older(copy: Path) -> set[str]:
    """What did not verify before: a step is not to blame for that."""
    older = Database(copy)
    older.open()
    try:
        older.read_as_newest()
        return set(verify(StoredContents(older)).problems)
    finally:
        older.close()


def _counts(database: Database) -> dict[str, int]:
    tables = database.rows(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()"
    )
    counted: dict[str, int] = {}
    for (table,) in tables:
        if table not in _NO_COUNT:
            counted[table] = int((database.first(f'SELECT count(*) FROM "{table}"') or (0,))[0])
    return counted


def _swapped(database: Database, copy: Path, version: int) -> Path:
    """The copy in the file's place, and the file beside it; the database is closed then."""
    kept = database.path.with_name(f"{database.path.name}.before-v{version}")
    database.run("CHECKPOINT")
    database.close()
    if database.wal.exists() and database.wal.stat().st_size:
        # It belongs to the old file; beside the new one it would be replayed into it.
        raise StoreError("the write-ahead log could not be closed")
    _drop(kept)
    try:
        os.link(database.path, kept)
    except OSError:  # a disk without links: for a moment there is only this name
        database.path.rename(kept)
    os.utime(kept)
    copy.replace(database.path)
    return kept


def _failed(database: Database, error: Exception, version: int) -> StoreError:
    """What the person is told; the old file is in its place and open."""
    kept = database.path.with_name(f"{database.path.name}.before-v{version}")
    if not database.path.exists() and kept.exists():
        kept.rename(database.path)
    else:
        _drop(kept)
    if not database.is_open:
        database.open()
    why = getattr(error, "message", str(error)).strip().splitlines()[0].rstrip(".")
    full = is_full(error) or "disk is full" in why
    way = "Make room on the disk" if full else "See `ska migrate status`, keep a copy of the home"
    return StoreError(
        f"The ledger could not be brought from schema {database.version} to {version}: {why}. "
        "The old file is in its place, unchanged.",
        hint=f"{way}, then try again; the version that wrote it still opens it.",
    )


def _check_room(database: Database) -> None:
    """Refuses before anything is begun: a copy of the file is made beside it."""
    folder = database.path.parent
    needed = database.path.stat().st_size + _MARGIN
    if shutil.disk_usage(folder).free < needed:
        raise StoreError(
            f"The ledger must be brought from schema {database.version} to a newer one, which "
            f"takes {needed / 1e6:.0f} MB beside it; {free_text(folder)} are free in {folder}. "
            "Nothing was changed.",
            hint=f"Make room on the disk of {folder}, then try again.",
        )


def _wal(file: Path) -> Path:
    return file.with_name(file.name + ".wal")


def _drop(*files: Path) -> None:
    for file in files:
        file.unlink(missing_ok=True)
