"""Putting a backup in the place of a home, or beside it.

What is restored is made whole in a folder beside the home first, and checked there; then the old
home is renamed, and the new one. A kill at any moment leaves the one or the other whole under its
own name, or, for the moment between the two renames, both under names that say what they are.
"""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from skill_agent.errors import StoreError, UsageError
from skill_agent.files.home import Home
from skill_agent.ports import LedgerCopies
from skill_agent.values import Backup, BackupCheck

from .archive import Told, put_links
from .checking import unpacked, verified
from .shelf import sync


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did."""

    backup: Backup
    home: Path
    aside: Path | None
    """Where the home that was there lies now; None where there was none."""
    check: BackupCheck


def restore(
    backup: Backup,
    home: Home,
    copies: LedgerCopies,
    *,
    passphrase: str = "",
    told: Told,
    now: datetime,
) -> Restored:
    """Puts the backup in the place of the home, whose lock the caller holds.

    Models and logs stay where they are; the index grows again from the ledger. Raises StoreError
    for a backup that is not whole, before anything of the home was touched.
    """
    root = home.root.resolve()
    made, check = _made_ready(backup, Home(root), copies, passphrase=passphrase, told=told)
    left = _bring_along(Home(root), made)
    ready = Home(root).restored
    _drop(ready)
    made.root.rename(ready)
    sync(root.parent)
    aside = _move_aside(root, now)
    ready.rename(root)
    sync(root.parent)
    if aside is not None:
        for name in left:
            shutil.move(aside / name, root / name)
    return Restored(backup=backup, home=home.root, aside=aside, check=check)


def restore_beside(
    backup: Backup, to: Path, copies: LedgerCopies, *, passphrase: str = "", told: Told
) -> Restored:
    """Puts the backup into a folder of its own, as a home to look into; raises UsageError where
    something is there already."""
    to = to.expanduser().absolute()
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise UsageError(f"{to} is there already", hint="name a folder that is not there yet")
    made, check = _made_ready(backup, Home(to), copies, passphrase=passphrase, told=told)
    made.root.rename(to)
    sync(to.parent)
    return Restored(backup=backup, home=to, aside=None, check=check)


def _made_ready(
    backup: Backup, home: Home, copies: LedgerCopies, *, passphrase: str, told: Told
) -> tuple[Home, BackupCheck]:
    """The whole home of a backup, checked and on the disk, in a folder beside where it goes."""
    making = Home(home.root.with_name(f".{home.root.name}.restoring"))
    home.root.parent.mkdir(parents=True, exist_ok=True)
    _drop(making.root)
    try:
        content = unpacked(backup, making.root, copies, passphrase=passphrase, told=told)
        report = verified(making.root, making.root.parent, copies)
        if report.problems:
            raise StoreError(
                f"nothing was restored: the ledger in {backup.id} does not verify: "
                f"{report.problems[0]}",
                hint="ska backup verify --all, then choose another",
            )
        put_links(content, making.root)
        for folder in (making.skills, making.models, making.logs, making.run, making.drafts):
            if not folder.is_symlink():
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder, _, _ in os.walk(making.root):
            sync(Path(folder))
    except BaseException:
        _drop(making.root)
        raise
    check = BackupCheck(
        id=backup.id,
        path=backup.path,
        files=len(content.files),
        rows=report.rows,
        memories=report.memories,
        messages=report.messages,
    )
    return making, check


def _bring_along(home: Home, made: Home) -> list[str]:
    """Models by links to the same files, so that both homes are whole, and logs and the secrets of
    webhooks as copies; gives the names of what could not be linked and has to be moved once the new
    home is in place."""
    left: list[str] = []
    if home.webhook_secrets.is_file():
        shutil.copy2(home.webhook_secrets, made.webhook_secrets)
    for source, target, link in (
        (home.models, made.models, True),
        (home.logs, made.logs, False),
    ):
        if not source.exists():
            continue
        target.rmdir()
        if source.is_symlink():
            target.symlink_to(source.readlink())
            continue
        try:
            copy = os.link if link else shutil.copy2
            shutil.copytree(source, target, symlinks=True, copy_function=copy)
        except (OSError, shutil.Error):
            _drop(target)
            left.append(source.name)
    return left


def _move_aside(root: Path, now: datetime) -> Path | None:
    """Renames what is there; None where nothing is."""
    if not root.exists() or not any(root.iterdir()):
        return None
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    aside, number = root.with_name(f"{root.name}.before-restore-{stamp}"), 1
    while aside.exists():
        number += 1
        aside = root.with_name(f"{root.name}.before-restore-{stamp}-{number}")
    try:
        root.rename(aside)
    except OSError as error:
        raise StoreError(
            f"nothing was restored: {root} cannot be renamed: {error.strerror or error}",
            hint="if it is a mount point: ska backup restore --to DIR, then copy what is in DIR",
        ) from None
    return aside


def _drop(folder: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)
