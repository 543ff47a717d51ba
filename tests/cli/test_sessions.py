"""`ska sessions`, `ska approvals` and `ska status`."""

import json
from pathlib import Path

import pytest
from command_line import Ska, Terminal

from skill_agent.errors import ModelFailed
from skill_agent.values import ToolCall


@pytest.fixture
def talk(ska: Ska) -> str:
    """A conversation of two turns; its id."""
    ska.model.add("On Friday.", "From the release branch.")
    session = ska("ask", "--json", "when do I deploy").json["session"]
    ska("ask", "--session", session, "and from where")
    return session


def test_list(ska: Ska, talk: str) -> None:
    ska("ask", "another")
    listed = ska("sessions", "list", "--json").json
    assert [one["title"] for one in listed] == ["another", "when do I deploy"]
    assert listed[1]["id"] == talk
    assert listed[1]["messages"] == 4
    assert listed[1]["updated_at"].endswith("Z")
    assert talk in ska("sessions", "list").out


def test_an_empty_list(ska: Ska) -> None:
    done = ska("sessions", "list")
    assert (done.code, done.out) == (0, "")
    assert "no conversations yet" in done.err


@pytest.mark.parametrize("ref", ["latest", "when do I deploy", "WHEN DO"])
def test_show(ska: Ska, talk: str, ref: str) -> None:
    shown = ska("sessions", "show", ref, "--json").json
    assert shown["id"] == talk
    assert [one["role"] for one in shown["messages"]] == ["user", "assistant"] * 2
    out = ska("sessions", "show", talk[:13], "--last", "1").out
    assert "From the release branch." in out
    assert "On Friday." not in out


