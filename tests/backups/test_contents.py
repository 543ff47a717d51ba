"""What of a home a backup holds: every path is named, and nothing else is forgotten."""

import os
from pathlib import Path

import pytest
from command_line import Ska

from skill_agent.backups.contents import KEPT, LEFT_OUT, copied
from skill_agent.errors import StoreError
from skill_agent.files.home import Home

WHOLE_HOMES_ELSEWHERE = {"root", "exists"}


def names(folder: Path) -> set[str]:
    return {
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if file.is_symlink() or not file.is_dir()
    }


def test_each_path_of_a_home_is_kept_or_left_out() -> None:
    paths = {name for name, one in vars(Home).items() if isinstance(one, property)}
    assert {*KEPT, *LEFT_OUT} == paths - WHOLE_HOMES_ELSEWHERE
    assert not {*KEPT} & {*LEFT_OUT}


def test_everything_a_used_home_holds_is_copied_but_what_can_be_made_again(
    ska: Ska, home: Home, tmp_path: Path
) -> None:
    assert ska("memory", "add", "The staging server is called heron").code == 0
    assert ska("ask", "Hello").code == 0
    assert ska("memory", "search", "heron").code == 0
    assert ska("keys", "create", "phone", "--scope", "read").code == 0
    assert ska("user", "export", str(tmp_path / "me.zip")).code == 0
    (home.root / "signing-keys.json").write_text("{}")
    (home.root / "host.env").write_text("OPENAI_API_KEY=x")
    home.rules.write_text("kyra web_read:example.com\n")
    home.templates.mkdir()
    (home.templates / "weekly.md").write_text("Sum the week up")
    script = home.skills / "mine" / "scripts" / "run.sh"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\n")
    script.chmod(0o700)
    (home.drafts / "new.json").write_text("{}")
    (home.run / "host.sock").write_text("")
    (home.logs / "host.log").write_text("said\n")
    (home.models / "big.gguf").write_text("weights")
    (home.root / ".api-keys.json.lock").write_text("")
    content = copied(home, tmp_path / "copy")
    expected = {
        "config.toml", "agents.toml", "approvals.txt", "api-keys.json", "signing.key",
        "signing-keys.json", "host.env", "exports.json", "templates/weekly.md",
        "skills/mine/scripts/run.sh", "run/drafts/new.json",
    }  # fmt: skip
    assert names(tmp_path / "copy") == expected == {one.name for one in content.files}
    left = {name.split("/")[0] for name in names(home.root) - expected}
    assert left == {
        "ledger.duckdb", "ledger.duckdb.anchor", "memory.lance", "models", "logs", "run",
        ".api-keys.json.lock",
    }  # fmt: skip
    assert os.access(tmp_path / "copy" / "skills/mine/scripts/run.sh", os.X_OK)


def test_a_link_to_a_file_is_that_file_and_one_to_a_folder_a_link(
    home: Home, tmp_path: Path
) -> None:
    home.skills.mkdir(parents=True)
    (tmp_path / "settings").write_text("[general]\n")
    home.config.symlink_to(tmp_path / "settings")
    (tmp_path / "elsewhere").mkdir()
    (home.skills / "shared").symlink_to(tmp_path / "elsewhere")
    content = copied(home, tmp_path / "copy")
    assert [one.name for one in content.files] == ["config.toml"]
    assert content.links == {"skills/shared": str(tmp_path / "elsewhere")}
    assert not (tmp_path / "copy" / "config.toml").is_symlink()


def test_pipes_are_passed_over(home: Home, tmp_path: Path) -> None:
    home.root.mkdir()
    os.mkfifo(home.root / "pipe")
    assert copied(home, tmp_path / "copy").files == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_cannot_be_read_makes_no_backup(home: Home, tmp_path: Path) -> None:
    home.root.mkdir()
    home.config.write_text("x")
    home.config.chmod(0)
    with pytest.raises(StoreError, match="no backup was made"):
        copied(home, tmp_path / "copy")


def test_the_digest_tells_content_apart_and_not_its_order(home: Home, tmp_path: Path) -> None:
    home.root.mkdir()
    home.config.write_text("a")
    first = copied(home, tmp_path / "1").digest(without="ledger.duckdb")
    assert copied(home, tmp_path / "2").digest(without="ledger.duckdb") == first
    home.config.write_text("b")
    assert copied(home, tmp_path / "3").digest(without="ledger.duckdb") != first
