"""`ska team report`, `ska agents inbox` and `ska agents tell` from the outside."""

import json
from pathlib import Path

from command_line import Ska

from skill_agent.models.scripted import ScriptedModel

SECTIONS = {
    key: f"{key} of it" for key in ("summary", "findings", "severity_breakdown", "recommendations")
}


def test_a_report_about_a_file(ska: Ska, tmp_path: Path) -> None:
    ska.model = ScriptedModel([json.dumps(SECTIONS), json.dumps(SECTIONS)])
    file = tmp_path / "parser.py"
    file.write_text("def parse(): ...", encoding="utf-8")
    told = ("team", "report", "code_review", "The parser", "-a", "luke", "--param", "for=all")
    done = ska(*told, "--about", str(file))
    assert done.code == 0 and done.out.startswith("# The parser\n\n## Summary\n\nsummary of it")
    asked = ska.model.requests[0].messages[-1].content
    assert "def parse()" in asked and "for: all" in asked
    piped = ska(*told, "--about", "-", "--json", stdin=b"x = 1")
    assert piped.json["origins"] == ["pipe", "agent"] and piped.json["id"]


def test_what_a_report_cannot_be_made_of(ska: Ska, tmp_path: Path) -> None:
    for arguments, problem in (
        (("poem", "x"), "poem"),
        (("code_review", "x", "--about", str(tmp_path / "none")), "no file"),
        (("code_review", "x", "--param", "novalue"), "NAME=VALUE"),
        (("code_review", "x", "--format", "pdf"), "pdf"),
    ):
        done = ska("team", "report", *arguments)
        assert done.code == 2 and problem in done.err, arguments


def test_a_word_to_an_agent_waits_in_its_inbox(ska: Ska) -> None:
    sent = ska("agents", "tell", "luke", "The release is on Friday", "--json")
    assert sent.code == 0 and sent.json["to"] == "luke"
    found = ska("agents", "inbox", "luke", "--json").json
    assert [one["id"] for one in found] == [sent.json["id"]]
    assert "The release is on Friday" in ska("agents", "inbox", "luke").out
    assert ska("agents", "inbox", "ada", "--json").json == []
    assert ska("agents", "tell", "nobody", "hi").code == 2
