"""The commands of docs/jobs.md, in their order, over a home of their own."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from command_line import Ska

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel
from skill_agent.settings.schema import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "jobs.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_every_command_of_the_page_works(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    ska = Ska(home, capsys, model=ScriptedModel(otherwise="Nothing is due."))
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(lines) >= 15
    for line in lines:
        program, *arguments = shlex.split(line, comments=True)
        assert program == "ska"
        done = ska(*arguments)
        assert done.code == 0, f"{line}\n{done.err}"


def test_its_settings_are_settings() -> None:
    for block in blocks("toml"):
        Settings.model_validate(tomllib.loads(block))
