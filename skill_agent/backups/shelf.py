"""A folder with backups: what lies in it, which one is meant, putting one there, removing one.

Each backup is a folder of its own with three files at most, so it may be copied anywhere as it is.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from skill_agent.errors import NotFound, StoreError, UsageError
from skill_agent.files.home import Home
from skill_agent.settings.schema import BackupSettings
from skill_agent.text.nearest import did_you_mean
from skill_agent.values import Backup

from .manifest import SUMMARY, read_summary

_LED, _UNFINISHED = "backup-", ".unfinished"
_LOCK = ".backups.lock"
_WAIT_S = 600


def folder_of(home: Home, settings: BackupSettings) -> Path:
    """Where a home's backups lie; raises UsageError for a folder within the home."""
    chosen = Path(settings.folder).expanduser() if settings.folder else home.backups
    return checked_folder(home, chosen)


def checked_folder(home: Home, folder: Path) -> Path:
    """The folder as an absolute path; raises UsageError for one that is lost with the home."""
    whole = folder.expanduser().absolute()
    if whole.resolve().is_relative_to(home.root.resolve()):
        raise UsageError(
            f"{whole} lies in the home, and would be lost with it",
            hint=f"choose a folder elsewhere, best on another disk; unless told: {home.backups}",
        )
    return whole


class Shelf:
    """The backups in one folder, of whatever homes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self, home: Home | None = None) -> list[Backup]:
        """Newest first, `home`'s alone if one is named; what is no whole backup is passed over."""
        found: list[Backup] = []
        for folder in self._folders():
            with suppress(StoreError):
                found.append(read_summary(folder).backup(folder))
        mine = [one for one in found if home is None or one.home == str(home.root)]
        return sorted(mine, key=lambda one: (one.at, one.id), reverse=True)

    def one(self, which: str, home: Home | None = None) -> Backup:
        """By path, or as `named`; raises NotFound."""
        if os.sep in which:
            folder = Path(which).expanduser().absolute()
            return read_summary(folder).backup(folder)
        return self.named(which, home)

    def named(self, which: str, home: Home | None = None) -> Backup:
        """By its id or the beginning of that; `latest`, or nothing, is the newest of a home's.

        Raises NotFound.
        """
        there = self.all()
        mine = [one for one in there if home is None or one.home == str(home.root)]
        if not there:
            raise NotFound(f"there is no backup in {self.folder}", hint="ska backup create")
        return chosen(which, there, mine or there)

    @contextmanager
    def new(self, at: datetime) -> Iterator[Path]:
        """A folder to put a backup's files into, which appears with all of them on the disk under
        its own name, or not at all. Whoever else puts one here waits."""
        with self._alone():
            name = self._free(f"{_LED}{at.astimezone(UTC):%Y%m%dT%H%M%SZ}")
            making = self.folder / f".{name}{_UNFINISHED}"
            making.mkdir(mode=0o700)
            try:
                yield making
                for file in making.iterdir():
                    sync(file)
                sync(making)
                making.rename(self.place_of(making))
                sync(self.folder)
            finally:
                shutil.rmtree(making, ignore_errors=True)

    def place_of(self, making: Path) -> Path:
        """Where a folder of `new` appears."""
        return self.folder / making.name.removeprefix(".").removesuffix(_UNFINISHED)

    def remove(self, backups: Sequence[Backup]) -> None:
        """Each at once: half a backup is never there under a name of its own."""
        if not backups:
            return
        with self._alone():
            for one in backups:
                going = one.path.with_name(f".{one.id}{_UNFINISHED}")
                one.path.rename(going)
                shutil.rmtree(going)

    def _folders(self) -> list[Path]:
        try:
            return [
                one
                for one in sorted(self.folder.iterdir())
                if not one.name.startswith(".") and (one / SUMMARY).is_file()
            ]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(
                f"{self.folder} cannot be read: {error.strerror or error}",
                hint="name another folder: --to DIR, or [backup] folder in config.toml",
            ) from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process makes or removes a backup here, and leftovers of a crash are gone."""
        from filelock import FileLock, Timeout

        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = FileLock(self.folder / _LOCK, timeout=_WAIT_S, mode=0o600, thread_local=False)
            with lock:
                for rest in self.folder.glob(f".{_LED}*{_UNFINISHED}"):
                    shutil.rmtree(rest)
                yield
        except Timeout:
            raise StoreError(f"another backup is being made in {self.folder}") from None
        except (FileExistsError, NotADirectoryError):
            raise UsageError(
                f"{self.folder} can be no folder: a file stands there",
                hint="name another folder: --to DIR, or [backup] folder in config.toml",
            ) from None
        except OSError as error:
            raise StoreError(
                f"{error.filename or self.folder} cannot be written: {error.strerror or error}",
                hint="make room there, or name another folder: --to DIR, or [backup] folder in "
                "config.toml",
            ) from None

    def _free(self, name: str) -> str:
        number, free = 1, name
        while (self.folder / free).exists():
            number += 1
            free = f"{name}-{number}"
        return free


def chosen(which: str, there: Sequence[Backup], mine: Sequence[Backup] = ()) -> Backup:
    """The one a person means among those there are, newest first; `latest` is that of `mine`."""
    mine = mine or there
    if which in ("", "latest") and mine:
        return mine[0]
    matching = [one for one in there if one.id == which] or [
        one for one in there if which and one.id.startswith((which, f"{_LED}{which}"))
    ]
    if len(matching) == 1:
        return matching[0]
    if matching:
        several = ", ".join(one.id for one in matching[:5])
        raise NotFound(f"{which!r} may be {several}", hint="ska backup list")
    near = did_you_mean(which, [one.id for one in there])
    raise NotFound(f"there is no backup {which!r}", hint=near or "ska backup list")


def sync(path: Path) -> None:
    """Makes a file, or the names in a folder, durable; Windows syncs no folders."""
    if os.name != "posix" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
