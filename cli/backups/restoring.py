"""`ska backup restore`: a backup in the place of the home, or beside it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import HomeBusy, SkillAgentError
from skill_agent.files.home import Home

from ..options import JsonOption, YesOption
from ..output import emit_json, emit_text, narrate
from ..progress import Bar
from ..surroundings import Surroundings, on_this_machine
from .passphrase import PassphraseFileOption, known_passphrase
from .place import FolderOption, WhichArgument, shelf_of, when

if TYPE_CHECKING:
    from skill_agent.backups.restoring import Restored
    from skill_agent.values import Backup

    from ...store.lock import HomeLock


def register(app: typer.Typer) -> None:
    """Adds the command to the group."""
    app.command("restore")(restore)


def restore(
    ctx: typer.Context,
    which: WhichArgument = "latest",
    to: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Restore into a folder of its own, to look into."),
    ] = None,
    folder: FolderOption = None,
    passphrase_file: PassphraseFileOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put a backup in the place of the home; the home that is there is kept beside.

    The backup is read from end to end first: digests, the ledger's chain, its head. Nobody may
    hold the home meanwhile (`ska down`). The old one is renamed to HOME.before-restore-TIME and
    never deleted; models and logs stay in use, and the index grows again with the first search.

    With --to nothing of the home is touched: `ska --home DIR …` looks into what was restored.

    \b
    Examples:
      ska backup restore
      ska backup restore backup-20261130T090000Z
      ska backup restore --to ~/as-it-was && ska --home ~/as-it-was memory list
    """
    around = on_this_machine(ctx)
    backup = shelf_of(around.home, folder).one(which, around.home)
    passphrase = known_passphrase(around, passphrase_file, encrypted=backup.encrypted)
    if to is None and not _agreed(around, backup, yes=yes):
        narrate("nothing was restored")
        raise typer.Exit(1)
    done = _beside(backup, to, passphrase) if to else _in_place(around.home, backup, passphrase)
    if as_json:
        emit_json(_object(done))
        return
    _tell(done)


def _agreed(around: Surroundings, backup: "Backup", *, yes: bool) -> bool:
    """Asked of a person only: nothing is lost, for the old home is kept."""
    if yes or not around.home.exists:
        return True
    return around.confirm(f"Put {backup.id} of {when(backup)} in the place of {around.home.root}?")


def _in_place(home: Home, backup: "Backup", passphrase: str) -> "Restored":
    from skill_agent.backups.restoring import restore as put_back

    from ...store.duckdb_ledger.copies import DuckCopies
    from ...store.lock import HomeLock

    lock = HomeLock(home.lock, role="backup") if home.root.exists() else None
    if lock is not None and not lock.try_acquire():
        raise _busy(home, lock)
    try:
        with Bar("restoring", bytes_=True) as bar:
            return put_back(
                backup,
                home,
                DuckCopies(),
                passphrase=passphrase,
                told=lambda done, total: bar(done, total, backup.id),
                now=datetime.now(UTC),
            )
    except OSError as error:
        raise _refused(error) from None
    finally:
        if lock is not None:
            lock.release()


def _beside(backup: "Backup", to: Path, passphrase: str) -> "Restored":
    from skill_agent.backups.restoring import restore_beside

    from ...store.duckdb_ledger.copies import DuckCopies

    try:
        with Bar("restoring", bytes_=True) as bar:
            return restore_beside(
                backup, to, DuckCopies(), passphrase=passphrase,
                told=lambda done, total: bar(done, total, backup.id),
            )  # fmt: skip
    except OSError as error:
        raise _refused(error) from None


def _busy(home: Home, lock: "HomeLock") -> HomeBusy:
    from ..host.up import described

    holder = lock.holder()
    who = described(holder) if holder else "another process"
    return HomeBusy(
        f"nothing was restored: {home.root} is in use by {who}",
        pid=holder.pid if holder else None,
        hint="ska down, then the same again",
    )


def _refused(error: OSError) -> SkillAgentError:
    return SkillAgentError(
        f"restoring failed: {error.filename or ''}: {error.strerror or error}",
        hint="the home is as it was; see that there is room and that you may write beside it",
    )


def _object(done: "Restored") -> dict[str, object]:
    return {
        "id": done.backup.id,
        "home": done.home,
        "aside": done.aside,
        "at": done.backup.at,
        "files": done.check.files,
        "rows": done.check.rows,
        "memories": done.check.memories,
        "messages": done.check.messages,
    }


def _tell(done: "Restored") -> None:
    check = done.check
    narrate(
        f"restored {done.backup.id} of {when(done.backup)}: {check.rows} log rows, "
        f"{check.memories} memories, {check.messages} messages"
    )
    if done.aside is not None:
        narrate(f"the home that was there is kept: {done.aside}")
    emit_text(str(done.home))
