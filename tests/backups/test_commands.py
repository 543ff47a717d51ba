"""`ska backup` as a person and a script call it."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from command_line import Ska, Terminal
from ska_processes import processes

from skill_agent.files.home import Home

PHRASE = "four words in a row"


@pytest.fixture(autouse=True)
def _no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SKA_BACKUP_PASSPHRASE", raising=False)


@pytest.fixture
def full(ska: Ska) -> Ska:
    assert ska("memory", "add", "The staging server is called heron").code == 0
    return ska


def secrets(*lines: str) -> dict[str, Any]:
    """A person at a terminal who types these passphrases."""
    return {"person": Terminal(()), "read_secret": Terminal(lines)}


def test_there_and_back_as_a_script_does_it(full: Ska, home: Home) -> None:
    made = full("backup", "create", "--json").json
    assert made["path"] == str(home.backups / made["id"]) and made["encrypted"] is False
    assert made["head"]["seq"] == 1 and len(made["head"]["hash"]) == 64
    assert full("backup", "list", "--json").json == [made]
    (check,) = full("backup", "verify", "--all", "--json").json
    assert (check["id"], check["problems"], check["memories"]) == (made["id"], [], 1)
    assert full("backup", "restore", made["id"], "--yes", "--json").json["id"] == made["id"]
    pruned = full("backup", "prune", "--dry-run", "--json").json
    assert (pruned["removed"], [one["id"] for one in pruned["kept"]]) == ([], [made["id"]])


def test_where_there_is_nothing(ska: Ska, home: Home) -> None:
    done = ska("backup", "create")
    assert done.code == 2 and "no skill-agent home" in done.err and not home.root.exists()
    assert ska("backup", "list", "--json").json == []
    for command in ("verify", "restore"):
        done = ska("backup", command)
        assert done.code == 2 and "no backup in" in done.err
    assert ska("backup", "verify", "--all").code == 0
    assert ska("backup", "prune").code == 0


def test_ids_by_their_beginning_and_what_is_meant(full: Ska, home: Home) -> None:
    made = full("backup", "create", "--json").json["id"]
    for which in (made, made[:-3], made.removeprefix("backup-")[:9], "latest", ""):
        assert full("backup", "verify", which).code == 0, which
    assert full("backup", "create").code == 0
    done = full("backup", "verify", "backup-")
    assert done.code == 2 and "may be" in done.err
    done = full("backup", "verify", "yesterday")
    assert done.code == 2 and "ska backup list" in done.err
    done = full("backup", "verify", str(home.root))
    assert done.code == 1 and "backup.json" in done.err


def test_another_folder(full: Ska, home: Home, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    made = Path(full("backup", "create", "--to", str(disk)).out.strip())
    assert made.parent == disk and full("backup", "list", "--json").json == []
    (listed,) = full("backup", "list", "--folder", str(disk), "--json").json
    assert listed["path"] == str(made)
    assert full("backup", "verify", "--folder", str(disk)).code == 0
    assert full("backup", "verify", str(made)).code == 0
    inside = full("backup", "create", "--to", str(home.root / "copies"))
    assert inside.code == 2 and "lost with it" in inside.err


def test_the_folder_of_the_settings(full: Ska, home: Home, tmp_path: Path) -> None:
    text = home.config.read_text().replace('# folder = ""', f'folder = "{tmp_path / "disk"}"')
    home.config.write_text(text)
    made = full("backup", "create", "--json").json
    assert Path(made["path"]).parent == tmp_path / "disk"
    home.config.write_text("not toml")
    done = full("backup", "list")
    assert done.code == 0 and "the default settings are used" in done.err


@pytest.mark.deep
def test_encrypted_with_a_passphrase_that_is_asked_for_twice(full: Ska, home: Home) -> None:
    pytest.importorskip("pyrage")
    done = full("backup", "create", "--encrypt", "--json", **secrets(PHRASE, PHRASE))
    assert done.code == 0 and done.json["encrypted"] is True
    folder = Path(done.json["path"])
    assert {one.name for one in folder.iterdir()} == {
        "backup.json", "home.tar.gz.age", "key.age",
    }  # fmt: skip
    assert b"agents.toml" not in b"".join(one.read_bytes() for one in folder.iterdir())
    assert full("backup", "verify", **secrets(PHRASE)).code == 0
    wrong = full("backup", "verify", **secrets("four words in a raw"))
    assert wrong.code == 2 and "the passphrase does not open" in wrong.err
    nobody = full("backup", "restore")
    assert nobody.code == 2 and "SKA_BACKUP_PASSPHRASE" in nobody.err
    assert full("backup", "restore", "--yes", **secrets(PHRASE)).code == 0
    assert full("memory", "verify").code == 0


def test_passphrases_that_are_none(full: Ska, tmp_path: Path) -> None:
    two = full("backup", "create", "--encrypt", **secrets(PHRASE, PHRASE + "!"))
    assert two.code == 2 and "two different" in two.err
    short = full("backup", "create", "--encrypt", **secrets("short"))
    assert short.code == 2 and "8 characters" in short.err
    nobody = full("backup", "create", "--encrypt")
    assert nobody.code == 2 and "--passphrase-file" in nobody.err
    (tmp_path / "empty").write_text("\n")
    empty = full("backup", "create", "--passphrase-file", str(tmp_path / "empty"))
    assert empty.code == 2 and "is empty" in empty.err
    missing = full("backup", "create", "--passphrase-file", str(tmp_path / "none"))
    assert missing.code == 2
    assert full("backup", "list", "--json").json == []


@pytest.mark.slow
def test_from_a_file_or_the_environment(
    full: Ska, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyrage")
    file = tmp_path / "phrase"
    file.write_text(f"{PHRASE}\n")
    assert full("backup", "create", "--passphrase-file", str(file), "--json").json["encrypted"]
    monkeypatch.setenv("SKA_BACKUP_PASSPHRASE", PHRASE)
    assert full("backup", "create", "--json").json["encrypted"]
    assert full("backup", "verify", "--all").code == 0


def test_damage_to_an_encrypted_one_is_no_wrong_passphrase(
    full: Ska, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyrage")
    monkeypatch.setenv("SKA_BACKUP_PASSPHRASE", PHRASE)
    folder = Path(full("backup", "create", "--json").json["path"])
    for name in ("key.age", "home.tar.gz.age"):
        good = (folder / name).read_bytes()
        (folder / name).write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        (check,) = full("backup", "verify", "--json").json
        assert check["problems"] == [f"{name} is not as it was written"]
        (folder / name).write_bytes(good)


@pytest.mark.deep
def test_age_alone_opens_it(full: Ska, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `age -d -i key.age` does: the passphrase opens the key, and the key the archive."""
    pyrage = pytest.importorskip("pyrage")
    monkeypatch.setenv("SKA_BACKUP_PASSPHRASE", PHRASE)
    folder = Path(full("backup", "create", "--json").json["path"])
    key = pyrage.passphrase.decrypt((folder / "key.age").read_bytes(), PHRASE).decode().strip()
    identity = pyrage.x25519.Identity.from_str(key)
    plain = pyrage.decrypt((folder / "home.tar.gz.age").read_bytes(), [identity])
    (tmp_path / "home.tar.gz").write_bytes(plain)
    said = subprocess.run(
        ["tar", "tzf", tmp_path / "home.tar.gz"], capture_output=True, text=True, check=True
    )
    assert {"manifest.json", "ledger.duckdb", "config.toml"} <= {*said.stdout.split()}


