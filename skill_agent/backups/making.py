"""Making backups of an open home, and looking after them: the group of operations.

The ledger copies itself while turns go on; the rest is done in a thread. Nothing is packed or
encrypted anywhere but in the home's own `run` folder and in the backup.
"""

import asyncio
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from skill_agent import __version__
from skill_agent.errors import StoreError
from skill_agent.files.home import Home
from skill_agent.ports import Clock, Ledger, LedgerCopies, Progress
from skill_agent.privacy.signing import HomeKey
from skill_agent.settings.schema import BackupSettings
from skill_agent.text.checks import sound_moment, sound_path
from skill_agent.values import Backup, BackupCheck, LedgerHead, Pruned

from .archive import ARCHIVE, Told, pack
from .checking import checked
from .contents import copied, stored
from .manifest import SUMMARY, Content, StoredFile, Summary, read_summary
from .operations import BackupOperations, ListOfBackups
from .rotation import outlived
from .sealing import KEY, checked_passphrase, seal
from .shelf import Shelf, checked_folder, folder_of

Result = TypeVar("Result")

STAGING = "backup.making"
_PURGED = ("log.purged",)


class _GivenUp(Exception):
    """Whoever wanted it is gone."""


class Backups(BackupOperations):
    """The backups of one open home."""

    def __init__(
        self,
        *,
        home: Home,
        settings: BackupSettings,
        ledger: Ledger,
        copies: LedgerCopies,
        clock: Clock,
    ) -> None:
        self._home, self._settings = home, settings
        self._ledger, self._copies, self._clock = ledger, copies, clock
        self._one_at_a_time = asyncio.Lock()

    @property
    def shelf(self) -> Shelf:
        """Where the settings say; raises UsageError for a folder within the home."""
        return Shelf(folder_of(self._home, self._settings))

    # -- making ------------------------------------------------------------------------------

    async def create(self, *, passphrase: str = "", progress: Progress | None = None) -> Backup:
        """Raises StoreError where the folder cannot be written, UsageError for a passphrase that
        is too short."""
        made = await self._make(self.shelf, passphrase, progress)
        assert made is not None
        return made

    async def create_in(
        self, to: str, *, passphrase: str = "", progress: Progress | None = None
    ) -> Backup:
        shelf = Shelf(checked_folder(self._home, sound_path(to)))
        made = await self._make(shelf, passphrase, progress)
        assert made is not None
        return made

    async def create_daily(self, *, passphrase: str = "") -> Backup | None:
        """As `create`, and what is no longer kept goes; None where nothing has changed since the
        last one."""
        made = await self._make(self.shelf, passphrase, None, daily=True)
        await asyncio.to_thread(self._rotate)
        return made

    async def _make(
        self, shelf: Shelf, passphrase: str, progress: Progress | None, *, daily: bool = False
    ) -> Backup | None:
        if passphrase:
            checked_passphrase(passphrase)
        loop = asyncio.get_running_loop()

        def erased_since(head: LedgerHead) -> bool:
            rows = self._ledger.log(kinds=_PURGED, after=head.seq, limit=1)
            return bool(asyncio.run_coroutine_threadsafe(rows, loop).result())

        async with self._one_at_a_time:
            staging = self._home.run / STAGING
            await asyncio.to_thread(_emptied, staging)
            if progress is not None:
                progress(0, 0, "copying the ledger")
            try:
                copy = Home(staging / "home").ledger
                await self._ledger.backup(str(copy))

                def work(told: Told) -> Backup | None:
                    return self._packed(
                        shelf, staging, passphrase, told, daily=daily, erased=erased_since
                    )

                return await _in_thread(work, progress, "packing")
            finally:
                await asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True)

    def _packed(
        self,
        shelf: Shelf,
        staging: Path,
        passphrase: str,
        told: Told,
        *,
        daily: bool,
        erased: Callable[[LedgerHead], bool],
    ) -> Backup | None:
        """None where it is a daily one and says what the last one does."""
        folder = staging / "home"
        place = Home(folder).ledger
        head = self._copies.head(place)
        # What is exported from a restored copy is known by it as this home's own.
        HomeKey(self._home).make()
        content = copied(self._home, folder)
        at, digest = self._clock(), content.digest(without=place.name)
        if daily and self._is_said(shelf, head, digest):
            return None
        content = replace(content, files=(*content.files, stored(place, place.name)))
        with shelf.new(at) as making:
            parts = _put(content, head, staging, making, passphrase, told)
            summary = Summary(
                version=__version__,
                at=at,
                home=str(self._home.root),
                head=head,
                daily=daily,
                encrypted=bool(passphrase),
                parts=parts,
                content=digest,
            )
            (making / SUMMARY).write_text(summary.text(), "utf-8")
            (making / SUMMARY).chmod(0o600)
            if erased(head):
                raise StoreError(
                    "no backup was made: something was erased meanwhile, and it still held that",
                    hint="make it again: ska backup create",
                )
        return summary.backup(shelf.place_of(making))

    def _is_said(self, shelf: Shelf, head: LedgerHead, content: str) -> bool:
        for last in shelf.all(self._home)[:1]:
            with suppress(StoreError):
                summary = read_summary(last.path)
                return (summary.head, summary.content) == (head, content)
        return False

    def _rotate(self) -> None:
        own = [one for one in self.shelf.all(self._home) if one.daily]
        kept = self._settings
        self.shelf.remove(outlived(own, days=kept.keep_daily, weeks=kept.keep_weekly))

    # -- looking after -----------------------------------------------------------------------

    async def list(self) -> ListOfBackups:
        return await asyncio.to_thread(self.shelf.all, self._home)

    async def verify(
        self, backup_id: str, *, passphrase: str = "", progress: Progress | None = None
    ) -> BackupCheck:
        """Raises NotFound for an unknown id, UsageError for a passphrase that does not open it."""
        backup = await asyncio.to_thread(self.shelf.named, backup_id, self._home)

        def work(told: Told) -> BackupCheck:
            return checked(
                backup, self._copies, passphrase=passphrase, told=told, work=self._home.run
            )

        return await _in_thread(work, progress, "verifying")

    async def prune(self, *, before: datetime | None = None, dry_run: bool = False) -> Pruned:
        moment = None if before is None else sound_moment(before)
        return await asyncio.to_thread(
            pruned, self.shelf, self._home, self._settings, before=moment, dry_run=dry_run
        )

    def since(self, moment: datetime) -> ListOfBackups:
        """Those made after a moment, which may hold what was there then."""
        return [one for one in self.shelf.all(self._home) if one.at >= moment]


