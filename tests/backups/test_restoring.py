"""Putting a backup back: checked first, the old home kept, and whole at every moment."""

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from command_line import Done, Ska, Terminal
from skill_agent.cli.opening.home_files import init_home
from skill_agent.store.duckdb_ledger.copies import DuckCopies
from skill_agent.store.lock import HomeLock

from skill_agent.backups.archive import ARCHIVE, pack, unpack
from skill_agent.backups.contents import copied, stored
from skill_agent.backups.manifest import Content, Summary
from skill_agent.backups.restoring import restore, restore_beside
from skill_agent.backups.shelf import Shelf
from skill_agent.errors import StoreError, UsageError
from skill_agent.files.home import Home
from skill_agent.values import Backup

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)


def backed_up(ska: Ska) -> Backup:
    """A home with one memory, one turn and a few files, and its backup."""
    assert ska("memory", "add", "The staging server is called heron").code == 0
    assert ska("ask", "Hello").code == 0
    ska.home.rules.write_text("kyra web_read:example.com\n")
    (ska.home.models / "kv").mkdir(exist_ok=True)
    (ska.home.models / "big.gguf").write_text("weights")
    (ska.home.logs / "host.log").write_text("said before\n")
    (ska.home.drafts / "new.json").write_text("{}")
    assert ska("backup", "create").code == 0
    return Shelf(ska.home.backups).all()[0]


def memories(done: Done) -> list[str]:
    return [one["content"] for one in done.json]


def told(done: int, total: int) -> None:
    pass


def put_back(backup: Backup, home: Home):
    return restore(backup, home, DuckCopies(), told=told, now=NOW)


def asides(home: Home) -> list[Path]:
    return sorted(home.root.parent.glob(f"{home.root.name}.before-restore-*"))


def test_the_old_home_is_moved_aside_and_the_new_one_goes_on(ska: Ska, home: Home) -> None:
    backup = backed_up(ska)
    assert ska("memory", "add", "Written later").code == 0
    assert ska("memory", "search", "heron").code == 0
    home.rules.unlink()
    done = ska("backup", "restore", "--json")
    assert done.code == 0 and done.json["id"] == backup.id
    (aside,) = asides(home)
    assert done.json["aside"] == str(aside) and (aside / "ledger.duckdb").is_file()
    assert memories(ska("memory", "list", "--json")) == ["The staging server is called heron"]
    assert home.rules.read_text() == "kyra web_read:example.com\n"
    assert (home.drafts / "new.json").is_file()
    assert (home.logs / "host.log").read_text() == "said before\n"
    found = ska("memory", "search", "staging server", "--json")
    assert found.json[0]["content"] == "The staging server is called heron"
    assert ska("memory", "verify").code == 0
    assert ska("memory", "add", "And on it goes").code == 0
    old = ska("--home", str(aside), "memory", "list", "--json")
    assert sorted(memories(old)) == ["The staging server is called heron", "Written later"]


def test_models_are_the_same_files_in_both_homes(ska: Ska, home: Home) -> None:
    put_back(backed_up(ska), home)
    (aside,) = asides(home)
    assert (home.models / "big.gguf").samefile(aside / "models" / "big.gguf")
    assert not home.index.exists()
    assert {one.name for one in home.run.iterdir()} == {"drafts"}


def test_a_folder_of_models_that_is_a_link_stays_one(ska: Ska, home: Home, tmp_path: Path) -> None:
    backup = backed_up(ska)
    home.models.rename(tmp_path / "shared")
    home.models.symlink_to(tmp_path / "shared")
    put_back(backup, home)
    assert home.models.readlink() == tmp_path / "shared"


def test_a_home_behind_a_link(ska: Ska, home: Home, tmp_path: Path) -> None:
    backup = backed_up(ska)
    home.root.rename(tmp_path / "real")
    home.root.symlink_to(tmp_path / "real")
    done = put_back(backup, home)
    assert home.root.is_symlink() and done.aside and done.aside.parent == tmp_path
    assert ska("memory", "verify").code == 0


def test_a_machine_that_has_no_home_yet(ska: Ska, home: Home) -> None:
    backup = backed_up(ska)
    shutil.rmtree(home.root)
    assert ska("backup", "create").code == 2
    done = ska("backup", "restore", str(backup.path))
    assert done.code == 0 and asides(home) == []
    assert ska("memory", "verify").code == 0


