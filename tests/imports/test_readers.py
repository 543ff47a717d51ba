"""What is read of each program's export: words with their roles and dates, memories, notes."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from exports import GARDEN, chatgpt, claude, claude_code, node, said, written, zipped

from skill_agent.errors import UsageError
from skill_agent.imports.detecting import detect
from skill_agent.imports.found import Fact, LeftOut, Talk
from skill_agent.imports.links import Links
from skill_agent.imports.survey import READERS, items_of
from skill_agent.imports.tree import tree_at
from skill_agent.values import PAST_SOURCES, PastSource


def found(path: Path, source: PastSource) -> tuple[list[Talk], list[Fact], LeftOut]:
    left = LeftOut()
    with tree_at(path) as tree:
        items = [*items_of(tree, source, left)]
    talks = [one for one in items if isinstance(one, Talk)]
    return talks, [one for one in items if isinstance(one, Fact)], left


def detected(path: Path) -> str:
    with tree_at(path) as tree:
        return detect(tree, str(path))


def words(talk: Talk) -> list[tuple[str, str]]:
    return [(one.role, one.text) for one in talk.lines]


SPOKEN = [("user", GARDEN[0]), ("assistant", GARDEN[1]), ("user", GARDEN[2])]


def test_every_source_has_a_reader() -> None:
    assert READERS.keys() == {*PAST_SOURCES}


# -- ChatGPT -------------------------------------------------------------------------------------


def test_chatgpt_follows_the_branch_last_shown(tmp_path: Path) -> None:
    (talk,), facts, _ = found(written(tmp_path / "conversations.json", [chatgpt()]), "chatgpt")
    assert (talk.id, talk.title, words(talk), facts) == ("c1", "Garden", SPOKEN, [])
    assert talk.lines[0].at == datetime.fromtimestamp(1_700_000_000.5, UTC)
    assert talk.lines[0].id == "n0"


def test_chatgpt_without_a_current_node_takes_the_newest_branch(tmp_path: Path) -> None:
    row = chatgpt(current_node=None)
    (talk,), _, _ = found(written(tmp_path / "conversations.json", [row]), "chatgpt")
    assert words(talk) == [SPOKEN[0], ("assistant", "given up")]


def test_chatgpt_leaves_out_what_nobody_said(tmp_path: Path) -> None:
    row = chatgpt()
    hidden = node("h", "user", "hidden", metadata={"is_visually_hidden_from_conversation": True})
    picture = node("p", "user", "")
    picture["content"] = {"content_type": "multimodal_text",
                          "parts": [{"asset_pointer": "file-1"}, "Look at this"]}  # fmt: skip
    called = node("k", "assistant", "search()", recipient="browser")
    tool = node("t", "tool", "a page")
    odd = node("o", "narrator", "once upon a time")
    thought = node("d", "assistant", "")
    thought["content"] = {"content_type": "thoughts", "thoughts": []}
    before = "n2"
    for message in (hidden, picture, called, tool, odd, thought):
        row["mapping"][message["id"]] = {"parent": before, "message": message}
        before = message["id"]
    row["current_node"] = before
    (talk,), _, left = found(written(tmp_path / "conversations.json", [row]), "chatgpt")
    assert words(talk) == [*SPOKEN, ("user", "Look at this")]
    assert left.counts == {
        "pictures and files": 1, "thoughts and calls of tools": 2, "messages of tools": 1,
        "messages of an unknown role": 1,
    }  # fmt: skip


def test_chatgpts_memories_come_once(tmp_path: Path) -> None:
    about = node("a", "user", "")
    about["content"] = {"content_type": "user_editable_context",
                        "user_profile": "Told to the model:\n```I am a baker```",
                        "user_instructions": ""}  # fmt: skip
    saved = node("b", "assistant", "")
    saved["content"] = {"content_type": "model_editable_context",
                        "model_set_context": "1. [2024-02-03]. Likes rye.\n2. [2024-02-04]. Has a cat."}  # noqa: E501  # fmt: skip
    noted = node("c", "assistant", "Plays the oboe", recipient="bio", at=1_700_000_000)
    rows = []
    for name in ("one", "two"):
        row, before = chatgpt(name), "n2"
        for message in (about, saved, noted):
            row["mapping"][message["id"]] = {"parent": before, "message": message}
            before = message["id"]
        rows.append({**row, "current_node": before})
    talks, facts, _ = found(written(tmp_path / "conversations.json", rows), "chatgpt")
    assert [words(one) for one in talks] == [SPOKEN, SPOKEN]
    assert [one.text for one in facts] == ["I am a baker", "Likes rye.", "Has a cat.",
                                           "Plays the oboe"]  # fmt: skip
    assert facts[1].at == datetime(2024, 2, 3, tzinfo=UTC)


def test_a_large_chatgpt_export_in_parts_and_a_zip(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "export.zip",
        {
            "x/conversations-000.json": [chatgpt("a")],
            "x/conversations-001.json": [chatgpt("b")],
            "x/user.json": {"email": "nobody@example.org"},
            "x/chat.html": "<html>",
        },
    )
    assert detected(path) == "chatgpt"
    talks, _, _ = found(path, "chatgpt")
    assert [one.id for one in talks] == ["a", "b"]


def test_a_loop_of_parents_ends(tmp_path: Path) -> None:
    row = chatgpt()
    row["mapping"]["n0"]["parent"] = "n2"
    (talk,), _, _ = found(written(tmp_path / "conversations.json", [row]), "chatgpt")
    assert words(talk) == SPOKEN


# -- Claude --------------------------------------------------------------------------------------


def test_claude(tmp_path: Path) -> None:
    row = claude()
    row["chat_messages"][0]["attachments"] = [{"file_name": "a.txt", "extracted_content": "x"}]
    row["chat_messages"][1]["content"] += [{"type": "thinking", "thinking": "hm"},
                                           {"type": "tool_use", "name": "x"}]  # fmt: skip
    row["chat_messages"][2].pop("content")
    row["chat_messages"].append({"uuid": "z", "sender": "narrator", "text": "odd"})
    path = written(tmp_path / "conversations.json", [row, {**claude("t2"), "chat_messages": []}])
    assert detected(path) == "claude"
    (talk,), _, left = found(path, "claude")
    assert words(talk) == SPOKEN
    assert talk.lines[0].at == datetime(2024, 5, 1, 8, tzinfo=UTC)
    assert talk.lines[0].zone == "+02:00"
    assert left.counts == {
        "pictures and files": 1, "messages of an unknown role": 1,
        "conversations nobody said anything in": 1,
    }  # fmt: skip


def test_claudes_memories_and_projects(tmp_path: Path) -> None:
    memory = "**Work**\n\nBakes bread.\n\n**Family**\n\nHas a sister."
    document = {"uuid": "d", "filename": "recipe.md", "content": "# Dough\n\nFlour, water",
                "created_at": "2024-01-02T00:00:00Z"}  # fmt: skip
    path = zipped(
        tmp_path / "data.zip",
        {
            "conversations.json": [claude()],
            "memories.json": [{"conversations_memory": memory, "project_memories": {"p": "Rye"}}],
            "projects/p.json": {"uuid": "p", "name": "Bread", "prompt_template": "Be brief",
                                "docs": [document]},
            "users.json": [{"uuid": "u"}],
        },
    )  # fmt: skip
    assert detected(path) == "claude"
    talks, facts, left = found(path, "claude")
    assert len(talks) == 1
    assert [one.text for one in facts] == [
        "Work\nBakes bread.", "Family\nHas a sister.", "Rye", "recipe.md › Dough\nFlour, water",
    ]  # fmt: skip
    assert facts[-1].at == datetime(2024, 1, 2, tzinfo=UTC)
    assert left.counts == {"instructions of projects": 1}


# -- Claude Code ---------------------------------------------------------------------------------


def test_claude_code(tmp_path: Path) -> None:
    blocks = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": GARDEN[1]},
              {"type": "tool_use", "name": "Bash", "input": {}}]  # fmt: skip
    result = [{"type": "tool_result", "content": "a whole file"}]
    session = claude_code(
        {"type": "summary", "summary": "About the garden", "leafUuid": "x"},
        said("be careful", isMeta=True),
        said("<command-name>/clear</command-name>"),
        said(GARDEN[0]),
        said("", "assistant", message={"content": blocks}),
        said("", message={"content": result}),
        said(GARDEN[2]),
        said("asks an agent", isSidechain=True),
        said("what was said so far", isCompactSummary=True),
    )
    again = claude_code(said(GARDEN[0], uuid="s1-3"), said("And then?"), session="s2")
    written(tmp_path / "projects" / "-home-me" / "s1.jsonl", session + "{broken\n")
    written(tmp_path / "projects" / "-home-me" / "s2.jsonl", again)
    written(tmp_path / "projects" / "-home-me" / "agent-1.jsonl", claude_code(said("beside")))
    written(tmp_path / "projects" / "-home-me" / "CLAUDE.md", "# Style\n\nUse tabs.")
    written(tmp_path / "history.jsonl", '{"display": "x"}\n')
    assert detected(tmp_path) == "claude-code"
    (first, second), (fact,), left = found(tmp_path, "claude-code")
    assert (first.id, first.title, words(first)) == ("s1", "About the garden", SPOKEN)
    assert words(second) == [("user", "And then?")]
    assert fact.text == "CLAUDE.md › Style\nUse tabs."
    assert left.counts == {
        "calls of tools and their results": 2, "sessions and lines of agents beside": 2,
        "lines of a session that another one goes on from": 1, "lines that cannot be read": 1,
    }  # fmt: skip
    assert left.problems[0].startswith("projects/-home-me/s1.jsonl:10: not JSON")


# -- mem0, Letta ---------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["results", "list"])
def test_mem0(tmp_path: Path, form: str) -> None:
    rows = [{"id": "m1", "memory": "Likes rye", "created_at": "2024-07-01T09:00:00-07:00",
             "updated_at": "2024-07-02T09:00:00Z", "user_id": "lena", "categories": ["food"],
             "metadata": {"n": 1}},
            {"id": "m2", "memory": None}]  # fmt: skip
    path = written(tmp_path / "all.json", {"results": rows} if form == "results" else rows)
    assert detected(path) == "mem0"
    _, (fact,), left = found(path, "mem0")
    assert (fact.text, fact.subject) == ("Likes rye", "food")
    assert fact.at == datetime(2024, 7, 1, 16, tzinfo=UTC)
    assert fact.metadata["mem0"]["user_id"] == "lena"
    assert left.problems == ["all.json, memory 2: no text"]


def test_letta_of_today_and_of_before(tmp_path: Path) -> None:
    told = json.dumps({"type": "user_message", "message": GARDEN[0], "time": "now"})
    beat = json.dumps({"type": "heartbeat", "reason": "timer"})
    sent = {"name": "send_message", "arguments": json.dumps({"message": GARDEN[1]})}
    messages = [
        {"role": "system", "content": [{"type": "text", "text": "You are …"}]},
        {"role": "user", "content": [{"type": "text", "text": told}],
         "created_at": "2025-01-01T10:00:00+00:00"},
        {"role": "assistant", "content": [{"type": "text", "text": "a thought"}],
         "tool_calls": [{"function": sent}], "created_at": "2025-01-01T10:00:05+00:00"},
        {"role": "user", "content": [{"type": "text", "text": beat}]},
        {"role": "tool", "content": [{"type": "text", "text": "ok"}]},
        {"role": "user", "content": GARDEN[2]},
    ]  # fmt: skip
    block = {"id": "block-0", "label": "human", "value": "Called Ada.\n\n# Work\nBakes."}
    passage = {"text": "Was in Porto", "created_at": "2024-12-01T00:00:00Z", "tags": ["travel"]}
    today = {"agents": [{"name": "Sam", "messages": messages, "llm_config": {}}],
             "blocks": [block], "passages": [passage]}  # fmt: skip
    before = {"name": "Sam", "messages": messages, "core_memory": [block], "llm_config": {}}
    for value in (today, before):
        path = written(tmp_path / "agent.af", value)
        assert detected(path) == "letta"
        (talk,), facts, left = found(path, "letta")
        assert (talk.title, words(talk)) == ("Sam", SPOKEN)
        assert [one.text for one in facts][:2] == ["human\nCalled Ada.", "human › Work\nBakes."]
        assert left.counts == {"messages of tools": 1}
    _, (*_, archived), _ = found(written(tmp_path / "agent.af", today), "letta")
    assert archived.text == "Was in Porto" and archived.metadata["tags"] == ["travel"]


# -- notes ---------------------------------------------------------------------------------------


def test_notes_section_by_section(tmp_path: Path) -> None:
    note = """---
