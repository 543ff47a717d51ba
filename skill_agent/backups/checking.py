"""Opening a backup: every digest, then the ledger in it by the database that wrote it.

Blocking. The backup itself is only read.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from skill_agent.errors import StoreError
from skill_agent.files.home import Home
from skill_agent.ports import LedgerCopies
from skill_agent.values import Backup, BackupCheck, VerifyReport

from .archive import Told, unpack
from .contents import stored
from .manifest import Content, Summary, read_summary
from .sealing import unseal


def checked(
    backup: Backup, copies: LedgerCopies, *, passphrase: str = "", told: Told, work: Path | None
) -> BackupCheck:
    """What a backup is good for; only a wrong or missing passphrase raises (UsageError).

    `work` is the folder it is unpacked in for that time; None is the system's own.
    """
    found = BackupCheck(id=backup.id, path=backup.path)
    with _room(work) as room:
        try:
            content = unpacked(backup, room / "home", copies, passphrase=passphrase, told=told)
            report = verified(room / "home", room, copies)
        except StoreError as error:
            return replace(found, problems=(error.message,))
        except OSError as error:
            return replace(found, problems=(f"it cannot be read: {error}",))
    return replace(
        found,
        files=len(content.files),
        rows=report.rows,
        memories=report.memories,
        messages=report.messages,
        problems=report.problems,
    )


def unpacked(
    backup: Backup, to: Path, copies: LedgerCopies, *, passphrase: str, told: Told
) -> Content:
    """The files of a backup in a new folder, each as its digest says, and the ledger as far as the
    summary says. Raises StoreError for anything else, UsageError for a wrong passphrase."""
    summary = read_summary(backup.path)
    _check_parts(backup.path, summary)
    archive = backup.path / summary.archive.name
    if summary.encrypted:
        opened = to.with_name(f"{to.name}.{archive.stem}")
        opened.unlink(missing_ok=True)
        try:
            unseal(archive, opened, passphrase)
            content, listed = unpack(opened, to, told)
        finally:
            opened.unlink(missing_ok=True)
    else:
        content, listed = unpack(archive, to, told)
    place = Home(to).ledger
    if not place.is_file():
        raise StoreError("it holds no ledger", hint="choose another backup")
    head = copies.head(place)
    if not head == listed == summary.head:
        raise StoreError(
            f"its ledger ends at row {head.seq}, and should at {summary.head.seq}, with the same "
            "hash and schema",
            hint="choose another backup",
        )
    return content


def verified(home: Path, room: Path, copies: LedgerCopies) -> VerifyReport:
    """The ledger of an unpacked home, read from end to end in a copy of its own within a room, for
    an older one is migrated by that."""
    place = Home(home).ledger
    with tempfile.TemporaryDirectory(prefix=".ledger.looked-at-", dir=room) as name:
        copy = Path(name) / place.name
        _copy(place, copy)
        return copies.verify(copy)


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def _check_parts(folder: Path, summary: Summary) -> None:
    for part in summary.parts:
        try:
            same = stored(folder / part.name, part.name) == part
        except OSError as error:
            raise StoreError(
                f"{part.name} cannot be read: {error.strerror or error}",
                hint="choose another backup",
            ) from None
        if not same:
            raise StoreError(f"{part.name} is not as it was written", hint="choose another backup")


@contextmanager
def _room(work: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="backup.looked-at-", dir=work) as name:
        yield Path(name)