def test_pruning_asks_and_needs_a_yes_where_nobody_can_be_asked(full: Ska) -> None:
    assert full("backup", "create").code == 0
    later = "2036-01-01"
    assert full("backup", "prune", "--before", "2001-01-01").code == 0
    nobody = full("backup", "prune", "--before", later)
    assert nobody.code == 1 and "--yes" in nobody.err
    assert full("backup", "prune", "--before", later, person=Terminal(["n"])).code == 1
    dry = full("backup", "prune", "--before", later, "--dry-run", "--json").json
    assert len(dry["removed"]) == 1 and len(full("backup", "list", "--json").json) == 1
    wrong = full("backup", "prune", "--before", "yesterday")
    assert wrong.code == 2 and "is no time" in wrong.err
    done = full("backup", "prune", "--before", later, "--yes", "--json").json
    assert len(done["removed"]) == 1 and full("backup", "list", "--json").json == []


def test_a_purge_says_where_it_did_not_reach(full: Ska) -> None:
    memory = full("memory", "list", "--json").json[0]["id"]
    made = full("backup", "create", "--json").json["path"]
    done = full("memory", "forget", memory, "--purge", "--yes", "--json")
    assert done.code == 0 and done.json["backups"] == [made]
    assert made in done.err and "ska backup prune --before" in done.err


