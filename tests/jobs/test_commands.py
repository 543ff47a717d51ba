"""`ska jobs` as a person and a script use it."""

import time
from pathlib import Path

import pytest
from command_line import Ska, Terminal

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel


@pytest.fixture
def ska(home: Home, capsys: pytest.CaptureFixture[str]) -> Ska:
    return Ska(home, capsys)


def test_a_job_is_shown_asked_about_and_kept(ska: Ska) -> None:
    arguments = ("jobs", "add", "weekdays at 18:00", "--prompt", "What is new?", "--name", "News")
    ska("jobs", "list")
    refused = ska(*arguments, person=Terminal(["n"]))
    assert refused.code == 1 and "18:00" in refused.err and refused.err.count("18:00") >= 3
    assert all(one["built_in"] for one in ska("jobs", "list", "--json").json)
    kept = ska(*arguments, person=Terminal(["y"]))
    assert kept.code == 0 and "ska up" in kept.err
    shown = ska("jobs", "show", "news", "--json").json
    assert shown["id"] == kept.out.strip() and len(shown["next_runs"]) == 3
    assert "18:00" in shown["next_runs_local"][0] and shown["schedule"]["kind"] == "cron"
    assert ska("jobs", "show", shown["id"][:13]).code == 0


def test_a_script_says_yes(ska: Ska) -> None:
    silent = ska("jobs", "add", "every 2h", "--prompt", "x")
    assert silent.code == 2 and "--yes" in silent.err
    made = ska("jobs", "add", "every 2h", "--prompt", "x", "--yes", "--json")
    assert made.code == 0 and made.json["agent"] == "kyra"
    assert ska("jobs", "add", "gibberish", "--prompt", "x", "--yes").code == 2
    assert ska("jobs", "add", "every 2h", "--yes").code == 2
    wrong = ska("jobs", "add", "every 2h", "--prompt", "x", "--deliver", "pigeon", "--yes")
    assert wrong.code == 2 and "pigeon" in wrong.err


def test_near_names_are_offered(ska: Ska) -> None:
    assert "'backup'" in ska("jobs", "show", "bakup").err
    assert "agent" in ska("jobs", "add", "every 2h", "--kind", "agnet", "--yes").err


def test_run_waits_and_prints_the_result(ska: Ska) -> None:
    ska.model = ScriptedModel(["Two mails wait.", "[SILENT]"])
    ska("jobs", "add", "every 2h", "--prompt", "What waits?", "--name", "post", "--yes")
    done = ska("jobs", "run", "post")
    assert (done.code, done.out) == (0, "Two mails wait.\n")
    quiet = ska("jobs", "run", "post")
    assert (quiet.code, quiet.out) == (0, "") and "nothing to say" in quiet.err
    newest, first = ska("jobs", "history", "post", "--json").json
    assert (newest["silent"], first["result"]) == (True, "Two mails wait.")
    assert first["by_hand"] and first["session"]
    assert ska("jobs", "run", "post", "--detach").code == 2
    assert ska("jobs", "cancel", "post").code == 2


def test_pause_resume_edit_and_remove(ska: Ska) -> None:
    ska("jobs", "add", "every 2h", "--prompt", "x", "--name", "post", "--yes")
    assert ska("jobs", "pause", "post", "--json").json["status"] == "paused"
    assert ska("jobs", "resume", "post", "--json").json["status"] == "active"
    edited = ska("jobs", "edit", "post", "--when", "every 4h", "--max-usd", "0", "--json").json
    assert (edited["limits"]["max_usd"], edited["schedule"]["expression"]) == (0.0, "14400")
    assert ska("jobs", "edit", "post").code == 2
    assert ska("jobs", "remove", "post", person=Terminal(["n"])).code == 1
    assert ska("jobs", "remove", "post", "--yes").code == 0
    assert ska("jobs", "show", "post").code == 2
    assert ska("jobs", "remove", "backup", "--yes").code == 2
    assert ska("jobs", "pause", "backup", "--json").json["status"] == "paused"


def test_doctor_finds_what_would_not_work(ska: Ska, tmp_path: Path) -> None:
    assert ska("jobs", "doctor").code == 0
    ska("jobs", "add", "every 2h", "--prompt", "x", "--agent", "luke", "--name", "post", "--yes")
    ska("agents", "pause", "luke")
    done = ska("jobs", "doctor", "--json")
    assert done.code == 1
    (bad,) = [one for one in done.json if one["level"] == "error"]
    assert bad["hint"] == "ska agents activate luke"
    assert any(one["id"].startswith("jobs.") for one in ska("doctor", "--json").json)
    status = ska("status", "--json").json["jobs"]
    assert (status["count"], status["dead"], status["running"]) == (4, [], [])


def test_a_program_runs_only_where_it_is_named(ska: Ska, home: Home, tmp_path: Path) -> None:
    program = tmp_path / "tell"
    program.write_text('#!/bin/sh\nprintf "%s" "$1"; exit "$2"\n')
    program.chmod(0o755)
    add = ("jobs", "add", "every 2h", "--kind", "command", "--name", "tell", "--yes", "--")
    refused = ska(*add, str(program), "$HOME; ls", "0")
    assert refused.code != 0 and "[jobs]" in refused.err
    config = home.config.read_text()
    allowed = f'[jobs]\ncommands = ["{program}"]\n'
    home.config.write_text(config.replace("[jobs]\n", allowed))
    assert ska(*add, str(program), "$HOME; ls", "0").code == 0
    assert ska("jobs", "run", "tell").out == "$HOME; ls\n"
    ska("jobs", "remove", "tell", "--yes")
    assert ska(*add, str(program), "broken", "3").code == 0
    failed = ska("jobs", "run", "tell")
    assert failed.code == 1 and "exit code 3: broken" in failed.err


def test_a_program_is_ended_with_all_that_it_started(ska: Ska, home: Home, tmp_path: Path) -> None:
    program, noted = tmp_path / "linger", tmp_path / "pid"
    program.write_text(f"#!/bin/sh\nsleep 600 & echo $! > {noted}\nsleep 600\n")
    program.chmod(0o755)
    ska("jobs", "list")
    allowed = f'[jobs]\ncommands = ["{program}"]\n'
    home.config.write_text(home.config.read_text().replace("[jobs]\n", allowed))
    ska("jobs", "add", "every 2h", "--kind", "command", "--name", "linger", "--max-seconds", "2",
        "--yes", "--", str(program))  # fmt: skip
    done = ska("jobs", "run", "linger")
    assert done.code == 1 and "not done within 2 seconds" in done.err
    child = int(noted.read_text())
    for _ in range(300):
        if not Path(f"/proc/{child}").exists():
            return
        time.sleep(0.05)
    raise AssertionError("what the program started lives on")


def test_what_a_program_prints_is_bounded(ska: Ska, home: Home, tmp_path: Path) -> None:
    program = tmp_path / "much"
    program.write_text("#!/bin/sh\nhead -c 500000 /dev/zero | tr '\\0' x\n")
    program.chmod(0o755)
    ska("jobs", "list")
    allowed = f'[jobs]\ncommands = ["{program}"]\n'
    home.config.write_text(home.config.read_text().replace("[jobs]\n", allowed))
    ska("jobs", "add", "every 2h", "--kind", "command", "--name", "much", "--yes", "--",
        str(program))  # fmt: skip
    done = ska("jobs", "run", "much")
    assert done.code == 0 and len(done.out) < 65_000 and "the rest is cut" in done.out
