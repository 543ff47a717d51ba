"""`ska team run`: the plan first, what happens on stderr, the result on stdout."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from command_line import Ska, Terminal

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel


def test_the_plan_then_the_steps_then_the_result(ska: Ska) -> None:
    ska("init", "--offline", "--no-pull")
    done = ska("team", "run", "Name", "the", "cat", "-p", "brainstorm", "--with", "luke,@Ada")
    assert done.code == 0, done.err
    assert done.out == "All right.\n\nContributions: Luke (code review), Ada (data analysis).\n"
    told = done.err.splitlines()
    assert told[0].startswith("brainstorm, led by kyra; about ")
    assert [line.split(":")[0] for line in told[1:4]] == ["  ideas", "  ideas", "  choice"]
    assert any("luke" in line and "completed" in line for line in told)
    assert any(line.startswith("brainstorm of 3 agents: completed") for line in told)
    assert told[-1].startswith("kept: ska sessions show ")
    listed = ska("sessions", "list", "--json").json
    assert [one["title"] for one in listed] == ["Name the cat"]


def test_as_json(ska: Ska) -> None:
    done = ska(
        "team", "run", "hi", "-p", "delegation", "--with", "luke", "--lead", "luke", "--json"
    )
    assert done.code == 0
    assert (done.json["status"], done.json["lead"]) == ("completed", "luke")
    assert done.json["final_output"] == "All right." and done.json["id"]


def test_what_does_not_fit_is_told_before_anything_is_begun(ska: Ska) -> None:
    done = ska("team", "run", "hi", "--pattern", "peer-review", "--with", "luke,ada,max")
    assert done.code == 2 and "exactly a writer and a reviewer, not 3 agents" in done.err
    assert "with 3 agents: supervisor_worker, pipeline, brainstorm, consensus" in done.err
    assert ska("team", "run", "hi", "--pattern", "chaos").code == 2
    assert ska("team", "run", "hi", "--with", "nobody,luke").code == 2
    assert ska("team", "run", "hi", "--max-seconds", "0").code == 2
    assert ska("sessions", "list", "--json").json == []


def test_a_person_is_asked_where_it_takes_long(ska: Ska) -> None:
    """The scripted model is a small, local one here: of it a minute is expected soon."""
    ska("init", "--offline", "--no-pull")
    goal = "word " * 3_900
    people = "kyra,luke,ada,max"
    person = Terminal(["n"])
    done = ska("team", "run", goal, "-p", "consensus", "--with", people, person=person)
    assert done.code == 1 and person.asked == ["Begin? [y/N] "]
    assert done.err.splitlines()[-1] == "nothing was begun"
    assert "about" in done.err and "minutes" not in done.err
    short = Terminal([])
    done = ska("team", "run", "hi", "-p", "delegation", "--with", "luke", person=short)
    assert done.code == 0 and short.asked == []


def test_a_failure_is_no_success(ska: Ska) -> None:
    ska.model = ScriptedModel(otherwise="")
    done = ska("team", "run", "hi", "-p", "delegation", "--with", "luke")
    assert done.code == 1 and done.out == "" and "failed: " in done.err


def test_ctrl_c_stops_all_of_them(
    home: Home, tmp_path: Path, driver: Callable[[str], Path]
) -> None:
    script = driver("ScriptedModel(otherwise=['The beginning ', Pause(600)])")
    process = subprocess.Popen(
        [
            *(sys.executable, str(script), "--home", str(home.root)),
            *("team", "run", "hi", "-p", "brainstorm", "--with", "kyra,luke,ada"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "in progress" in line:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert out == "" and "stopping" in err
    done = subprocess.run(
        [sys.executable, str(script), "--home", str(home.root), "turns", "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert '"running"' not in done.stdout