def test_beside_nothing_of_the_home_is_touched(ska: Ska, home: Home, tmp_path: Path) -> None:
    backup = backed_up(ska)
    assert ska("memory", "add", "Written later").code == 0
    before = sorted(home.root.rglob("*"))
    to = tmp_path / "as-it-was"
    done = ska("backup", "restore", backup.id, "--to", str(to))
    assert done.code == 0 and done.out.strip() == str(to)
    assert sorted(home.root.rglob("*")) == before and asides(home) == []
    old = ska("--home", str(to), "memory", "list", "--json")
    assert memories(old) == ["The staging server is called heron"]
    again = ska("backup", "restore", backup.id, "--to", str(to))
    assert again.code == 2 and "is there already" in again.err


def test_a_held_home_is_left_alone(ska: Ska, home: Home) -> None:
    backed_up(ska)
    with HomeLock(home.lock, role="up"):
        done = ska("backup", "restore")
    assert done.code == 1 and "ska down" in done.err and "in use by process" in done.err
    assert asides(home) == [] and ska("memory", "verify").code == 0


def test_a_person_may_say_no(ska: Ska, home: Home) -> None:
    backed_up(ska)
    assert ska("backup", "restore", person=Terminal(["n"])).code == 1
    assert asides(home) == []
    assert ska("backup", "restore", person=Terminal(["y"])).code == 0
    assert len(asides(home)) == 1


# -- what is not whole -------------------------------------------------------------------------


def rewritten(backup: Backup, change: Callable[[dict[str, bytes]], None]) -> None:
    """The archive packed anew after a change, with a summary that believes it."""
    archive = backup.path / "home.tar.gz"
    with tarfile.open(archive) as tar:
        found = {one.name: tar.extractfile(one) for one in tar.getmembers()}
        files = {name: stream.read() for name, stream in found.items() if stream}
    change(files)
    with tarfile.open(archive, "w:gz") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    summary = json.loads((backup.path / "backup.json").read_text())
    part = stored(archive, archive.name)
    summary["parts"] = [{"name": part.name, "size": part.size, "sha256": part.sha256}]
    (backup.path / "backup.json").write_text(json.dumps(summary))


def relisted(files: dict[str, bytes], /, **more: object) -> None:
    listed = json.loads(files["manifest.json"])
    files["manifest.json"] = json.dumps({**listed, **more}).encode()


def drop_ledger(files: dict[str, bytes]) -> None:
    del files["ledger.duckdb"]


def change_settings(files: dict[str, bytes]) -> None:
    files["config.toml"] = files["config.toml"].replace(b"#", b"-", 1)


