"""Agents on outside programs, on the command line."""

import json
import sys
import tomllib
from pathlib import Path

import pytest
from command_line import Ska

from skill_agent.files.bundled import bundled_agents_path
from skill_agent.files.home import Home

PROGRAM = Path(__file__).parents[1] / "acp_client" / "scripted_agent.py"


@pytest.fixture
def team(home: Home, tmp_path: Path) -> Home:
    """A home whose settings know one more program."""
    home.root.mkdir()
    command = json.dumps([sys.executable, "-S", str(PROGRAM), str(tmp_path / "sent.jsonl")])
    home.config.write_text(
        f"[acp.programs.scripted]\ncommand = {command}\n"
        '[acp.programs.away]\ncommand = ["no-such-program"]\n'
    )
    home.agents.write_bytes(bundled_agents_path().read_bytes())
    return home


def test_an_agent_is_made_kept_and_shown(ska: Ska, team: Home) -> None:
    done = ska("agents", "new", "zed", "--acp", "scripted")
    assert (done.code, done.out) == (0, "zed\n")
    assert sys.executable in done.err
    written = team.agents.read_text()
    assert tomllib.loads(written)["agents"]["zed"]["runs"] == {"acp": "scripted"}
    assert "# " in written, "what stood there stays"
    shown = ska("agents", "show", "zed")
    assert "runs on" in shown.out
    assert "the program scripted" in shown.out
    assert ska("agents", "show", "zed", "--json").json["runs"] == {"acp": "scripted"}
    assert "acp/scripted" in ska("agents", "list").out
    assert ska("agents", "validate").code == 0


def test_one_that_is_not_here_says_how_to_get_it(ska: Ska, team: Home) -> None:
    done = ska("agents", "new", "far", "--acp", "away")
    assert done.code == 0
    assert "'no-such-program' is not on PATH yet" in done.err


def test_a_name_nobody_knows_is_told_the_nearest(ska: Ska, team: Home) -> None:
    done = ska("agents", "new", "zed", "--acp", "scriptd")
    assert (done.code, done.out) == (2, "")
    assert "scripted?" in done.err
    assert "here: " in done.err
    assert "zed" not in team.agents.read_text()


def test_it_is_asked_in_a_folder(ska: Ska, team: Home, tmp_path: Path) -> None:
    ska("agents", "new", "zed", "--acp", "scripted")
    work = tmp_path / "work"
    work.mkdir()
    done = ska("ask", "--in", str(work), "@zed", "plan look,mend | diff a.py | say Done.")
    assert (done.code, done.out) == (0, "Done.\n")
    assert "☑ look" in done.err
    assert "-a" in done.err.splitlines()
    assert "+b" in done.err.splitlines()
    assert "acp/scripted" in done.err
    sent = [json.loads(line) for line in (tmp_path / "sent.jsonl").read_text().splitlines()]
    (made,) = [one["params"] for one in sent if one.get("method") == "session/new"]
    assert made["cwd"] == str(work)
    assert "no use" in ska("ask", "--in", str(work), "@kyra", "hello").err
    wrong = ska("ask", "--in", str(work / "nowhere"), "@zed", "hello")
    assert (wrong.code, "there is no folder" in wrong.err) == (2, True)