def test_status_and_doctor_tell_how_they_stand(full: Ska, home: Home) -> None:
    def finding(name: str) -> dict[str, str]:
        return next((one for one in full("doctor", "--json").json if one["id"] == name), {})

    assert full("status", "--json").json["last_backup"] is None
    assert finding("backup")["fix"] == "ska backup create"
    made = full("backup", "create", "--json").json
    assert full("status", "--json").json["last_backup"] == made["at"]
    assert "last backup" in full("status").out and "ago" in full("status").out
    full.clock.advance(days=0)
    assert made["path"] in finding("backup")["detail"]
    row = {"at": "2026-11-30T09:00:00Z", "problem": "the disk is full", "hint": "make room"}
    home.backup_failure.write_text(json.dumps(row))
    assert (finding("backup.daily")["level"], finding("backup.daily")["fix"]) == (
        "error", "make room",
    )  # fmt: skip


@pytest.mark.deep
def test_through_a_host_that_runs(home: Home, tmp_path: Path) -> None:
    with processes(home, tmp_path / "errors") as running:
        assert running.run("memory", "add", "The staging server is called heron").returncode == 0
        host = running.start("up", "--foreground")
        running.until_hosted_by(host)
        made = running.json("backup", "create")
        assert running.json("backup", "list") == [made] and running.hosted_by(host.pid)
        assert running.run("backup", "verify").returncode == 0
        held = running.run("backup", "restore", "--yes")
        assert held.returncode == 1 and "ska down" in held.stderr
        assert running.run("down").returncode == 0
        assert running.run("backup", "restore", "--yes").returncode == 0
        assert len(running.json("memory", "list")) == 1


# -- restic ------------------------------------------------------------------------------------


def test_without_restic_nothing_is_begun(full: Ska, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    done = full("backup", "create", "--to", "restic:/mnt/disk")
    assert done.code == 1 and "restic is not installed" in done.err
    assert full("backup", "create", "--to", "restic:").code == 2


@pytest.mark.deep
@pytest.mark.skipif(shutil.which("restic") is None, reason="restic is not installed")
def test_into_a_restic_repository_and_back(
    full: Ska, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = str(tmp_path / "repository")
    monkeypatch.setenv("RESTIC_PASSWORD", "restic's own")
    monkeypatch.setenv("RESTIC_CACHE_DIR", str(tmp_path / "cache"))
    done = full("backup", "create", "--to", f"restic:{repository}")
    assert done.code == 1 and f"restic --repo {repository} init" in done.err
    restic = ["restic", "--quiet", "--repo", repository]
    subprocess.run([*restic, "init"], check=True, env=os.environ)
    done = full("backup", "create", "--to", f"restic:{repository}")
    assert done.code == 0, done.err
    back = tmp_path / "back"
    subprocess.run([*restic, "restore", "latest", "--target", str(back)], check=True)
    (folder,) = back.iterdir()
    assert full("backup", "verify", str(folder)).code == 0
    assert full("backup", "restore", str(folder), "--yes").code == 0
    assert len(full("memory", "list", "--json").json) == 1