def list_anew(files: dict[str, bytes]) -> None:
    """The list as whoever made up the rest would write it."""
    rows = [
        {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in files.items()
        if name != "manifest.json"
    ]
    relisted(files, files=rows)


def changed_ledger(files: dict[str, bytes], statement: str, room: Path) -> None:
    place = room / "changed.db"
    place.write_bytes(files["ledger.duckdb"])
    with duckdb.connect(str(place)) as connection:
        connection.execute(statement)
    files["ledger.duckdb"] = place.read_bytes()
    place.unlink()
    list_anew(files)


def add_unlisted(files: dict[str, bytes]) -> None:
    files["skills/evil/SKILL.md"] = b"x"


def lead_outside(files: dict[str, bytes]) -> None:
    files["../outside"] = b"x"
    list_anew(files)


def link_outside(files: dict[str, bytes]) -> None:
    relisted(files, links={"../outside": "/etc"})


def no_list(files: dict[str, bytes]) -> None:
    del files["manifest.json"]


def another_head(files: dict[str, bytes]) -> None:
    listed = json.loads(files["manifest.json"])["ledger"]
    relisted(files, ledger={**listed, "seq": listed["seq"] + 1})


DAMAGES = [
    drop_ledger, change_settings, add_unlisted, lead_outside, link_outside, no_list, another_head,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
def test_a_backup_that_is_not_whole_changes_nothing(
    ska: Ska, home: Home, damage: Callable[[dict[str, bytes]], None]
) -> None:
    backup = backed_up(ska)
    rewritten(backup, damage)
    verified = ska("backup", "verify", "--json")
    assert verified.code == 1 and verified.json[0]["problems"]
    done = ska("backup", "restore")
    assert done.code == 1 and "error:" in done.err
    beside = {one.name for one in home.root.parent.iterdir()}
    assert beside <= {"home", "home-backups", "driver.py"}, beside
    assert ska("memory", "verify").code == 0


def test_a_ledger_that_does_not_verify_is_not_put_back(
    ska: Ska, home: Home, tmp_path: Path
) -> None:
    lie = "UPDATE memories SET content = 'The server is called crane'"
    rewritten(backed_up(ska), lambda files: changed_ledger(files, lie, tmp_path))
    assert ska("backup", "verify").code == 1
    done = ska("backup", "restore")
    assert done.code == 1 and "does not verify" in done.err and asides(home) == []


def test_a_newer_schema_is_refused_before_anything_moves(
    ska: Ska, home: Home, tmp_path: Path
) -> None:
    backup, newer = backed_up(ska), "UPDATE meta SET schema_version = 99"

    def change(files: dict[str, bytes]) -> None:
        changed_ledger(files, newer, tmp_path)
        relisted(files, ledger={**json.loads(files["manifest.json"])["ledger"], "schema": 99})

    rewritten(backup, change)
    summary = json.loads((backup.path / "backup.json").read_text())
    summary["head"]["schema"] = 99
    (backup.path / "backup.json").write_text(json.dumps(summary))
    done = ska("backup", "restore")
    assert done.code == 1 and "newer version" in done.err and asides(home) == []


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "home.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        entry = tarfile.TarInfo("manifest.json")
        entry.size = 60_000_000
        tar.addfile(entry, io.BytesIO(b"\0" * entry.size))
    with pytest.raises(StoreError, match="no whole archive"):
        unpack(archive, tmp_path / "out", told)


# -- older homes, and being cut short ----------------------------------------------------------


def test_a_home_of_the_first_version_is_restored_and_migrated(
    ska: Ska, home: Home, tmp_path: Path
) -> None:
    """A backup made when the ledger had its first schema: packed by hand from such a home."""
    old = Home(tmp_path / "old")
    with tarfile.open(Path(__file__).parent.parent / "upgrade" / "home-0.1.tar.xz") as tar:
        tar.extractall(old.root, filter="data")
    content = copied(old, tmp_path / "copy")
    place = Home(tmp_path / "copy").ledger
    shutil.copyfile(old.root / place.name, str(place))
    content = Content(files=(*content.files, stored(place, place.name)), links=content.links)
    head = DuckCopies().head(place)
    assert head.schema == 1
    folder = tmp_path / "backup-old"
    folder.mkdir()
    pack(tmp_path / "copy", content, head, folder / ARCHIVE, told)
    summary = Summary(
        version="0.1.0", at=NOW, home=str(home.root), head=head, daily=False, encrypted=False,
        parts=(stored(folder / ARCHIVE, ARCHIVE),), content="",
    )  # fmt: skip
    (folder / "backup.json").write_text(summary.text())
    assert ska("backup", "verify", str(folder)).code == 0
    assert ska("backup", "restore", str(folder)).code == 0
    assert ska("memory", "verify").code == 0
    assert len(ska("memory", "list", "--json").json) > 0


def test_between_the_two_renames_the_next_start_says_what_to_do(ska: Ska, home: Home) -> None:
    backup = backed_up(ska)
    restore_beside(backup, home.restored, DuckCopies(), told=told)
    home.root.rename(home.root.with_name("home.before-restore-x"))
    for command in (("memory", "list"), ("ask", "Hello"), ("status",), ("init",)):
        done = ska(*command)
        assert done.code == 1 and f"mv '{home.restored}' '{home.root}'" in done.err, command
    told_by_doctor = ska("doctor", "--json").json
    assert f"mv '{home.restored}'" in next(
        one["fix"] for one in told_by_doctor if one["id"] == "home"
    )
    assert not home.root.exists()
    with pytest.raises(StoreError, match="cut short"):
        init_home(home)
    home.restored.rename(home.root)
    assert ska("memory", "verify").code == 0


def test_a_restore_that_was_cut_short_may_be_done_again(ska: Ska, home: Home) -> None:
    backup = backed_up(ska)
    half = home.root.with_name(f".{home.root.name}.restoring")
    half.mkdir()
    (half / "config.toml").write_text("half")
    restore_beside(backup, home.restored, DuckCopies(), told=told)
    home.root.rename(home.root.with_name("home.before-restore-x"))
    done = ska("backup", "restore")
    assert done.code == 0
    assert not half.exists() and not home.restored.exists()
    assert ska("memory", "verify").code == 0


def test_a_file_in_the_way_is_not_replaced(ska: Ska, tmp_path: Path) -> None:
    backup = backed_up(ska)
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(UsageError):
        restore_beside(backup, tmp_path / "mine", DuckCopies(), told=told)
    assert (tmp_path / "mine").read_text() == "precious"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_folder_that_cannot_be_written_leaves_the_home(ska: Ska, home: Home) -> None:
    backed_up(ska)
    home.root.parent.chmod(0o500)
    try:
        assert ska("backup", "restore").code == 1
    finally:
        home.root.parent.chmod(0o700)
    assert ska("memory", "verify").code == 0
