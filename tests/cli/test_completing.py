"""What a shell is offered for a value: names and ids of the home, and nothing that is an error."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from command_line import Ska
from hypothesis import given
from hypothesis import strategies as st
from skill_agent.cli.completing import offered, shortened, source_of
from skill_agent.cli.lazy import load
from skill_agent.cli.main import COMMANDS
from skill_agent.cli.surroundings import Surroundings

from skill_agent.errors import StoreError
from skill_agent.identifiers import new_id


def asked(home: Path, line: str, shell: str = "bash") -> list[str]:
    """What the shell gets for an unfinished line, by a process as it starts one."""
    words = line.split(" ")
    told = {
        "_SKA_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": f"{len(words) - 1}",
        "_TYPER_COMPLETE_ARGS": line,
        "SKILL_AGENT_HOME": str(home),
    }
    done = subprocess.run(
        [sys.executable, "-m", "skill_agent.cli"],
        env={**os.environ, **told}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


def test_agents_memories_and_sessions_are_offered(ska: Ska) -> None:
    kept = ska("memory", "add", "The staging server is called heron")
    assert kept.code == 0
    assert ska("ask", "hello").code == 0
    home = ska.home.root
    assert asked(home, "ska ask -a k") == ["kyra"]
    (memory,) = asked(home, "ska memory show ")
    assert ska("memory", "show", memory).out.count("heron")
    assert asked(home, f"ska --home {home} sessions show l", "zsh")[0:1] != []


def test_without_a_home_nothing_is_offered_and_none_is_made(tmp_path: Path) -> None:
    assert asked(tmp_path / "none", "ska ask -a ") == []
    assert not (tmp_path / "none").exists()


def test_an_error_is_no_offer(ska: Ska) -> None:
    async def broken(_station: object) -> Iterable[tuple[str, str]]:
        raise StoreError("gone")

    assert offered(Surroundings(path=ska.home.root), broken) == []


ASKED = {
    "memory show": "_memories",
    "inbox show": "_inbox",
    "work show": "_work",
    "team show": "_tasks",
    "sessions show": "_sessions",
    "agents show": "_agents",
    "jobs show": "_jobs",
    "skills show": "_skills",
    "cancel": "_turns",
    "approvals answer": "_approvals",
}


@pytest.mark.parametrize(("line", "name"), ASKED.items(), ids=ASKED)
def test_what_a_command_asks_for_is_known(line: str, name: str) -> None:
    path = line.split()
    command = load(path[0], COMMANDS[path[0]])
    for word in path[1:]:
        command = command.commands[word]
    argument = next(one for one in command.params if one.param_type_name == "argument")
    source = source_of(path[0], argument)
    assert source is not None and source.__name__ == name


@given(st.integers(1, 60))
def test_shortened_ids_stay_apart_and_mean_the_same(count: int) -> None:
    ids = [new_id() for _ in range(count)]
    found = [one for one, _ in shortened((one, "") for one in ids)]
    assert len({*found}) == count
    assert all(whole.startswith(short) for whole, short in zip(ids, found, strict=True))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_is_told_how(ska: Ska, shell: str) -> None:
    told = ska("completion", shell)
    assert told.code == 0 and "_SKA_COMPLETE" in told.out and "ska" in told.out


def test_another_shell_is_refused(ska: Ska) -> None:
    told = ska("completion", "tcsh")
    assert told.code == 2 and "bash, zsh, fish" in told.err


def test_what_a_shell_could_run_is_not_offered(ska: Ska) -> None:
    """A job's name may be an agent's proposal, a title the words of a program."""
    assert (
        ska("jobs", "add", "every day at 9", "--name", "$(touch x)", "--prompt", "p", "--yes").code
        == 0
    )
    assert (
        ska("jobs", "add", "every day at 9", "--name", "tidy", "--prompt", "p", "--yes").code == 0
    )
    offered_now = asked(ska.home.root, "ska jobs show ")
    assert "tidy" in offered_now and not any("touch" in one for one in offered_now)
    assert ska("ask", 'say "$(touch y)" `z`').code == 0
    told = " ".join(asked(ska.home.root, "ska sessions show ", "zsh"))
    assert "latest" in told and not {"$(", "`"} & {told[at : at + 2] for at in range(len(told))}
