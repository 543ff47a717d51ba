"""What every command has: --jq, --format, `latest`, a nearest command, one table of exit codes."""

import re
from typing import Any

import pytest
from command_line import Ska
from skill_agent.cli.exit_codes import MEANING
from skill_agent.cli.lazy import load
from skill_agent.cli.main import COMMANDS

from skill_agent import errors


@pytest.fixture
def kept(ska: Ska) -> Ska:
    for text in ("The staging server is called heron", "Tea is at four"):
        assert ska("memory", "add", text).code == 0
    return ska


def commands(found: dict, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    every = []
    for name, command in found.items():
        inner = getattr(command, "commands", None)
        every += commands(inner, (*path, name)) if inner else [((*path, name), command)]
    return every


LEAVES = commands({name: load(name, entry) for name, entry in COMMANDS.items()})


def test_whatever_prints_json_can_be_picked_from() -> None:
    for path, command in LEAVES:
        options = {name for one in command.params for name in one.opts}
        assert ("--jq" in options) == ("--json" in options), path
        assert ("--format" in options) or "--json" not in options, path


def test_jq_prints_texts_as_they_are_and_the_rest_as_json(kept: Ska) -> None:
    assert kept("memory", "list", "--jq", ".[].content").out.splitlines() == [
        "Tea is at four", "The staging server is called heron",
    ]  # fmt: skip
    assert kept("memory", "list", "--jq", "map(.memory_type)").out == '["semantic", "semantic"]\n'


def test_a_template_makes_a_line_of_each(kept: Ska) -> None:
    done = kept("memory", "list", "--format", "{{content|upper}}{{nothing}}|{{created_at|ago}}|")
    assert done.out.splitlines()[0].startswith("TEA IS AT FOUR|")
    assert re.search(r"\|\d+ (d|h|min|s)( \d+ \w+)?\|", done.out)
    assert kept("memory", "show", "latest", "--format", "{{content}}").out == "Tea is at four\n"


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("--jq", ".[", "syntax error"),
        ("--jq", ".[] | .content | keys", "has no keys"),
        ("--format", "{{ content", "end of template"),
        ("--format", "{{ content.__class__.__mro__ }}", "unsafe"),
        ("--format", "{{ 1 // 0 }}", "zero"),
    ],
)
def test_a_mistake_is_told(kept: Ska, option: str, text: str, said: str) -> None:
    done = kept("memory", "list", option, text)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_wrong_expression_leaves_nothing_done(kept: Ska) -> None:
    assert kept("memory", "add", "Never kept", "--jq", ".[").code == 2
    assert "Never kept" not in kept("memory", "list").out


def test_both_at_once_are_refused(kept: Ska) -> None:
    assert "exclude each other" in kept("memory", "list", "--jq", ".", "--format", "x").err


def test_latest_is_the_newest_of_its_kind(kept: Ska) -> None:
    assert "Tea is at four" in kept("memory", "show", "latest").out
    assert kept("memory", "pin", "latest").code == 0
    assert kept("memory", "list", "--jq", "[.[] | select(.pinned) | .content]").json == [
        "Tea is at four"
    ]
    done = kept("work", "show", "latest")
    assert (done.code, "nothing yet" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("disputes",), "ska memory disputes"),
        (("version",), "ska --version"),
        (("memory", "serach"), "ska memory search"),
        (("sessions", "ls"), "ska sessions list"),
        (("memroy",), "ska memory"),
        (("pull",), "ska models pull"),
    ],
)
def test_the_nearest_command_of_all_is_named(ska: Ska, words: tuple[str, ...], meant: str) -> None:
    done = ska(*words)
    assert done.code == 2
    assert f"did you mean `{meant}`?" in done.err


def test_nothing_near_is_said_to_be_meant(ska: Ska) -> None:
    assert "did you mean" not in ska("qwertz").err


def test_exit_codes_of_helps_and_errors_are_those_of_the_table(ska: Ska) -> None:
    told = ska("help", "exit-codes", "--json").json["entries"]
    assert set(told) == {str(code) for code in MEANING}
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.SkillAgentError):
            assert kind.exit_code in MEANING, kind
    for path, command in LEAVES:
        found = re.search(r"Exit codes?:(.*?)(\n\s*\n|$)", command.help or "", re.DOTALL)
        codes = re.findall(r"(?:^|[,;:]|\n)\s*(\d{1,3})(?= [a-z])", f":{found[1]}") if found else []
        assert {int(code) for code in codes} <= MEANING.keys(), path


def test_topics_are_told_and_a_command_is_explained(ska: Ska) -> None:
    for topic in ska("help", "--json").json:
        assert ska("help", topic["id"]).out.strip()
        assert ska("help", topic["id"], "--json").json["id"] == topic["id"]
    assert "Usage: ska memory search" in ska("help", "memory", "search").out
    done = ska("help", "memory", "serach")
    assert (done.code, "ska memory search" in done.err) == (2, True)