def test_prompts(ska: Ska, talk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = ska("sessions", "show", "--prompts", "--json").json
    assert (first["text"], second["text"]) == ("On Friday.", "From the release branch.")
    assert first["session"] == second["session"] == talk
    assert [m["content"] for m in second["messages"]][-2] == "On Friday."
    out = ska("sessions", "show", talk, "--prompts", "--last", "1").out
    assert "── answer · stop\nFrom the release branch." in out
    assert out.count("# call 1 of 1, for reply") == 1
    assert "sessions show --prompts" in ska("logs", "--help").out
    monkeypatch.setenv("SKILL_AGENT_PRIVACY_PROMPT_DAYS", "0")
    ska("ask", "something else")
    done = ska("sessions", "show", talk, "--prompts")
    assert (done.code, done.out) == (0, "") and "no prompts are kept" in done.err


def test_search(ska: Ska, talk: str) -> None:
    (found,) = ska("sessions", "search", "RELEASE", "branch", "--json").json
    assert found["session"] == talk
    assert "release branch" in ska("sessions", "search", "release branch").out
    assert "nothing found" in ska("sessions", "search", "nonsuch").err


def test_rename(ska: Ska, talk: str) -> None:
    assert ska("sessions", "rename", talk, "Release", "plan").out.strip() == talk
    assert ska("sessions", "show", "release plan", "--json").json["id"] == talk
    assert ska("sessions", "rename", talk, " ").code == 2
    assert ska("sessions", "rename", "nonsuch", "x").code == 2


def test_export(ska: Ska, talk: str, tmp_path: Path) -> None:
    markdown = ska("sessions", "export", talk).out
    assert markdown.startswith("# when do I deploy\n")
    assert "**kyra**" in markdown
    target = tmp_path / "talk.json"
    done = ska("sessions", "export", talk, "--format", "json", "--output", str(target))
    assert (done.code, done.out) == (0, "")
    assert len(json.loads(target.read_text())["messages"]) == 4
    assert ska("sessions", "export", talk, "--format", "pdf").code == 2


def test_delete(ska: Ska, talk: str) -> None:
    assert ska("sessions", "delete", talk, person=Terminal(["n"])).code == 1
    assert ska("sessions", "delete", talk, "--json").json["archived"]
    assert ska("sessions", "list", "--json").json == []
    assert ska("memory", "search", "release branch", "--json").json == []


def test_a_lost_name_gets_the_nearest(ska: Ska, talk: str) -> None:
    done = ska("sessions", "show", "when do I destroy")
    assert done.code == 2
    assert "when do I deploy" in done.err


def test_status(ska: Ska, talk: str) -> None:
    found = ska("status", "--json").json
    assert (found["state"], found["sessions"], found["messages"], found["turns"]) == (
        "ready", 1, 4, 2,
    )  # fmt: skip
    assert "default agent" in ska("status").out


def test_status_of_nothing(ska: Ska) -> None:
    done = ska("status", "--json")
    assert done.code == 0
    assert "ska init" in done.json["state"]
    assert not ska.home.root.exists()


def test_show_tells_what_became_of_turns(ska: Ska) -> None:
    call = ToolCall(id="c", name="http_get", arguments={"url": "http://127.0.0.9/"})
    odd = ToolCall(id="d", name="fly", arguments={})
    ska.model.add("Noted.", ["I will look. ", call], "I may not.", [odd], "I cannot.")
    ska.model.add(["half an ans", ModelFailed("boom", hint="try again later")])
    session = ska("ask", "--json", "remember that my bike is green").json["session"]
    for said in ("fetch it", "fly"):
        assert ska("ask", "--session", session, said).code == 0
    assert ska("ask", "--session", session, "fail").code == 1
    out = ska("sessions", "show", session).out
    for wanted in (
        "*✓ saved to memory: My bike is green*",
        "I will look. \n\n> uses http_get {'url': 'http://127.0.0.9/'}",
        "> ✗ denied, nobody was there to be asked",
        "> ✗ failed",
        "there is no tool 'fly'",
        "(interrupted)\n\nhalf an ans\n\n*■ Broken off here; what came is kept*",
        "**kyra could not answer**: boom\n→ try again later",
    ):
        assert wanted in out
    assert out.index("I will look.") < out.index("> uses http_get") < out.index("I may not.")
    assert ska("sessions", "export", session).out == out
    turns = ska("sessions", "show", session, "--json").json["turns"]
    assert [one["state"] for one in turns] == ["finished", "finished", "finished", "failed"]
    assert (turns[3]["reason"], turns[3]["problem"]) == ("model_failed", "boom")
    exported = json.loads(ska("sessions", "export", session, "-f", "json").out)
    assert exported["turns"] == turns
    outcomes = [one["outcome"] for one in exported["messages"] if one["role"] == "tool"]
    assert [(one["ok"], one["choice"]) for one in outcomes] == [(False, "deny"), (False, None)]


def test_a_listing_that_is_cut_says_so(ska: Ska, talk: str) -> None:
    ska("ask", "another")
    ska("ask", "remember that my bike is green")
    ska("ask", "remember that my car is red")
    for listing in (("sessions", "list"), ("sessions", "search", "o"), ("memory", "list")):
        cut = ska(*listing, "--limit", "1", "--json")
        assert (len(cut.json), "the newest 1 are shown" in cut.err) == (1, True), listing
        whole = ska(*listing, "--json")
        assert len(whole.json) > 1 and "are shown" not in whole.err, listing


def test_pinning_and_putting_away(ska: Ska, talk: str) -> None:
    pinned = ska("sessions", "pin", "when do I", "--json").json
    assert (pinned["id"], pinned["pinned"]) == (talk, True)
    assert [one["id"] for one in ska("sessions", "list", "--pinned", "--json").json] == [talk]
    assert "no longer pinned" in ska("sessions", "unpin", talk).err
    assert ska("sessions", "list", "--pinned").err.strip() == "none"
    done = ska("sessions", "archive", talk)
    assert done.out.strip() == talk and "put away" in done.err
    assert ska("sessions", "list", "--json").json == []
    assert [one["id"] for one in ska("sessions", "list", "--archived", "--json").json] == [talk]
    assert "back on the list" in ska("sessions", "unarchive", "when do I deploy").err
    assert [one["id"] for one in ska("sessions", "list", "--json").json] == [talk]
    assert ska("sessions", "pin", "nothing like it").code == 2


def test_branching(ska: Ska, talk: str) -> None:
    said = ska("sessions", "show", talk, "--json").json["messages"]
    made = ska("sessions", "branch", talk, "--upto", said[1]["id"], "--json").json
    assert made["branched_from"] == talk and made["messages"] == 2
    assert "On Friday." in ska("sessions", "show", made["id"]).out
    assert "branched off:" in ska("sessions", "branch", talk).err
    refused = ska("sessions", "branch", talk, "--upto", "nowhere")
    assert refused.code != 0 and "no message 'nowhere'" in refused.err
