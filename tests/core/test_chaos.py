"""Hosts killed under their windows, and many windows at once: short runs of the benchmarks."""

import argparse
import json
from pathlib import Path

import pytest
from chaos import Stage, wrong
from soak import soak

from skill_agent.cli.opening.home_files import init_home  # isort: skip
from skill_agent.files.home import Home

pytestmark = pytest.mark.deep


async def test_nothing_is_lost_or_done_twice_when_hosts_die(tmp_path: Path) -> None:
    stage = Stage(Home(tmp_path / "home"), tmp_path)
    stage.play(12.0, 2, (4.0, 6.0))
    assert await wrong(stage) == []
    assert stage.kills
    said = {one["what"] for one in stage.lines()}
    assert {"turn", "memory"} & said


async def test_the_check_sees_what_is_wrong(tmp_path: Path) -> None:
    stage = Stage(Home(tmp_path / "home"), tmp_path)
    stage.play(1.0, 1, (1.0, 1.0))
    lie = {"what": "turn", "session": "s", "message": "m", "id": "t", "text": "x"}
    (tmp_path / "lies.jsonl").write_text(json.dumps(lie | {"token": "token-x"}))
    with (tmp_path / "calls.txt").open("a") as calls:
        calls.write("token-y 1\ntoken-y 2\n")
    found = "\n".join(await wrong(stage))
    assert "token-y reached the model 2 times" in found
    assert "token-x" in found


async def test_every_listener_hears_every_event_once(home: Home) -> None:
    init_home(home)
    options = argparse.Namespace(clients=10, turns=40, model_s=0.3, think_s=0.3, models=None)
    found = await soak(options, home.root)
    assert found["problems"] == []
    assert (found["turns"], found["listeners"], found["host_exit"]) == (40, 12, 0)
    assert found["heard_slowly"] < found["events"] / 12