title: The garden
created: 2024-04-01
tags: [plants, "#food"]
---
Planted with [[Lena Novak|Lena]] #spring

## Tomatoes
See [the plan](plans/next%20year.md) and `#nota tag`.
```
# no heading
```
## Empty
"""
    written(tmp_path / "garden.md", note)
    written(tmp_path / "plans" / "next year.md", "More. ![[photo.png]]")
    written(tmp_path / "people" / "Lena Novak.md", "A sister.")
    written(tmp_path / "2024-06-07.md", "A fine day.")
    written(tmp_path / "photo.png", "x")
    assert detected(tmp_path) == "markdown"
    _, facts, left = found(tmp_path, "markdown")
    by_text = {one.text: one for one in facts}
    first, second = (one for one in facts if one.note == "garden")
    assert first.text == "The garden\nPlanted with Lena #spring"
    assert first.at == datetime(2024, 4, 1, tzinfo=UTC)
    assert first.metadata["tags"] == ["plants", "food", "spring"]
    assert second.text.startswith("The garden › Tomatoes\nSee the plan and")
    assert "# no heading" in second.text
    assert by_text["2024-06-07\nA fine day."].at == datetime(2024, 6, 7, tzinfo=UTC)
    assert left.counts == {"files that are no notes": 1}
    links = Links()
    for one in facts:
        links.take(one, one.text)
    related = links.related()
    assert related[first.text] == ("Lena Novak\nA sister.",)
    assert second.text in related["next year\nMore. photo.png"]


def test_an_obsidian_vault(tmp_path: Path) -> None:
    written(tmp_path / ".obsidian" / "app.json", "{}")
    written(tmp_path / ".obsidian" / "notes.md", "settings")
    written(tmp_path / "a.md", "To [[b#Head|there]] and [[nowhere]]")
    written(tmp_path / "deep" / "b.md", "---\naliases: bee\n---\nBack to [[a]]")
    assert detected(tmp_path) == "obsidian"
    _, facts, _ = found(tmp_path, "obsidian")
    assert [one.text for one in facts] == ["a\nTo there and nowhere", "b\nBack to a"]
    assert facts[0].links == ("b", "nowhere") and facts[1].names == ("b", "bee")


def test_a_long_section_is_cut_between_paragraphs(tmp_path: Path) -> None:
    paragraphs = [f"Paragraph {n} " + "word " * 60 for n in range(30)]
    _, facts, _ = found(written(tmp_path / "long.md", "\n\n".join(paragraphs)), "markdown")
    assert all(len(one.text) <= 2_000 and one.text.startswith("long\nParagraph") for one in facts)
    assert sum(one.text.count("Paragraph") for one in facts) == 30


# -- what does harm ------------------------------------------------------------------------------


HOSTILE: list[Any] = [
    '{"mapping": {"a": {"message": {"content": {"parts": ["\\ud83d"]}}}, "x": ' + "[" * 40,
    '{"mapping": {"a": NaN}}',
    '{"mapping": {"a": ' + "9" * 6_000 + "}}",
    '{"mapping": []}',
    '{"mapping": null, "title": 5}',
    '{"mapping": {"a": {"parent": {"b": 1}, "message": 7}}, "current_node": ["a"]}',
]


@pytest.mark.parametrize("bad", HOSTILE[1:])
def test_a_conversation_that_cannot_be_read_costs_no_other(tmp_path: Path, bad: str) -> None:
    text = f"[{json.dumps(chatgpt())}, {bad}]"
    (talk,), _, left = found(written(tmp_path / "conversations.json", text), "chatgpt")
    assert words(talk) == SPOKEN
    assert left.counts.total() == 1


@pytest.mark.parametrize("bad", [*HOSTILE[:1], "", "null", "[", "[{}", "[1]", '[{"a": "', "{}x"])
def test_a_file_that_is_not_whole_is_refused(tmp_path: Path, bad: str) -> None:
    text = f"[{json.dumps(chatgpt())}, {bad}]" if bad.startswith('{"mapping') else bad
    with pytest.raises(UsageError, match="conversations"):
        found(written(tmp_path / "conversations.json", text), "chatgpt")


def test_odd_texts_and_dates_are_mended(tmp_path: Path) -> None:
    row = chatgpt(create_time="yesterday")
    for key, at in (("n0", 1e300), ("n1", -5), ("n2", {"x": 1})):
        row["mapping"][key]["message"]["create_time"] = at
    row["mapping"]["n0"]["message"]["content"]["parts"] = ["half \ud83d\0 of it", 5, None]
    path = written(tmp_path / "conversations.json", "\ufeff" + json.dumps([row]))
    (talk,), _, _ = found(path, "chatgpt")
    assert talk.lines[0].text == "half \ufffd of it"
    assert [one.at for one in talk.lines] == [None, None, None] and talk.at is None


@pytest.mark.parametrize("name", ["../out.md", "/etc/x.md", "a\\b.md", "C:x.md"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="leads elsewhere"):
        found(zipped(tmp_path / "x.zip", {name: "text"}), "markdown")


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"conversations.json": b"[" + b" " * 30_000_000})
    with pytest.raises(UsageError, match="unpacks to far more"):
        found(path, "chatgpt")


def test_links_out_of_a_folder_are_not_followed(tmp_path: Path) -> None:
    written(tmp_path / "outside" / "secret.md", "A secret")
    written(tmp_path / "vault" / "a.md", "A note")
    (tmp_path / "vault" / "b.md").symlink_to(tmp_path / "outside" / "secret.md")
    (tmp_path / "vault" / "deep").symlink_to(tmp_path / "outside")
    _, facts, _ = found(tmp_path / "vault", "markdown")
    assert [one.text for one in facts] == ["a\nA note"]


@pytest.mark.parametrize(
    "source", [one for one in PAST_SOURCES if one not in ("markdown", "obsidian")]
)
def test_what_is_damaged_in_a_zip_is_told(tmp_path: Path, source: PastSource) -> None:
    name = {"claude-code": "a.jsonl", "mem0": "a.json", "letta": "a.af"}.get(
        source, "conversations.json"
    )
    path = zipped(tmp_path / "x.zip", {name: json.dumps([chatgpt()] * 50)})
    raw = bytearray(path.read_bytes())
    raw[60:80] = b"\0" * 20
    path.write_bytes(raw)
    with pytest.raises(UsageError):
        found(path, source)


def test_notes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\xff\xfe\x00")
    written(tmp_path / "b.md", "---\nbroken: [\n---\nA note")
    _, facts, left = found(tmp_path, "markdown")
    assert [one.text for one in facts] == ["b\nA note"]
    assert left.counts == {"notes that cannot be read": 1, "front matters that cannot be read": 1}


@pytest.mark.parametrize(
    ("name", "content", "source"),
    [
        ("rows.jsonl", '{"content": "x"}\n', "jsonl"),
        ("rows.txt", '{"content": "x"}\n', "jsonl"),
        ("note.md", "# x", "markdown"),
        ("s.jsonl", claude_code(said("hello")), "claude-code"),
        ("talk.json", json.dumps([chatgpt()]), "chatgpt"),
        ("mine.json", json.dumps([{"conversations_memory": "x"}]), "claude"),
    ],
)
def test_whose_a_single_file_is(tmp_path: Path, name: str, content: str, source: str) -> None:
    assert detected(written(tmp_path / name, content)) == source


def test_a_folder_of_nothing_known_is_asked_about(tmp_path: Path) -> None:
    written(tmp_path / "x" / "a.bin", "x")
    with pytest.raises(UsageError, match="cannot tell") as told:
        detected(tmp_path / "x")
    assert "--from" in told.value.hint
    with pytest.raises(UsageError, match="there is no"):
        detected(tmp_path / "nowhere")


def test_what_is_kept_beside_a_memory_is_sound(tmp_path: Path) -> None:
    deep: Any = "half \ud83d"
    for _ in range(300):
        deep = {"x\ud83d": deep}
    row = {"memory": "Likes rye", "metadata": deep, "user_id": "\ud83d"}
    _, (fact,), _ = found(written(tmp_path / "all.json", [row]), "mem0")
    assert "\ud83d" not in json.dumps(fact.metadata, ensure_ascii=False)
    assert json.dumps(fact.metadata).count("{") < 20


def test_a_file_whose_name_is_no_text(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md")).write_text("A note")
    except OSError:
        pytest.skip("this disk wants names in UTF-8")
    _, (fact,), _ = found(tmp_path, "markdown")
    assert fact.text == "caf\ufffd\nA note"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_nobody_may_read_is_named(tmp_path: Path) -> None:
    written(tmp_path / "a.md", "A note").chmod(0)
    with pytest.raises(UsageError, match=r"cannot read .*a\.md"):
        found(tmp_path, "markdown")
