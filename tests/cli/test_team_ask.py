"""`ska team ask`: several agents on one message, told first and asked about where it takes long."""

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import Ska, Terminal

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel

CODE = ("team", "ask", "please review my code", "--strategy", "cascade")


def test_several_answer_where_it_is_switched_on(ska: Ska) -> None:
    refused = ska(*CODE)
    assert refused.code == 2 and "ensemble = true" in refused.err
    text = ska.home.config.read_text("utf-8")
    ska.home.config.write_text(text.replace("# ensemble = false", "ensemble = true"), "utf-8")

    assert ska(*CODE[:-1], "chaos").code == 2
    done = ska(*CODE)
    assert (done.code, done.out) == (0, "All right.\n")
    assert "1. Luke: answer" in done.err and "at most" in done.err

    ska.model = ScriptedModel(otherwise="")
    done = ska(*CODE, "--json")
    assert done.code == 1 and "no answer of luke" in done.err
    assert (done.json["text"], done.json["agent"], done.json["responses"]) == ("", None, [])

    ska.model = ScriptedModel()
    ska.model.info = replace(ska.model.info, size_bytes=40_000_000_000)
    done = ska(*CODE, person=Terminal(["n"]))
    assert done.code == 1 and "nobody was asked" in done.err and "min" in done.err


@pytest.mark.deep
def test_ctrl_c_stops_all_of_them(ska: Ska, home: Home, driver: Callable[[str], Path]) -> None:
    assert ska(*CODE).code == 2
    text = home.config.read_text("utf-8")
    home.config.write_text(text.replace("# ensemble = false", "ensemble = true"), "utf-8")
    script = driver("ScriptedModel(otherwise=['The beginning ', Pause(600)])")
    command = [sys.executable, str(script), "--home", str(home.root)]
    process = subprocess.Popen(
        [*command, *CODE],
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
    listed = [*command, "team", "list", "--json"]
    done = subprocess.run(listed, capture_output=True, text=True, check=True)
    assert '"status": "cancelled"' in done.stdout and '"in_progress"' not in done.stdout
