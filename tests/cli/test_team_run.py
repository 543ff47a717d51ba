"""`ska team run`: the plan first, what happens on stderr, the result on stdout."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Ska

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel


def test_what_does_not_fit_is_told_before_anything_is_begun(ska: Ska) -> None:
    done = ska("team", "run", "hi", "--pattern", "peer-review", "--with", "luke,ada,max")
    assert done.code == 2 and "exactly a writer and a reviewer, not 3 agents" in done.err
    assert "with 3 agents: supervisor_worker, pipeline, brainstorm, consensus" in done.err
    assert ska("team", "run", "hi", "--pattern", "chaos").code == 2
    assert ska("team", "run", "hi", "--with", "nobody,luke").code == 2
    assert ska("team", "run", "hi", "--max-seconds", "0").code == 2
    assert ska("sessions", "list", "--json").json == []


def test_a_failure_is_no_success(ska: Ska) -> None:
    ska.model = ScriptedModel(otherwise="")
    done = ska("team", "run", "hi", "--pattern", "delegation", "--with", "luke")
    assert done.code == 1 and done.out == "" and "failed: " in done.err


@pytest.mark.deep
def test_ctrl_c_stops_all_of_them(
    home: Home, tmp_path: Path, driver: Callable[[str], Path]
) -> None:
    script = driver("ScriptedModel(otherwise=['The beginning ', Pause(600)])")
    process = subprocess.Popen(
        [
            *(sys.executable, str(script), "--home", str(home.root)),
            *("team", "run", "hi", "--pattern", "brainstorm", "--with", "kyra,luke,ada"),
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
