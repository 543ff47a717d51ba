"""`ska backup create|list|verify|prune`; restoring stands in `restoring`."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent.errors import NotFound, UsageError
from skill_agent.values import NewWork

from ..jobs.leaving import DetachOption, check_detached, left_behind, told_left
from ..opening.running import run_with
from ..options import JsonOption, YesOption, group
from ..output import emit_json, emit_text, narrate, plain, table
from ..progress import Bar
from ..surroundings import Surroundings, on_this_machine, surroundings
from .passphrase import PassphraseFileOption, known_passphrase, new_passphrase
from .place import FolderOption, WhichArgument, backup_settings, moment, shelf_of, size, when
from .restoring import register

if TYPE_CHECKING:
    from skill_agent.values import Backup, BackupCheck, Pruned, Work
    from skill_agent.workstation import Workstation

app = group("Make backups of the home, look through them, and restore one.")


@app.command()
def create(
    ctx: typer.Context,
    to: Annotated[
        str,
        typer.Option(
            metavar="DIR|restic:REPO", help="Put it there, and not where it usually goes."
        ),
    ] = "",
    encrypt: Annotated[
        bool, typer.Option("--encrypt", help="Ask for a passphrase and encrypt with it.")
    ] = False,
    passphrase_file: PassphraseFileOption = None,
    detach: DetachOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a backup of the home, while it is in use.

    It holds everything but models, logs and the index, which are fetched or made again: the ledger
    as of one moment, settings, agents, skills, keys, rules, templates, drafts. It lies in a folder
    of its own below `[backup] folder` of config.toml, unless told HOME-backups beside the home; a
    host that stays open makes one a day by itself. Best is another disk: --to, or that setting.

    Encrypted with age, where a passphrase comes from --passphrase-file, SKA_BACKUP_PASSPHRASE or,
    with --encrypt, from you; without it nobody can read the backup again. With --detach the host
    (`ska up`) makes one that is not encrypted, in the background: see `ska work`.

    \b
    Examples:
      ska backup create
      ska backup create --to /mnt/disk/backups --encrypt
      RESTIC_PASSWORD_FILE=~/.restic ska backup create --to restic:/mnt/disk/repository
    """
    around = surroundings(ctx)
    if to or not around.api:
        on_this_machine(ctx)
        _check_there(around)
    check_detached(around, detach=detach)
    passphrase = new_passphrase(around, passphrase_file, encrypt=encrypt)
    if detach:
        told_left(_left(around, to, passphrase), as_json=as_json)
        return
    if to.startswith("restic:"):
        made = _to_restic(around, to, passphrase)
    else:
        made = _made(around, str(Path(to).expanduser().absolute()) if to else "", passphrase)
    if as_json:
        emit_json(plain(made))
        return
    told = ", encrypted" if made.encrypted else ""
    narrate(f"{size(made.size)}{told}, up to log row {made.head.seq}")
    emit_text(str(made.path) if not to.startswith("restic:") else to)


def _check_there(around: Surroundings) -> None:
    """A home is not made for the sake of a backup."""
    if not around.home.exists:
        raise NotFound(
            f"there is no skill-agent home at {around.home.root}",
            hint="ska init; or, if there is a backup of one: ska backup restore",
        )


def _left(around: Surroundings, to: str, passphrase: str) -> "Work":
    """Raises UsageError for what the host cannot do alone."""
    if passphrase or to.startswith("restic:"):
        raise UsageError(
            "--detach goes with neither a passphrase, which is kept nowhere, nor restic",
            hint="leave --detach out",
        )
    folder = str(Path(to).expanduser().absolute()) if to else ""
    new = NewWork(kind="backup", payload={"to": folder})
    return run_with(
        around, lambda station: left_behind(station, new, files=bool(to)), role="backup"
    )


def _made(around: Surroundings, to: str, passphrase: str) -> "Backup":
    async def work(station: "Workstation") -> "Backup":
        with Bar("backing up", bytes_=True) as bar:
            if to:
                return await station.backups.create_in(to, passphrase=passphrase, progress=bar)
            return await station.backups.create(passphrase=passphrase, progress=bar)

    return run_with(around, work, role="backup")


def _to_restic(around: Surroundings, target: str, passphrase: str) -> "Backup":
    import tempfile

    from .restic import checked_repository, hand_over

    repository = checked_repository(target)
    room = Path(tempfile.mkdtemp(prefix="skill-agent-backup-"))
    try:
        made = _made(around, str(room), passphrase)
        hand_over(made.path, repository)
    finally:
        shutil.rmtree(room, ignore_errors=True)
    return made


