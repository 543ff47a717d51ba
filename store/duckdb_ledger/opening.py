"""How a ledger is opened: whether it is all there, in the newest schema, held by its anchor.

Blocking; on the ledger's thread.
"""

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from skill_agent.errors import StoreError
from skill_agent.files.refusals import read_only
from skill_agent.identifiers import iso

from ..ledger.anchor import Anchors
from ..ledger.journal import DatabaseLost, Journal
from .database import Database
from .migrating import bring_up, rotate
from .placing import finish, index_aside
from .rewrite import owed
from .schema import NEWEST

_log = logging.getLogger("skill_agent.ledger")


class Opening:
    """One ledger's way in, and what is said of it outside while it is open."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        anchors: Anchors,
        clock: Callable[[], datetime],
        *,
        as_it_is: bool = False,
    ) -> None:
        self._as_it_is = as_it_is
        self._database, self._journal = database, journal
        self._anchors, self._clock = anchors, clock

    def open(self, made_anew: Callable[[], str]) -> None:
        """Also after a reopening that failed: the disk may have room again. Raises LedgerBehind,
        with the file closed and as it was, where rows are missing that were once on disk."""
        database = self._database
        if not database.only_reads:
            finish(self._anchors, self._clock())
        if not self._as_it_is:
            self._anchors.check_there()
        self._open_file()
        self.reload()
        if database.only_reads:
            return
        try:
            if database.version < NEWEST:
                _log.info("schema %d kept as %s", database.version, bring_up(database).name)
                self.reload()
            rotate(database.path)
            if owed(database) and (problem := made_anew()):
                database.warnings.append(problem)
        except BaseException:
            database.close()
            raise
        if self._anchors.damaged:
            _log.warning("%s could not be read, and is made anew", self._anchors.file.name)
        self.hold()

    def _open_file(self) -> None:
        """A new file that cannot be made whole is not left behind: it would never open."""
        path = self._database.path
        fresh = not self._database.only_reads and not os.path.lexists(path)
        try:
            self._database.open()
        except StoreError:
            if fresh:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
                    self._database.wal.unlink(missing_ok=True)
            raise

    def reload(self) -> None:
        """Reads the head again, and looks whether the log still reaches its anchor."""
        before = self._journal.head
        try:
            with self._database.explained("be opened"):
                self._journal.load_head()
                anchor = self._anchors.read()
                stored = self._hash_at(anchor.seq) if anchor else None
            if self._as_it_is:
                return
            self._anchors.check(self._journal.head, stored)
            if before.seq and self._journal.head.seq >= before.seq:
                # This process knows all it acknowledged: the rest of the log never was.
                self._database.drop_kept()
        except BaseException as error:
            with suppress(StoreError):
                self._database.close()
            if isinstance(error, DatabaseLost):
                raise self._database.in_words(error, "be opened") from error
            raise

    def accept(self) -> None:
        """Forgets what was known of the log's end, and sets aside an index that knows more."""
        self._anchors.remove()
        index_aside(self._anchors, self._clock())
        self._as_it_is = False
        self.hold()

    def hold(self, *, closing: bool = False) -> None:
        """Anchors what is on disk by now."""
        head = self._journal.head
        if self._database.only_reads or self._anchors.holds(head, closing=closing):
            return
        self._anchors.write(head, at=iso(self._clock()), schema=NEWEST, closing=closing)

    def close(self) -> None:
        """Closes the file, then says for good how far it goes."""
        was_open = self._database.is_open
        self._database.close()
        if was_open:
            self.hold(closing=True)

    def _hash_at(self, seq: int) -> str | None:
        row = self._database.first("SELECT hash FROM log WHERE seq = ?", [seq])
        return row[0] if row else None


def told(database: Database) -> tuple[str, ...]:
    """Sentences for the person about what was met while opening, and what lies aside since."""
    kept = [f"{one.name} is kept aside" for one in damaged_files(database.path)]
    known = {name for line in database.warnings for name in line.split()}
    aside = tuple(
        f"{line}, from when something was found damaged. Delete it once nothing is missed."
        for line in kept
        if line.split()[0] not in known and f"{line.split()[0]}." not in known
    )
    reads = (read_only(database.path.parent).message,) if database.only_reads else ()
    return (*database.warnings, *aside, *reads)


def damaged_files(ledger: Path) -> list[Path]:
    """What was found damaged and is kept beside a ledger."""
    return sorted(ledger.parent.glob(f"{ledger.name}*.damaged-*"))
