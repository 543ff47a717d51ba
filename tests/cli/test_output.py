"""What commands print: JSON that is alone, tables without colour, text that cannot do harm."""

import json
import os
import pty
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path, PurePosixPath

import pytest
from skill_agent.cli.output import (
    display_width,
    emit_json,
    emit_jsonl,
    emit_text,
    harmless,
    narrate,
    plain,
    record,
    table,
)

from skill_agent.agents.dna import AgentDNA
from skill_agent.text.clock import local
from skill_agent.values import Skill

Capture = pytest.CaptureFixture[str]


def test_values_of_every_kind_become_json() -> None:
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=1)))
    assert plain({"at": moment, "path": PurePosixPath("/x"), "set": {"b", "a"}, 1: (1, None)}) == {
        "at": "2026-01-02T02:04:00.000000Z", "path": "/x", "set": ["a", "b"], "1": [1, None],
    }  # fmt: skip
    skill = plain(Skill(name="a", description="b", path="c"))
    assert (skill["name"], skill["allowed_tools"]) == ("a", [])
    assert plain(AgentDNA(slug="a", name="A"))["boundaries"]["max_autonomy"] == "execute"


def test_json_is_alone_on_stdout_and_survives_odd_text(capsys: Capture) -> None:
    emit_json([{"id": "é\ud800\x1b[31m"}])
    emit_jsonl({"id": 1})
    narrate("so be it")
    said = capsys.readouterr()
    array, line = said.out.rsplit("\n", 2)[:2]
    assert json.loads(array) == [{"id": "é\ud800\x1b[31m"}]
    assert json.loads(line) == {"id": 1}
    assert said.err == "so be it\n"


def test_json_is_strict_whatever_the_numbers(capsys: Capture) -> None:
    emit_json([{"a": float("nan"), "b": [float("inf"), -float("inf"), 1.5]}])
    said = capsys.readouterr().out
    assert json.loads(said, parse_constant=pytest.fail) == [{"a": None, "b": [None, None, 1.5]}]


def test_a_piped_table_is_aligned_text(capsys: Capture) -> None:
    table(("id", "what"), [("a", "日本"), ("bcd", None), ("e", ["x", "[bold]y"])])
    assert capsys.readouterr().out.splitlines() == [
        "id   what", "a    日本", "bcd", "e    x, [bold]y",
    ]  # fmt: skip


def test_an_empty_table_says_so_on_stderr(capsys: Capture) -> None:
    table(("id",), [], empty="nothing yet")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "nothing yet\n")


def test_a_record_leaves_out_what_is_empty(capsys: Capture) -> None:
    record((("id", "a"), ("note", ""), ("zero", 0), ("text", "one\ntwo"), ("none", None)))
    assert capsys.readouterr().out == "id    a\nzero  0\ntext  one\n      two\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\x1b]0;title\x07b", "a]0;titleb"),
        ("tab\there", "tab here"),
        ("\x9b31mred", "31mred"),
        ("família 👨‍👩‍👧", "família 👨‍👩‍👧"),
    ],
)
def test_stored_text_cannot_drive_the_terminal(text: str, shown: str, capsys: Capture) -> None:
    assert harmless(text) == shown
    emit_text(text)
    assert "\x1b" not in capsys.readouterr().out


def test_wide_characters_count_twice_and_marks_not() -> None:
    assert (display_width("日本"), display_width("é"), display_width("ab")) == (4, 1, 2)


def test_a_script_reads_times_in_utc_and_a_person_by_their_clock(
    tmp_path: Path,
) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    leader, follower = pty.openpty()
    piped = tmp_path / "out"
    try:
        for path, seen in ((os.ttyname(follower), local(moment)), (piped, None)):
            with Path(path).open("w", encoding="utf-8") as stream, redirect_stdout(stream):
                record([("at", moment)])
            if seen is not None:
                told = os.read(leader, 1_000).decode()
                assert told.split("  ")[1].strip() == f"{seen:%Y-%m-%d %H:%M:%S}"
    finally:
        os.close(leader)
        os.close(follower)
    assert "2026-01-02T03:04:05.000000Z" in piped.read_text("utf-8")