@app.command("list")
def list_(ctx: typer.Context, folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """List the backups, newest first.

    \b
    Examples:
      ska backup list
      ska backup list --folder /mnt/disk/backups
      ska backup list --json | jq '.[0].at'
    """
    around = surroundings(ctx)
    if around.api and folder is None:
        found = run_with(around, lambda station: station.backups.list(), role="backup")
    else:
        found = shelf_of(on_this_machine(ctx).home, folder).all()
    if as_json:
        emit_json([plain(one) for one in found])
        return
    table(
        ("id", "made", "size", "log row", "encrypted", "by", "home", "where"),
        (
            (
                one.id, when(one), size(one.size), one.head.seq, "yes" if one.encrypted else "no",
                "the host" if one.daily else "you", one.home, one.path.parent,
            )
            for one in found
        ),
        empty="no backups yet: ska backup create",
    )  # fmt: skip


@app.command()
def verify(
    ctx: typer.Context,
    which: WhichArgument = "latest",
    all_: Annotated[bool, typer.Option("--all", help="Every backup there is.")] = False,
    folder: FolderOption = None,
    passphrase_file: PassphraseFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a backup from end to end: digests, the ledger's chain, its head.

    \b
    Examples:
      ska backup verify
      ska backup verify --all --json
      ska backup verify /mnt/disk/backups/backup-20261130T090000Z

    \b
    Exit codes: 0 each can be restored, 1 one cannot.
    """
    around = surroundings(ctx)
    if around.api and folder is None:
        checks = run_with(around, lambda station: _verified_there(around, station, which, all_=all_,
                          file=passphrase_file), role="backup")  # fmt: skip
    else:
        shelf = shelf_of(on_this_machine(ctx).home, folder)
        there = shelf.all() if all_ else [shelf.one(which, around.home)]
        checks = [_verified(around, one, passphrase_file) for one in there]
    if as_json:
        emit_json([plain(one) for one in checks])
    else:
        _tell_checks(checks)
    if any(one.problems for one in checks):
        raise typer.Exit(1)


def _verified(around: Surroundings, backup: "Backup", file: Path | None) -> "BackupCheck":
    from skill_agent.backups.checking import checked

    from ...store.duckdb_ledger.copies import DuckCopies

    passphrase = known_passphrase(around, file, encrypted=backup.encrypted)
    run = around.home.run
    with Bar("verifying", bytes_=True) as bar:
        return checked(
            backup, DuckCopies(), passphrase=passphrase, work=run if run.is_dir() else None,
            told=lambda done, total: bar(done, total, backup.id),
        )  # fmt: skip


async def _verified_there(
    around: Surroundings, station: "Workstation", which: str, *, all_: bool, file: Path | None
) -> "list[BackupCheck]":
    from skill_agent.backups.shelf import chosen

    there = await station.backups.list()
    wanted = there if all_ else [chosen(which, there)]
    found: list[BackupCheck] = []
    for one in wanted:
        passphrase = known_passphrase(around, file, encrypted=one.encrypted)
        with Bar("verifying", bytes_=True) as bar:
            found.append(await station.backups.verify(one.id, passphrase=passphrase, progress=bar))
    return found


def _tell_checks(checks: "list[BackupCheck]") -> None:
    for one in checks:
        if one.problems:
            emit_text(f"{one.id}: damaged: {'; '.join(one.problems[:3])}")
        else:
            emit_text(
                f"{one.id}: whole: {one.files} files, {one.rows} log rows, {one.memories} "
                f"memories, {one.messages} messages"
            )
    if not checks:
        narrate("no backups yet: ska backup create")


@app.command()
def prune(
    ctx: typer.Context,
    before: Annotated[
        str, typer.Option(metavar="TIME", help="Remove every backup made before this.")
    ] = "",
    folder: FolderOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be removed, remove nothing.")
    ] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Remove backups of this home: those that the settings do not keep, or all before a time.

    Without --before the newest of each of the last 7 days and of the last 4 weeks stay
    (`[backup] keep_daily` and `keep_weekly`). What is to go is told first; with --before you are
    asked, and without a terminal --yes is needed.

    \b
    Examples:
      ska backup prune --dry-run
      ska backup prune --before 2026-11-30
    """
    around = surroundings(ctx)
    if before and not dry_run:
        _tell_pruned(planned := _pruned(ctx, around, before, folder, dry_run=True))
        if planned.removed and not yes and not around.confirm("Remove them?", default=False):
            narrate("kept" if around.interactive else "kept: nobody could be asked; use --yes")
            raise typer.Exit(1)
    done = _pruned(ctx, around, before, folder, dry_run=dry_run)
    if as_json:
        emit_json(_pruned_object(done))
        return
    if not before or dry_run:
        _tell_pruned(done)
    for one in done.removed:
        emit_text(one.id)


def _pruned(
    ctx: typer.Context, around: Surroundings, before: str, folder: Path | None, *, dry_run: bool
) -> "Pruned":
    until = moment(before) if before else None
    if around.api and folder is None:
        return run_with(
            around, lambda station: station.backups.prune(before=until, dry_run=dry_run),
            role="backup",
        )  # fmt: skip
    from skill_agent.backups.making import pruned

    home = on_this_machine(ctx).home
    return pruned(
        shelf_of(home, folder), home, backup_settings(home), before=until, dry_run=dry_run
    )


def _tell_pruned(done: "Pruned") -> None:
    said = "would go" if done.dry_run else "removed"
    narrate(f"{len(done.removed)} {said}, {len(done.kept)} stay")
    for one in done.removed:
        narrate(f"  {one.id}  {when(one)}  {size(one.size)}")


def _pruned_object(done: "Pruned") -> dict[str, Any]:
    return {
        "id": "prune",
        "dry_run": done.dry_run,
        "removed": [plain(one) for one in done.removed],
        "kept": [plain(one) for one in done.kept],
    }


register(app)
