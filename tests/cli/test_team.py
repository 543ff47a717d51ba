"""`ska team`: work given and followed, listed, shown, stopped, begun anew, on a scripted model."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from command_line import Ska, Terminal
from skill_agent.cli.surroundings import Surroundings
from skill_agent.cli.talk.approvals import asking
from skill_agent.cli.teamwork.run import agreed

from skill_agent.events import ApprovalAsked
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Collaboration

WHOLE = "Apples keep. \x1b[31mred\x1b[0m"


@pytest.fixture
def given(ska: Ska) -> tuple[Ska, dict[str, Any]]:
    """A home in which Luke has done one task."""
    ska.model = ScriptedModel(otherwise=WHOLE)
    return ska, ska("team", "give", "luke", "Which apple keeps?", "--json").json


def test_a_task_is_given_and_its_result_printed(ska: Ska) -> None:
    ska.model = ScriptedModel(otherwise=WHOLE)
    done = ska("team", "give", "@luke", "Which apple keeps?", "--context", "-", stdin=b"A list")
    assert (done.code, done.out.strip()) == (0, "Apples keep. [31mred[0m"), "no terminal is driven"
    assert "luke" in done.err.lower() and "completed" in done.err


def test_what_was_given_is_listed_and_shown(given: tuple[Ska, dict[str, Any]]) -> None:
    ska, task = given
    (listed,) = ska("team", "list", "--json").json
    assert (listed["id"], listed["kind"], listed["ended"]) == (task["id"], "task", True)
    assert listed["created_at"].endswith("Z") and listed["children"] == []
    assert ska("team", "list", "--json", "--agent", "kyra").json == []
    assert len(ska("team", "list", "--json", "--status", "completed").json) == 1
    assert "Which apple keeps?" in ska("team", "list").out

    shown = ska("team", "show", task["id"][:18], "--transcript")
    assert shown.code == 0 and "✓ completed · luke" in shown.out
    assert "\x1b" not in shown.out and "  │ Apples keep." in shown.out
    assert "Which apple keeps?" in shown.out
    told = ska("team", "show", "Which apple keeps?", "--transcript", "--json").json
    assert told["result"] == WHOLE
    assert [one["role"] for one in told["transcript"]] == ["user", "assistant"]
    assert ska("team", "watch", task["id"], "--json").json["status"] == "completed"
    assert ska("team", "watch", "--json").json == []


def test_what_has_ended_stays_as_it_is(given: tuple[Ska, dict[str, Any]]) -> None:
    ska, task = given
    late = ska("team", "cancel", task["id"])
    assert (late.code, late.out) == (0, "") and "had ended before: completed" in late.err
    assert ska("team", "cancel", task["id"], "--agent", "luke").code == 2
    again = ska("team", "retry", task["id"])
    assert again.code == 2 and "was done" in again.err
    said = ska("team", "tell", task["id"], "go on")
    assert said.code == 2 and "has ended" in said.err and "retry" in said.err


def test_a_name_that_nearly_fits_is_named(given: tuple[Ska, dict[str, Any]]) -> None:
    ska, task = given
    wrong = ska("team", "show", "Which aple keeps?")
    assert wrong.code == 2 and f"did you mean {task['id']}?" in wrong.err
    assert ska("team", "cancel", "nothing-of-that-name").code == 2
    assert "ska team list" in ska("team", "watch", "nothing-of-that-name").err
    assert "kyra" in ska("team", "list", "--agent", "kira").err
    assert 'did you mean "failed"?' in ska("team", "list", "--status", "faild").err
    assert 'did you mean "pipeline"?' in ska("team", "run", "x", "--pattern", "pipelin").err
    assert ska("team", "give", "nobody", "x").code == 2


def failing() -> Iterator[str]:
    raise ValueError("the model is broken")


def test_what_failed_is_told_given_up_and_begun_anew(ska: Ska) -> None:
    ska.model = ScriptedModel(otherwise=lambda _: [*failing()])
    failed = ska("team", "give", "luke", "Do it", "--seconds", "1")
    assert failed.code == 1 and "ska team retry" in failed.err
    (task,) = ska("team", "list", "--json").json
    assert task["status"] in ("failed", "timed_out") and task["problem"]
    dead = ska("team", "deadletter", "--json").json
    assert [one["id"] for one in dead] == [task["id"]]
    assert "retry" in ska("team", "deadletter").err

    ska.model = ScriptedModel(otherwise="Done now.")
    again = ska("team", "retry", task["id"])
    assert (again.code, again.out.strip()) == (0, "Done now."), again.err
    assert ska("team", "deadletter", "--json").json == []


def test_nothing_is_left_behind_without_a_host(ska: Ska) -> None:
    for words in (("give", "luke", "x", "--detach"), ("run", "x", "--detach")):
        left = ska("team", *words)
        assert (left.code, left.out) == (2, "") and "ska up" in left.err
    assert ska("team", "run", "x", "--json", "--jsonl").code == 2


def test_a_collaboration_is_planned_run_and_shown(ska: Ska) -> None:
    ska.model = ScriptedModel(otherwise="An apple tree.")
    words = ("team", "run", "Which tree?", "--pattern", "pipeline", "--with", "luke,ada")
    done = ska(*words, "--json", "--yes")
    assert done.code == 0, done.err
    assert "1. Luke" in done.err and "at most 10 min and $0.50" in done.err
    assert done.json["status"] == "completed" and done.json["id"]
    (listed,) = ska("team", "list", "--json").json
    assert (listed["kind"], listed["id"]) == ("collaboration", done.json["id"])
    assert {one["agent"] for one in listed["children"]} >= {"luke", "ada"}
    shown = ska("team", "show", done.json["id"]).out
    assert "pipeline led by" in shown and "├─ ✓ completed" in shown and "Result:" in shown
    said = ska("team", "show", done.json["id"], "--transcript", "--json").json["children"]
    assert all(one["transcript"][-1]["agent"] == one["agent"] for one in said)
    assert ska("team", "retry", done.json["id"]).code == 2


def test_a_person_is_asked_before_what_takes_long_or_costs() -> None:
    at = datetime(2026, 11, 30, 9, tzinfo=UTC)
    quick = Collaboration(
        id="c", goal="g", pattern="pipeline", lead="ada", participants=(), created_at=at,
        estimate_s=20.0, estimate_usd=0.0,
    )  # fmt: skip
    for more, asked in (
        ({}, False),
        ({"estimate_s": 180.0}, True),
        ({"estimate_usd": 0.02}, True),
        ({"estimate_usd": None}, True),
    ):
        person = Terminal(["n"])
        around = Surroundings(terminal=True, read_line=person)
        assert agreed(around, replace(quick, **more)) is not asked
        assert bool(person.asked) is asked


def test_every_event_is_a_line_of_json(ska: Ska) -> None:
    done = ska(
        "team", "run", "Which tree?", "--with", "luke,ada", "--lead", "kyra", "--jsonl", "--yes"
    )
    kinds = {one["type"] for one in done.lines}
    assert {"task_changed", "collaboration_changed"} <= kinds
    assert done.code == int(done.lines[-1]["status"] != "completed")


def test_a_question_names_the_chain_that_asks(ska: Ska) -> None:
    event = ApprovalAsked(
        session="s", turn="t", agent="luke", approval="a", tool="http_get", arguments={"url": "x"},
        rule="luke http_get", reason="", timeout_s=60.0,
        chain=("Kyra", "Luke: look at it\u202e"),
    )  # fmt: skip
    asking(Surroundings(terminal=True, read_line=Terminal(["d"])))(event)
    told = ska.capsys.readouterr().err
    assert "asked for by: Kyra → Luke: look at it‹U+202E›" in told


def test_what_goes_on_is_counted_in_the_status(given: tuple[Ska, dict[str, Any]]) -> None:
    ska, _ = given
    assert ska("status", "--json").json["work_going_on"] == 0


def test_a_home_that_is_away_is_told(ska: Ska) -> None:
    for words in (("list",), ("give", "luke", "x"), ("watch", "abc")):
        done = ska("--api", "http://127.0.0.1:9", "team", *words)
        assert (done.code, done.out) == (3, "") and "nobody answers" in done.err
