"""A server's question as a form, and what is made of the words that answer it."""

from typing import Any

import pytest

from skill_agent.agents.parsing import read_agents
from skill_agent.events import Event, Notice
from skill_agent.mcp_client.offering.eliciting import Form, NotAsked, form_of
from skill_agent.mcp_client.offering.telling import Steps
from skill_agent.ports import ToolsWanted
from skill_agent.skills.allowed import permits, unknown_tools


def form(*required: str, **fields: Any) -> Form:
    return form_of({"type": "object", "properties": fields, "required": [*required]})


def test_one_field_is_answered_by_the_words_themselves() -> None:
    assert form(name={"type": "string"}).read(" Ana: of Oslo ") == {"name": "Ana: of Oslo"}
    assert form(count={"type": "integer"}).read("12") == {"count": 12}
    assert form(size={"enum": ["Small", "Large"]}).read("large") == {"size": "Large"}
    titled = {"type": "string", "oneOf": [{"const": "a", "title": "A"}, {"const": "b"}]}
    assert form(which=titled).read("B") == {"which": "b"}


def test_several_are_answered_by_their_names() -> None:
    asked = form(
        "name",
        name={"type": "string", "minLength": 2},
        open={"type": "boolean"},
        rate={"type": "number", "default": 1.5},
    )
    assert asked.read("NAME: Ana\nopen: ja") == {"name": "Ana", "open": True, "rate": 1.5}
    assert asked.read("name: Ana; rate: 2,5") == {"name": "Ana", "rate": 2.5}
    for words, wrong in (
        ("Ana", "not of the form"),
        ("who: Ana", "not of the form"),
        ("open: yes", "'name' is a required property"),
        ("name: A", "too short"),
        ("name: Ana; open: perhaps", "not of type 'boolean'"),
    ):
        with pytest.raises(ValueError, match=wrong):
            asked.read(words)


def test_a_form_that_asks_for_a_credential_or_is_not_flat_is_not_asked() -> None:
    forms: tuple[dict[str, Any], ...] = (
        {"password": {"type": "string"}},
        {"code": {"type": "string", "title": "API key"}},
        {"deep": {"type": "object", "properties": {}}},
        {"many": {"type": "array", "items": {"type": "string"}}},
        {f"f{row}": {"type": "string"} for row in range(20)},
        {"ask me": {"type": "string"}},
    )
    for fields in forms:
        with pytest.raises(NotAsked):
            form(**fields)


def test_how_far_a_call_is_is_told_now_and_then_in_words_that_replace_one_another() -> None:
    told: list[Event] = []
    now = [0.0]
    wanted = ToolsWanted(agent="kyra", session="s", turn="t", allowed=(), words="", window=0)
    steps = Steps(told.append, wanted, "files", "read\x1b", now=lambda: now[0])
    for at, done, whole in (
        (0.0, 1.0, 4.0), (0.1, 2.0, 4.0), (0.7, 3.0, 4.0), (1.4, 9.0, 4.0), (2.0, 5.0, None),
        (3.0, float("nan"), 4.0), (12.0, 5.0, None),
    ):  # fmt: skip
        now[0] = at
        steps(done, whole, "x" * 200)
    texts = [one.text.replace("x" * 79 + "…", "…") for one in told if isinstance(one, Notice)]
    assert texts == [
        "files read: … (25 %)", "files read: … (75 %)", "files read: … (100 %)", "files read: …",
    ]  # fmt: skip
    assert {(one.session, one.turn, one.agent) for one in told} == {("s", "t", "kyra")}


def test_what_names_no_tools_in_agents_toml_is_doubted() -> None:
    text = '[agents.kyra]\nmcp = ["files", "files:read_*", "git hub", "files:"]\n'
    warned = [(one.line, one.key) for one in read_agents(text, "agents.toml").warnings]
    assert warned == [(2, "agents.kyra.mcp[2]"), (2, "agents.kyra.mcp[3]")]


def test_a_skills_list_names_servers_tools_in_any_of_their_forms() -> None:
    rule = "mcp:files/read_file"
    for name in (
        "files_read_file", "files_*", "mcp__files__read_file", "mcp__files__read_*", "mcp__files",
        "mcp(files/read_*)", "mcp",
    ):  # fmt: skip
        assert permits([name], rule), name
        assert permits([name], f"{rule} as 0123abcd with a credential"), name
    for name in ("files_write_file", "mcp__file", "mcp__github", "mcp(github/*)", "http_get"):
        assert not permits([name], rule), name
    assert unknown_tools(["mcp__files__read_file", "mcp(files/*)", "mcp", "mcpx"]) == ["mcpx"]
