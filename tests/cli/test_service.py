"""`ska service`: shown first, written only when agreed, and what is written means what it says."""

import os
import plistlib
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Ska, Terminal
from skill_agent.cli.host.autostart_units import MARK, this_platform, unit_for

from skill_agent.errors import UsageError
from skill_agent.files.home import Home

ODD = 'ho me%d "x" $HOME \\ é & <b>'

pytestmark = pytest.mark.skipif(this_platform() is None, reason="nothing starts hosts here")


@pytest.fixture(autouse=True)
def _own_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
def unit_file(home: Home) -> Path:
    platform = this_platform()
    assert platform
    return unit_for(platform, home).path


def test_a_script_sees_it_and_nothing_is_written(ska: Ska, unit_file: Path) -> None:
    done = ska("service", "install")
    assert done.code == 1
    assert MARK in done.out
    assert "hint: --yes" in done.err
    assert not unit_file.exists()


def test_it_is_shown_before_a_person_is_asked(ska: Ska, unit_file: Path) -> None:
    ska("service", "install")  # makes the home
    done = ska("service", "install", person=Terminal(["n"]))
    assert (done.code, unit_file.exists()) == (1, False)
    person = Terminal(["y"])
    done = ska("service", "install", person=person)
    assert done.code == 0, done.err
    assert str(unit_file) in person.asked[0]
    assert unit_file.read_text() == done.out
    assert stat.S_IMODE(unit_file.stat().st_mode) == 0o600
    assert ("systemctl" if this_platform() == "linux" else "launchctl") in done.err
    again = ska("service", "install")
    assert (again.code, again.out) == (0, "")
    assert "as it should be" in again.err


def test_another_homes_unit_is_replaced_and_a_strangers_is_not(ska: Ska, unit_file: Path) -> None:
    assert ska("service", "install", "--yes").code == 0
    other = ska("--home", str(ska.home.root / "other"), "service", "install", "--yes")
    assert other.code == 0, other.err
    assert "other" in unit_file.read_text()
    unit_file.write_text("[Unit]\nDescription=mine\n")
    for command in ("install", "remove"):
        done = ska("service", command, "--yes")
        assert done.code == 2
        assert "--force" in done.err
        assert unit_file.read_text() == "[Unit]\nDescription=mine\n"
    assert ska("service", "install", "--yes", "--force").code == 0
    assert MARK in unit_file.read_text()


def test_remove(ska: Ska, unit_file: Path) -> None:
    nothing = ska("service", "remove", "--yes")
    assert nothing.code == 0
    assert "there is no" in nothing.err
    ska("service", "install", "--yes")
    assert ska("service", "remove").code == 1
    assert unit_file.exists()
    done = ska("service", "remove", "--yes")
    assert (done.code, unit_file.exists()) == (0, False)
    assert "disable" in done.err or "bootout" in done.err


def test_a_folder_that_cannot_be_made_is_told(ska: Ska, tmp_path: Path) -> None:
    (tmp_path / "person").write_text("")
    done = ska("service", "install", "--yes")
    assert done.code == 2
    assert "Traceback" not in done.err


def test_the_other_platforms_can_be_printed_and_needs_no_home(ska: Ska) -> None:
    linux, macos = (ska("service", "show", "--platform", name) for name in ("linux", "macos"))
    assert linux.out.startswith(f"# {MARK}")
    assert plistlib.loads(macos.out.encode())["RunAtLoad"] is True
    assert not ska.home.exists
    assert ska("service", "show", "--platform", "beos").code == 2


def test_no_secret_enters(ska: Ska, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-abcdefghijklmnopqrstuvwx")
    for platform in ("linux", "macos"):
        assert "sk-abc" not in ska("service", "show", "--platform", platform).out


def test_launchd_starts_this_home_and_starts_it_again_when_it_fails(tmp_path: Path) -> None:
    home = Home(tmp_path / ODD)
    unit = unit_for("macos", home)
    agent = plistlib.loads(unit.text.encode())
    assert agent["EnvironmentVariables"] == {"SKILL_AGENT_HOME": str(home.root)}
    assert agent["ProgramArguments"][0] == sys.executable
    assert agent["ProgramArguments"][-2:] == ["up", "--foreground"]
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert agent["StandardErrorPath"] == str(home.logs / "host.log")
    assert unit.path.name == f"{agent['Label']}.plist"


def test_systemd_quotes_odd_paths(tmp_path: Path) -> None:
    text = unit_for("linux", Home(tmp_path / ODD)).text
    assert f'"SKILL_AGENT_HOME={tmp_path}/ho me%%d \\"x\\" $HOME \\\\ é & <b>"' in text
    assert f"EnvironmentFile=-{tmp_path}/ho me%%d " in text
    assert "Restart=on-failure" in text
    assert "PrivateTmp" not in text


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    file = tmp_path / "skill-agent.service"
    file.write_text(unit_for("linux", Home(tmp_path / ODD)).text)
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(file)],
        capture_output=True, text=True, timeout=60,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if file.name in line]
    assert said == []


@pytest.mark.parametrize("name", ["two\nlines", "\x1b[31m", "half\ud800"])
def test_a_path_no_unit_can_name(tmp_path: Path, name: str) -> None:
    for platform in ("linux", "macos"):
        with pytest.raises(UsageError, match="cannot name"):
            unit_for(platform, Home(tmp_path / name))