def pruned(
    shelf: Shelf,
    home: Home | None,
    settings: BackupSettings,
    *,
    before: datetime | None,
    dry_run: bool,
) -> Pruned:
    """Removes what is older than a moment, or without one what the settings do not keep; of one
    home, or of all that put their backups there."""
    there = shelf.all(home)
    if before is not None:
        going = [one for one in there if one.at < before]
    else:
        going = outlived(there, days=settings.keep_daily, weeks=settings.keep_weekly)
    if not dry_run:
        shelf.remove(going)
    kept = tuple(one for one in there if one not in going)
    return Pruned(dry_run=dry_run, removed=tuple(going), kept=kept)


def _put(
    content: Content, head: LedgerHead, staging: Path, making: Path, passphrase: str, told: Told
) -> tuple[StoredFile, ...]:
    """The archive, encrypted where there is a passphrase, in the new backup; its files."""
    if not passphrase:
        pack(staging / "home", content, head, making / ARCHIVE, told)
        names = [ARCHIVE]
    else:
        pack(staging / "home", content, head, staging / ARCHIVE, told)
        names = [seal(staging / ARCHIVE, making, passphrase).name, KEY]
    for name in names:
        (making / name).chmod(0o600)
    return tuple(stored(making / name, name) for name in names)


def _emptied(folder: Path) -> None:
    """Also of what a crash left."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "home").mkdir(parents=True, mode=0o700)


async def _in_thread(
    work: Callable[[Told], Result], progress: Progress | None, what: str
) -> Result:
    """Runs the work in a thread; who cancels it waits until it has given up."""
    loop, gone = asyncio.get_running_loop(), threading.Event()

    def told(done: int, total: int) -> None:
        if gone.is_set():
            raise _GivenUp
        if progress is not None:
            loop.call_soon_threadsafe(progress, done, total, what)

    running = asyncio.ensure_future(asyncio.to_thread(work, told))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        gone.set()
        await asyncio.gather(running, return_exceptions=True)
        raise
