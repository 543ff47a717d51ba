"""kill -9 at any moment of making or restoring a backup: what is there is whole."""

import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from ska_processes import Processes, processes

from skill_agent.files.home import Home

KILLS = 20

pytestmark = pytest.mark.deep


def filled(running: Processes, tmp_path: Path) -> None:
    rows = "".join(f'{{"content": "Fact number {n} of the garden"}}\n' for n in range(3_000))
    (tmp_path / "rows.jsonl").write_text(rows)
    assert running.run("memory", "import", str(tmp_path / "rows.jsonl"), "--yes").returncode == 0


def killed_within(running: Processes, seconds: float, *arguments: str) -> bool:
    """Whether the command was killed before it ended by itself."""
    process = running.start(*arguments)
    time.sleep(seconds)
    ended = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return not ended


def seconds_of(running: Processes, *arguments: str) -> float:
    began = time.monotonic()
    assert running.run(*arguments).returncode == 0
    return time.monotonic() - began


def test_killed_while_making_one(home: Home, tmp_path: Path) -> None:
    chance = random.Random(7)
    with processes(home, tmp_path / "errors") as running:
        filled(running, tmp_path)
        whole = seconds_of(running, "backup", "create")
        killed = sum(
            killed_within(running, chance.uniform(0, whole), "backup", "create")
            for _ in range(KILLS)
        )
        assert killed > 0
        assert running.run("backup", "verify", "--all").returncode == 0
        assert running.run("backup", "create").returncode == 0
        assert running.run("memory", "verify").returncode == 0
        left = [one.name for one in home.backups.iterdir() if one.name.startswith(".")]
        assert left in ([], [".backups.lock"]) and not (home.run / "backup.making").exists()
        print(f"{killed} kills; {len(running.json('backup', 'list'))} whole backups")


def test_killed_while_restoring(home: Home, tmp_path: Path) -> None:
    chance, seen = random.Random(11), {"old": 0, "new": 0, "between": 0}
    with processes(home, tmp_path / "errors") as running:
        filled(running, tmp_path)
        assert running.run("backup", "create").returncode == 0
        whole = seconds_of(running, "backup", "restore", "--yes")
        for _ in range(KILLS):
            assert running.run("memory", "add", "Written later").returncode == 0
            killed_within(running, chance.uniform(whole / 3, whole), "backup", "restore", "--yes")
            between = not home.root.exists()
            if between:
                said = running.run("memory", "list")
                assert said.returncode == 1 and f"mv '{home.restored}'" in said.stderr
                home.restored.rename(home.root)
            assert running.run("memory", "verify").returncode == 0
            old = running.json("memory", "list", "--limit", "1")[0]["content"] == "Written later"
            seen["between" if between else "old" if old else "new"] += 1
            assert not (between and old)
            for aside in home.root.parent.glob("home.before-restore-*"):
                shutil.rmtree(aside)
        assert running.run("backup", "restore", "--yes").returncode == 0
        left = {one.name for one in home.root.parent.iterdir() if "rest" in one.name}
        assert {name.split("-2")[0] for name in left} == {"home.before-restore"}
        print(f"after {KILLS} kills: {seen}")
